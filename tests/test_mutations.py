"""The table of mutations is true: what it takes out is there once, and so are the tests it names.

`make mutations` runs them; here nothing is run.
"""

import pytest

from tools.mutations.source import Stale, change, check_tests
from tools.mutations.table import BadTable, Mutation, choose, load
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


def test_a_text_that_moved_is_found_again(house):
    (house / "app" / "module.py").rename(house / "app" / "other.py")
    (house / "app" / "module.py").write_text("class House:\n    def door(self): ...\n")

    with pytest.raises(Stale, match=r"stands 0 times .* found in app/other\.py"):
        change(house, mutation())


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
