"""The table of mutations is true: what it takes out is there once, and so are the tests it names.

`make mutations` runs them; here none is run but those of a house of the test's own.
"""

import json
import os

import pytest

from tools.mutations import databases, draw
from tools.mutations.chances import chances
from tools.mutations.relocate import relocate
from tools.mutations.runner import Outcome, Slot, try_out
from tools.mutations.source import Stale, change, check_tests
from tools.mutations.table import BadTable, Database, Mutation, choose, load
from tools.run_tests import ROOT

MUTATIONS = load()

ENTRY = {
    "kind": "bound",
    "symbol": "app.module:House.door",
    "old": "return   width < 3",
    "new": "return True",
    "on": "both",
    "test": "tests/test_door.py::test_the_door_is_narrow",
}
SOURCE = """\
class House:
    def door(self, width):
        return width < 3

    def gate(self, width):
        return width < 3
"""


def stale(mutation):
    """Say what is wrong with a mutation, if anything."""
    try:
        change(ROOT, mutation)
        check_tests(ROOT, mutation)
    except Stale as error:
        return f"{mutation.id}: {error}"
    return ""


def test_every_mutation_finds_its_text_once_and_its_tests():
    assert [why for why in map(stale, MUTATIONS) if why] == []


def test_every_survivor_says_why_at_some_length():
    assert [m.id for m in MUTATIONS if m.equivalent and len(m.equivalent) < 30] == []


@pytest.fixture
def house(tmp_path):
    """A tree with one module and one test."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "module.py").write_text(SOURCE)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_door.py").write_text("def test_the_door_is_narrow(): ...\n")
    return tmp_path


def mutation(**fields):
    return Mutation.read("house.door", ENTRY | fields)


def test_only_the_named_symbol_is_changed(house):
    assert change(house, mutation()).after == SOURCE.replace("return width < 3", "return True", 1)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"symbol": "app.module"}, "stands 2 times"),
        ({"old": "return width < 4"}, "stands 0 times"),
        ({"symbol": "app.module:Shed"}, "defined 0 times"),
        ({"symbol": "app.elsewhere"}, "there is no app.elsewhere"),
        ({"new": "return ("}, "is no Python"),
        ({"old": " "}, "is empty"),
    ],
)
def test_what_is_not_there_once_is_stale(house, fields, why):
    with pytest.raises(Stale, match=why):
        change(house, mutation(**fields))


def test_what_only_moved_is_named_anew(house, tmp_path):
    table = tmp_path / "table"
    table.mkdir()
    lines = "\n".join(f'{key} = "{value}"' for key, value in ENTRY.items())
    (table / "house.toml").write_text(f'["house.door"]\n{lines}\n')
    (house / "app" / "module.py").rename(house / "app" / "manor.py")
    (house / "tests" / "test_door.py").rename(house / "tests" / "test_manor.py")

    said = list(relocate(house, table, load(table)))

    assert len(said) == 1
    [moved] = load(table)
    assert moved.symbol == "app.manor:House.door"
    assert moved.tests == ("tests/test_manor.py::test_the_door_is_narrow",)
    assert list(relocate(house, table, [moved])) == []


def test_what_may_have_moved_to_several_places_is_for_people(house):
    lost = mutation(symbol="app.module:House.window")

    [said] = relocate(house, house, [lost])

    assert "may be in app.module:House.door, app.module:House.gate" in said


@pytest.mark.parametrize("test", ["tests/test_door.py::test_gone", "tests/test_gone.py"])
def test_a_test_that_is_not_there_is_stale(house, test):
    check_tests(house, mutation(test="tests/test_door.py::test_the_door_is_narrow[wide]"))
    with pytest.raises(Stale, match="there is no tests/"):
        check_tests(house, mutation(test=test))


@pytest.mark.parametrize("entry", [{"kind": "hope"}, {"on": "oracle"}, {"colour": "red"}])
def test_an_entry_that_nobody_can_follow_is_refused(entry):
    with pytest.raises(BadTable, match=r"house\.door"):
        mutation(**entry)


def test_an_id_stands_in_one_file_only(tmp_path):
    lines = "\n".join(f'{key} = "{value}"' for key, value in ENTRY.items())
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(f'["house.door"]\n{lines}\n')

    with pytest.raises(BadTable, match="stands in another file"):
        load(tmp_path)


def test_mutations_are_chosen_by_a_pattern():
    assert choose([mutation()], ["house.*"]) == [mutation()]
    assert choose([mutation()], ["garden.*"]) == []


# --- Running --------------------------------------------------------------------------------

TESTS = """\
import pytest

from app.module import House


@pytest.fixture
def broken():
    raise RuntimeError


def test_the_door_is_narrow():
    assert not House().door(3)


def test_the_door_lets_somebody_in():
    assert House().door(2)


def test_nothing_to_do_with_it(broken):
    pass
