"""When the test or the reload fails, or the worker dies, the old files are served."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from deployments.connectors.on_disk import commands, paths, spot, swap
from foundation.errors import ConnectorError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def old(site, certify, deploy_files):
    """A certificate that is in place."""
    made = certify()
    deploy_files(made.material(with_key=True), key_path=str(site / "key.pem"))
    return made


@pytest.fixture
def is_old(site, old, left_over):
    def look():
        assert (site / "cert.pem").read_text() == old.served_pem
        assert (site / "key.pem").read_bytes() == old.key_pem
        assert left_over() == []
        return True

    return look


@pytest.fixture
def deploy_nginx(site, deploy_files):
    def deploy(material, **config):
        return deploy_files(material, kind="nginx", key_path=str(site / "key.pem"), **config)

    return deploy


def failure(call, *args, **kwargs):
    with pytest.raises(ConnectorError) as caught:
        call(*args, **kwargs)
    return caught.value


def test_a_failed_test_brings_the_old_files_back(site, certify, deploy_nginx, program, is_old):
    test = program("test", "echo the new file is bad; exit 1")
    reload = program("reload", f"touch {site}/reloaded-by-mistake")

    error = failure(
        deploy_nginx, certify().material(with_key=True), test=[test], reload=[reload, "x"]
    )

    assert error.permanent
    assert "the new file is bad" in error.detail
    assert is_old()


def test_the_test_sees_the_new_files_at_their_real_paths(site, certify, deploy_nginx, program, old):
    made = certify()
    test = program("test", f"cp {site}/cert.pem {site}/seen.pem")

    deploy_nginx(made.material(with_key=True), test=[test], reload=[test])

    assert (site / "seen.pem").read_text() == made.served_pem


def test_a_failed_reload_brings_the_old_files_back_and_loads_them(
    site, certify, deploy_nginx, program, is_old, old
):
    # Loads what it finds, and fails unless that is the old one.
    reload = program(
        "reload", f"cp {site}/cert.pem {site}/loaded.pem", f"cmp -s {site}/cert.pem $1"
    )
    (site / "expected.pem").write_text(old.served_pem)
    test = program("test", "exit 0")

    error = failure(
        deploy_nginx,
        certify().material(with_key=True),
        test=[test],
        reload=[reload, str(site / "expected.pem")],
    )

    assert not error.permanent
    assert (site / "loaded.pem").read_text() == old.served_pem
    assert is_old()


def test_a_reload_that_hangs_is_tried_again_later(
    certify, deploy_nginx, program, is_old, monkeypatch
):
    monkeypatch.setattr(commands, "TIMEOUT", 0.3)
    program("nginx", 'case "$*" in *reload*) sleep 30;; esac')

    error = failure(deploy_nginx, certify().material(with_key=True))

    assert not error.permanent
    assert is_old()


def test_even_when_the_old_files_cannot_be_loaded_they_are_back(
    certify, deploy_nginx, program, is_old
):
    program("nginx", 'case "$*" in *reload*) echo not running; exit 1;; esac')

    error = failure(deploy_nginx, certify().material(with_key=True))

    assert "not running" in error.detail
    assert is_old()


@pytest.mark.parametrize("fails", ["-t", "reload"])
def test_a_first_deployment_that_fails_leaves_what_the_server_needs_to_start(
    site, certify, deploy_nginx, program, left_over, fails
):
    made = certify()
    program("nginx", f'case "$*" in *{fails}*) exit 1;; esac')

    failure(deploy_nginx, made.material(with_key=True))

    assert (site / "cert.pem").read_text() == made.served_pem
    assert (site / "key.pem").read_bytes() == made.key_pem
    assert left_over() == [".cert.pem.certctl-unloaded"]


def test_what_no_server_loaded_yet_is_loaded_by_the_next_try(
    site, certify, deploy_files, program, left_over
):
    made, log = certify(), site.parent / "log"
    failure(deploy_files, made.material(), reload=[program("fails", "exit 1")])
    reload = [program("reload", f"echo x >> {log}")]

    outcome = deploy_files(made.material(), reload=reload)
    again = deploy_files(made.material(), reload=reload)

    assert (outcome.changed, again.changed) == (True, False)
    assert log.read_text() == "x\n"
    assert left_over() == []


def test_while_no_server_loaded_any_the_newest_stays(
    site, certify, deploy_files, program, left_over
):
    fails = [program("fails", "exit 1")]
    failure(deploy_files, certify().material(), reload=fails)
    newer = certify()

    failure(deploy_files, newer.material(), reload=fails)

    assert (site / "cert.pem").read_text() == newer.served_pem
    assert left_over() == [".cert.pem.certctl-unloaded"]


def test_a_first_deployment_that_cannot_be_written_whole_leaves_nothing(
    site, certify, deploy_nginx, program, monkeypatch
):
    program("nginx", "exit 0")
    rename = os.rename

    def second_fails(old, new, **kwargs):
        if new == "key.pem":
            raise OSError(28, os.strerror(28))
        rename(old, new, **kwargs)

    monkeypatch.setattr(spot.os, "rename", second_fails)

    failure(deploy_nginx, certify().material(with_key=True))

    assert [path.name for path in site.iterdir() if not path.name.endswith("-lock")] == []


def test_a_first_deployment_that_a_worker_left_is_loaded_even_after_a_refusal(
    site, certify, deploy_files, program
):
    # Killed between the swap and the reload; then the key that the next one finds does not fit.
    made = certify()
    (site / "cert.pem").write_text(made.served_pem)
    (site / ".cert.pem.certctl-journal").write_text("[]")
    log, key = site.parent / "log", str(site / "key.pem")
    reload = [program("reload", f"echo x >> {log}")]
    failure(deploy_files, made.material(), key_path=key, reload=[program("fails", "exit 1")])
    (site / "key.pem").write_bytes(made.key_pem)

    outcome = deploy_files(made.material(), key_path=key, reload=reload)

    assert outcome.changed
    assert log.read_text() == "x\n"


def test_the_journal_is_durable_before_the_first_file_takes_its_name(
    site, certify, deploy_nginx, program, old, monkeypatch
):
    program("nginx", "exit 0")
    done = []
    rename, fsync = os.rename, os.fsync

    def renaming(source, name, **kwargs):
        done.append(name)
        rename(source, name, **kwargs)

    def syncing(descriptor):
        done.append("sync")
        fsync(descriptor)

    monkeypatch.setattr(spot.os, "rename", renaming)
    monkeypatch.setattr(spot.os, "fsync", syncing)

    deploy_nginx(certify().material(with_key=True))

    journal = done.index(".cert.pem.certctl-journal")
    first = min(done.index("cert.pem"), done.index("key.pem"))
    assert journal < first
    assert "sync" in done[journal:first]


def test_a_disk_that_fills_up_half_way_changes_nothing(
    site, certify, deploy_nginx, program, is_old, monkeypatch
):
    program("nginx", "exit 0")
    rename = os.rename

    def second_fails(old, new, **kwargs):
        if new == "key.pem" and old.endswith("-new"):
            raise OSError(28, os.strerror(28))
        rename(old, new, **kwargs)

    monkeypatch.setattr(spot.os, "rename", second_fails)

    error = failure(deploy_nginx, certify().material(with_key=True))

    assert not error.permanent
    assert is_old()


def test_ownership_and_mode_come_back_too(site, certify, deploy_files, program):
    (site / "cert.pem").write_text(certify().served_pem)
    (site / "cert.pem").chmod(0o440)
    before = (site / "cert.pem").stat()

    failure(deploy_files, certify().material(), reload=[program("reload", "exit 1")], mode="0600")

    assert (site / "cert.pem").stat().st_ino == before.st_ino
    assert (site / "cert.pem").stat().st_mode == before.st_mode


def test_without_hard_links_the_old_file_is_copied(
    site, certify, deploy_nginx, program, is_old, monkeypatch
):
    def refuse(*args, **kwargs):
        raise PermissionError(1, "no")

    monkeypatch.setattr(spot.os, "link", refuse)
    program("nginx", "exit 1")

    failure(deploy_nginx, certify().material(with_key=True))

    assert is_old()


def test_a_worker_that_is_told_to_stop_rolls_back(certify, deploy_nginx, program, is_old):
    program("nginx", "exit 0")

    def stopped(*args, **kwargs):
        raise SystemExit(1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "_run", stopped)
        patch.setattr("deployments.connectors.on_disk.files._Activation.undo", lambda self: None)
        with pytest.raises(SystemExit):
            deploy_nginx(certify().material(with_key=True))

    assert is_old()


def test_old_files_that_do_not_come_back_are_brought_back_later(
    certify, deploy_nginx, program, is_old, old
):
    program("nginx", "exit 1")

    def broken(self):
        raise OSError(5, "Input/output error")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spot.Spot, "bring_back", broken)
        error = failure(deploy_nginx, certify().material(with_key=True))
    assert not error.permanent
    assert "could not be brought back" in error.detail

    failure(deploy_nginx, certify().material(with_key=True))

    assert is_old()


# --- A worker that dies ---------------------------------------------------------------------

WORKER = """
import json
import sys
sys.modules["django"] = None  # whoever asks for it gets an ImportError
from deployments.connectors import connector_for
from deployments.connectors.base import Allowed, Material
site, program = sys.argv[1:3]
config = {"certificate_path": site + "/cert.pem", "key_path": site + "/key.pem",
          "reload": [program, "a"], "test": [program, "test"]}
