"""Which programs are taken from the machine: new enough, or ours."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from certctl.demo import programs as demo
from certctl.demo.programs import NGINX, OPENSSL, NoProgram
from certctl.management.commands import demo as command
from tools import browser, programs, run_tests
from tools.programs import ALL, CHROMIUM, POSTGRES, REDIS

ROOT = Path(__file__).resolve().parent.parent
# What each prints of a version, as seen of the real ones.
SAID = {
    OPENSSL: "OpenSSL {} 1 Jan 2026 (Library: OpenSSL {} 1 Jan 2026)",
    POSTGRES: "initdb (PostgreSQL) {} (Debian {}-0+deb12u1)",
    REDIS: "Redis server v={} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=2c4f",
    NGINX: "nginx version: nginx/{}",
    CHROMIUM: "Chromium {} built on Debian GNU/Linux 12 (bookworm)",
}
OURS = Path("/ours/program")
each = pytest.mark.parametrize("program", ALL, ids=lambda program: program.names[0])


def text(version):
    return ".".join(map(str, version))


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with none of them; `machine(program, prints)` puts one on its PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "0"))
    monkeypatch.setattr(programs, "DEBIAN_POSTGRES", tmp_path / "postgresql")

    def install(program, prints, *, name=None, folder="0", status=0, channel=1):
        path = tmp_path / folder / (name or program.names[0])
        path.parent.mkdir(parents=True, exist_ok=True)
        shown = " ".join(program.asked)
        path.write_text(
            f'#!/bin/sh\n[ "$*" = "{shown}" ] || exit 9\necho "{prints}" >&{channel}\n'
            f"exit {status}\n"
        )
        path.chmod(0o755)
        for beside in program.beside:
            (path.parent / beside).touch()
        monkeypatch.setenv("PATH", f"{tmp_path / '0'}:{tmp_path / '1'}")
        return path

    return install


@each
def test_the_oldest_version_that_will_do_is_taken_from_the_machine(program, machine):
    path = machine(program, SAID[program].replace("{}", text(program.oldest)))

    assert replace(program, brought=lambda: OURS).find() == path


@each
@pytest.mark.parametrize("channel", [1, 2])
def test_a_newer_one_is_taken_whatever_the_channel_that_it_speaks_on(program, machine, channel):
    newer = (program.oldest[0] + 90, 1, 17)
    path = machine(program, SAID[program].replace("{}", text(newer)), channel=channel)

    assert program.version(path) == newer
    assert program.get() == path


@each
def test_one_that_is_too_old_leaves_it_to_ours(program, machine):
    older = (program.oldest[0] - 1, 999)
    path = machine(program, SAID[program].replace("{}", text(older)))

    assert replace(program, brought=lambda: OURS).get() == OURS
    with pytest.raises(NoProgram, match=re.escape(f"{path} {text(older)}")) as refused:
        replace(program, brought=lambda: None).get()
    assert program.advice in str(refused.value)
    assert f"{program.title} {text(program.oldest)} or newer" in str(refused.value)


@each
@pytest.mark.parametrize("prints", ["", "garbage", "3", "version 99.0", "command not found: 99.9"])
def test_one_that_says_no_version_leaves_it_to_ours(program, machine, prints):
    machine(program, prints)

    assert replace(program, brought=lambda: OURS).get() == OURS
    assert "says no version" in program.missing()


@each
def test_one_that_fails_leaves_it_to_ours(program, machine):
    machine(program, SAID[program].replace("{}", "999.0"), status=1)

    assert replace(program, brought=lambda: OURS).get() == OURS


@each
def test_where_there_is_none_ours_is_taken(program, machine):
    assert replace(program, brought=lambda: OURS).get() == OURS


def test_one_that_hangs_leaves_it_to_ours(machine, monkeypatch):
    monkeypatch.setattr(demo, "PATIENCE", 0.2)
    machine(NGINX, "").write_text("#!/bin/sh\nexec /bin/sleep 60\n")

    assert replace(NGINX, brought=lambda: OURS).get() == OURS


def test_an_old_one_does_not_hide_a_newer_one_further_down_the_path(machine):
    machine(OPENSSL, "OpenSSL 1.1.1w  11 Sep 2023")
    newer = machine(OPENSSL, "OpenSSL 3.0.19 27 Jan 2026", folder="1")

    assert OPENSSL.get() == newer


def test_numbers_are_compared_as_numbers(machine):
    path = machine(NGINX, "nginx version: nginx/1.9.15")
    assert not NGINX.is_new_enough(path)
    path = machine(NGINX, "nginx version: nginx/1.100.0")
    assert NGINX.is_new_enough(path)


def test_valkey_will_do_for_redis(machine):
    path = machine(REDIS, "Valkey server v=7.2.5 sha=0:0 bits=64", name="valkey-server")

    assert REDIS.get() == path


def test_chrome_will_do_for_chromium(machine):
    path = machine(CHROMIUM, "Google Chrome 120.0.6099.109 ", name="google-chrome")

    assert CHROMIUM.get() == path


def test_of_debian_s_postgres_the_newest_that_is_whole_is_taken(machine):
    paths = {
        version: machine(
            POSTGRES, f"initdb (PostgreSQL) {version}.3", folder=f"postgresql/{version}/bin"
        )
        for version in (9, 14, 15, 17)
    }
    (paths[17].parent / "postgres").unlink()  # its clients alone are installed

    assert POSTGRES.get() == paths[15]


def test_ours_are_here_and_new_enough():
    """What `make setup-dev` brings must itself do."""
    brought = [program for program in ALL if program.brought() is not None]

    assert brought == [POSTGRES, REDIS, NGINX]
    assert all(program.is_new_enough(program.brought()) for program in brought)


def test_the_page_for_operators_has_the_same_numbers():
    table = (ROOT / "docs" / "operations.md").read_text()
    for program in ALL:
        assert f"| {program.title} | {text(program.oldest)} |" in table


# --- Those who ask --------------------------------------------------------------------------


def test_a_browser_that_is_too_old_is_not_even_started(machine, monkeypatch):
    started = []
    monkeypatch.setattr(browser, "works", lambda path: bool(started.append(path)) or True)
    machine(CHROMIUM, "Chromium 90.0.1")
    assert browser.on_path() is None
    assert started == []

    new = machine(CHROMIUM, "Chromium 140.0.1", folder="1")
    assert browser.on_path() == new


def test_the_demo_does_not_start_without_an_openssl_that_is_new_enough(machine, capsys):
    """Said before anything starts, and installing it is left to those who may."""
    machine(OPENSSL, "OpenSSL 1.1.1w  11 Sep 2023")

    with pytest.raises(command.CommandError, match=r"openssl 3\.0 or newer .*1\.1\.1.*--no-walk"):
        command.Command().handle(no_walk=False)


def test_the_tests_say_what_openssl_they_lack(machine, capsys):
    machine(OPENSSL, "OpenSSL 1.1.1w  11 Sep 2023")

    run_tests.ensure_openssl()

    assert "apt-get install openssl" in capsys.readouterr().err


def test_root_on_debian_gets_the_openssl_that_is_missing(machine, monkeypatch, tmp_path):
    machine(OPENSSL, "OpenSSL 1.1.1w  11 Sep 2023")
    apt = machine(NGINX, "", name="apt-get")
    apt.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    monkeypatch.setattr(demo.os, "geteuid", lambda: 0)

    with pytest.raises(NoProgram):
        demo.bring_openssl()

    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line.split()[0] for line in asked] == ["update", "install"]
    machine(OPENSSL, "OpenSSL 3.0.19 27 Jan 2026")
    demo.bring_openssl()
    assert (tmp_path / "asked").read_text().splitlines() == asked