"""


@pytest.fixture
def slot(house, monkeypatch):
    """The house as a tree in which tests are run, without a database."""
    (house / "tests" / "test_door.py").write_text(TESTS)
    monkeypatch.setattr(databases, "copy", lambda *_: None)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    environment |= {
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        # No more than the runner's own arguments need.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_PLUGINS": "pytest_django.plugin,pytest_timeout,xdist.plugin",
    }
    slot = Slot(house, dict.fromkeys(Database, environment))
    slot.templates = dict.fromkeys(Database, "")
    slot.open(["tests/test_door.py"])
    yield slot
    slot.close()


def test_each_mutation_gets_its_verdict_and_is_undone(slot, house):
    door = "tests/test_door.py::test_the_door"
    survivor = {"test": f"{door}_lets_somebody_in"}
    for fields, outcome, why in (
        ({"test": f"{door}_is_narrow"}, Outcome.KILLED, "assert not"),
        (survivor, Outcome.SURVIVED, "lets_somebody_in"),
        (survivor | {"equivalent": "said so"}, Outcome.DOCUMENTED, "said so"),
        ({"test": f"{door}_is_narrow", "equivalent": "said so"}, Outcome.STALE, "it dies"),
        ({"test": "tests/test_door.py::test_nothing_to_do_with_it"}, Outcome.STALE, "do not run"),
        ({"new": "return width <"}, Outcome.STALE, "is no Python"),
    ):
        result = try_out(slot, mutation(on="sqlite", **fields))
        assert (result.outcome, why in result.why) == (outcome, True), result
    assert (house / "app" / "module.py").read_text() == SOURCE


# --- Drawing --------------------------------------------------------------------------------

YARD = """\
LIMIT = 3
label: str = "1"


class Yard:
    size = models.CharField(max_length=5)

    def fits(self, width: Literal[7], *, strict=True):
        \"\"\"Whether it fits.\"\"\"
        if width < LIMIT and not strict:
            return False
        logger.warning("narrow", width=1)
        self.open(width, slowly=1)
        return f"{width > 2}" + str(width)
"""


def test_every_small_change_that_could_matter_is_a_chance():
    made = {(chance.kind, chance.line, chance.new) for chance in chances(YARD)}

    assert made == {
        ("constant", 1, "4"),
        ("constant", 8, "False"),
        ("and/or", 10, "(width < LIMIT or not strict)"),
        ("boundary", 10, "(width <= LIMIT)"),
        ("flipped", 10, "(width >= LIMIT)"),
        ("guard", 10, "False"),
        ("not", 10, "(strict)"),
        ("constant", 11, "True"),
        ("keyword", 13, "(self.open(width))"),
        ("constant", 13, "2"),
        ("statement", 13, "pass"),
        ("returned", 14, "None"),
    }
    assert {chance.function for chance in chances(YARD)} == {0, 8}


def test_a_chance_changes_its_own_place_alone():
    [chance] = [chance for chance in chances(YARD) if chance.kind == "boundary"]

    assert chance.made(YARD) == YARD.replace("width < LIMIT", "(width <= LIMIT)")


def test_a_seed_draws_the_same_from_every_app(house):
    (house / "barn").mkdir()
    (house / "barn" / "module.py").write_text(YARD)
    (house / "barn" / "migrations").mkdir()
    (house / "barn" / "migrations" / "first.py").write_text(YARD)

    some = draw.draw(house, seed=6, count=4)

    assert some == draw.draw(house, seed=6, count=4)
    assert some != draw.draw(house, seed=7, count=4)
    assert sorted(drawn.path for drawn in some) == 2 * ["app/module.py"] + 2 * ["barn/module.py"]
    assert len(draw.draw(house, seed=6, count=1000)) == len(chances(YARD)) + len(chances(SOURCE))


def test_the_tests_that_enter_a_function_are_run_those_of_its_app_first(house):
    [drawn] = draw.draw(house, seed=6, count=1)
    place = f"app/module.py:{drawn.chance.function}"

    slow, quick, others = "tests/app/test_slow.py", "tests/app/test_quick.py", "tests/test_all.py"
    reach = {place: {others: 0.1, slow: 50.0, quick: 1.0, "tests/test_long.py": 20.0}}

    assert draw.tests_of(drawn, reach) == [quick, slow, others]
    assert draw.tests_of(drawn, {}) == ["tests/app/"]


def test_what_enters_a_function_is_learnt_and_what_is_drawn_is_tried(slot, house, tmp_path):
    learnt = tmp_path / "reach.json"
    slot.environments[Database.SQLITE] = slot.environments[Database.SQLITE] | {
        "CERTCTL_REACH": str(learnt)
    }
    (house / "tests" / "test_door.py").write_text(TESTS.replace("lets_somebody_in", "is_there"))
    slot.pytest(Database.SQLITE, ["-p", "tools.mutations.reach", "tests"])
    reach = json.loads(learnt.read_text("utf-8"))
    boundary, constant = (
        draw.Drawn("app/module.py", SOURCE, chance)
        for chance in chances(SOURCE)
        if chance.function == 2 and chance.kind in {"boundary", "constant"}
    )

    assert set(reach) == {"app/module.py:2"}
    door = "tests/test_door.py::test_the_door"
    assert set(draw.tests_of(boundary, reach)) == {f"{door}_is_narrow", f"{door}_is_there"}
    assert draw.try_out(slot, Database.SQLITE, boundary, [f"{door}_is_narrow"]) == "killed"
    assert draw.try_out(slot, Database.SQLITE, constant, [f"{door}_is_there"]) == "SURVIVED"
    assert (house / "app" / "module.py").read_text() == SOURCE
