from types import SimpleNamespace

from tests import order


def item(name, takes=None, fixtures=(), marks=()):
    known = dict.fromkeys(marks, SimpleNamespace())
    if takes is not None:
        known["takes"] = SimpleNamespace(args=(takes,))
    return SimpleNamespace(name=name, fixturenames=fixtures, get_closest_marker=known.get)


def test_the_longest_come_first_and_the_others_stay_as_they_were():
    items = [
        item("short"),
        item("of the database", 50, fixtures=("db",)),
        item("emptying it", 50, marks=("django_db",)),
        item("with a browser", 50, fixtures=("live_server",)),
        item("long", 3),
        item("short too"),
        item("longest", 16.5),
    ]

    order.pytest_collection_modifyitems(items)

    assert [one.name for one in items] == [
        "longest",
        "long",
        "short",
        "of the database",
        "emptying it",
        "with a browser",
        "short too",
    ]
