"""The client is installed where no server is: from its wheel, with what that says it needs."""

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

from certctl_cli import __version__
from tests.clients.conftest import CLIENT

# What a distribution is called, where that is not what is imported.
IMPORTED = {"pyyaml": "yaml", "typing-extensions": "typing_extensions"}


def declared():
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]
    names = {one.partition(">")[0] for one in project["dependencies"]}
    return {IMPORTED.get(name, name) for name in names}


def test_nothing_is_imported_that_the_distribution_does_not_declare():
    imported = set()
    for path in (CLIENT / "certctl_cli").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {one.name.partition(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").partition(".")[0])

    assert imported - set(sys.stdlib_module_names) == declared() | {"certctl_cli"}


def test_the_wheel_installs_a_command_that_works_without_the_server(tmp_path):
    built = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(built, cwd=CLIENT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "pip", "install", "--offline", "--no-deps", "--target", site, wheel],
        check=True, capture_output=True,
    )  # fmt: skip

    told = subprocess.run(
        [sys.executable, site / "bin" / "certctl", "--version"],
        cwd=tmp_path, check=True, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(site)},
    )  # fmt: skip

    assert wheel.name == f"certctl_cli-{__version__}-py3-none-any.whl"
    assert told.stdout == f"certctl, version {__version__}\n"
    assert (site / "certctl_cli" / "resources.json").exists()


def test_every_command_and_exit_status_is_in_the_documentation():
    from certctl_cli.__main__ import COMMANDS  # noqa: PLC0415
    from certctl_cli.exits import Exit  # noqa: PLC0415
    from certctl_cli.resources import RESOURCES  # noqa: PLC0415

    text = (CLIENT.parents[1] / "docs" / "cli.md").read_text()

    assert [name for name in (*COMMANDS, *RESOURCES) if f"`{name}" not in text] == []
    assert all(f"\n| {exit_.value} | " in text for exit_ in Exit)