given = json.load(sys.stdin)
material = Material(**{**given, "key_pem": given["key_pem"].encode()})
allowed = Allowed([site], [program])
connector_for("nginx", config, allowed=allowed).deploy(material, before_swap=lambda: None)
"""


def run_worker(site, program, material):
    given = {field: getattr(material, field) for field in material.__slots__}
    given["key_pem"] = given["key_pem"].decode()
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(site), program], stdin=subprocess.PIPE, cwd=ROOT
    )
    worker.stdin.write(json.dumps(given).encode())
    worker.stdin.close()
    return worker


def wait_for(path):
    for _ in range(400):
        if path.exists():
            return
        time.sleep(0.05)
    raise AssertionError(path)


def test_a_worker_killed_before_the_reload_is_rolled_back_and_done_again(
    site, certify, deploy_nginx, program, old, left_over
):
    new = certify()
    log = site.parent / "log"
    hangs = program("hangs", f"touch {site.parent}/here; exec sleep 60")
    worker = run_worker(site, hangs, new.material(with_key=True))
    wait_for(site.parent / "here")
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert (site / "cert.pem").read_text() == new.served_pem
    assert left_over() != []
    reload = program("reload", f"cat {site}/cert.pem > {log}.$(ls {site.parent} | grep -c log)")

    outcome = deploy_nginx(new.material(with_key=True), test=[reload, "t"], reload=[reload])

    # The old one was loaded first, so that files and server agree; then the new one.
    assert outcome.changed
    assert Path(f"{log}.0").read_text() == old.served_pem
    assert Path(f"{log}.2").read_text() == new.served_pem
    assert (site / "cert.pem").read_text() == new.served_pem
    assert left_over() == []


def test_after_a_crash_a_refused_deployment_leaves_the_old_files(
    site, certify, deploy_nginx, program, is_old, old
):
    hangs = program("hangs", f"touch {site.parent}/here; exec sleep 60")
    worker = run_worker(site, hangs, certify().material(with_key=True))
    wait_for(site.parent / "here")
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    quick = program("quick", "exit 0")

    failure(deploy_nginx, certify().material(), test=[quick], reload=[quick])

    assert is_old()


def test_a_first_deployment_that_was_never_loaded_is_loaded_by_the_next_worker(
    site, certify, deploy_files, program
):
    # Killed between the swap and the reload: nothing was there before, so nothing comes back.
    made = certify()
    (site / "cert.pem").write_text(made.served_pem)
    (site / ".cert.pem.certctl-journal").write_text("[]")
    reload = program("reload", f"touch {site}/loaded")

    outcome = deploy_files(made.material(), reload=[reload])

    assert outcome.changed
    assert (site / "loaded").exists()


@pytest.mark.parametrize("step", range(14))
def test_a_crash_at_any_step_leaves_whole_files_that_the_next_worker_settles(
    site, certify, deploy_nginx, program, old, left_over, step
):
    new = certify()
    program("nginx", "exit 0")
    count = iter(range(100))

    class Died(BaseException):
        pass

    def dying(call):
        def wrapped(*args, **kwargs):
            if dead or next(count) == step:
                dead.append(1)
                raise Died
            return call(*args, **kwargs)

        return wrapped

    dead = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("link", "rename", "unlink", "fsync"):
            patch.setattr(spot.os, name, dying(getattr(os, name)))
        with suppress(Died):
            deploy_nginx(new.material(with_key=True))
    assert dead
    assert (site / "cert.pem").read_text() in {old.served_pem, new.served_pem}
    assert (site / "key.pem").read_bytes() in {old.key_pem, new.key_pem}

    outcome = deploy_nginx(new.material(with_key=True))

    assert outcome.fingerprint == new.fingerprint
    assert (site / "cert.pem").read_text() == new.served_pem
    assert (site / "key.pem").read_bytes() == new.key_pem
    assert left_over() == []


def test_a_journal_names_no_file_but_the_targets_own(site, certify, deploy_files, tmp_path):
    (site / "other.pem").write_text("now")
    (site / ".other.pem.certctl-old").write_text("before")
    (site / ".cert.pem.certctl-journal").write_text(json.dumps([str(site / "other.pem"), 5]))

    deploy_files(certify().material())

    assert (site / "other.pem").read_text() == "now"


@pytest.mark.parametrize("content", ["", "{", "5", "null", '"x"'])
def test_a_journal_that_is_none_is_removed(site, certify, deploy_files, left_over, content):
    (site / ".cert.pem.certctl-journal").write_text(content)

    assert deploy_files(certify().material()).changed
    assert left_over() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_journal_of_somebody_else_is_not_believed(site, certify, deploy_files):
    journal = site / ".cert.pem.certctl-journal"
    journal.write_text("[]")
    os.chown(journal, 1234, 1234)

    error = failure(deploy_files, certify().material())

    assert error.permanent
    assert "not ours" in error.detail


def test_a_lock_is_not_removed_when_it_is_let_go(site):
    place = paths.Place(site, "cert.pem")

    with swap.locked([place], place):
        pass

    assert (site / ".cert.pem.certctl-lock").exists()


def test_a_journal_has_64_kib_at_most(site, certify, deploy_files):
    journal = site / ".cert.pem.certctl-journal"

    journal.write_text("[]" + " " * (64 * 1024 - 2))
    assert deploy_files(certify().material()).changed
    journal.write_text("[]" + " " * (64 * 1024 - 1))
    assert failure(deploy_files, certify().material()).permanent
