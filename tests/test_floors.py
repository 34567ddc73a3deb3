"""Every top-level package stands on a floor, and the contracts name all of them."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOT_THE_PRODUCT = {"benchmarks", "tests", "tools"}
MOST_LINES = 400


def import_linter():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]


def packages():
    return {path.parent.name for path in ROOT.glob("*/__init__.py")} - NOT_THE_PRODUCT


def test_every_package_is_read_by_the_contracts():
    assert packages() == set(import_linter()["root_packages"])


def test_every_package_stands_on_one_floor():
    floors = import_linter()["contracts"][0]
    assert floors["type"] == "layers"
    names = [
        name.strip(" ()")
        for layer in floors["layers"]
        for name in layer.split("|")
        if "(" not in name
    ]
    assert sorted(names) == sorted(packages())


def test_the_image_holds_every_package():
    # .dockerignore leaves out everything that it does not name.
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"}
    assert packages() <= kept


def test_no_module_is_longer_than_one_can_read_at_once():
    modules = [
        path.relative_to(ROOT)
        for package in [*packages(), "benchmarks", "clients", "tools"]
        for path in (ROOT / package).rglob("*.py")
        if "migrations" not in path.parts
    ]

    long = {str(path) for path in modules if len(path.read_text().splitlines()) > MOST_LINES}

    assert len(modules) > 100
    assert long == set()
