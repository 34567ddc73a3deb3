"""Files are replaced whole, keep who owns them, and only by what fits."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from deployments.connectors.on_disk import paths, spot, swap
from foundation.errors import ConnectorError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def failure(call, *args, **kwargs):
    with pytest.raises(ConnectorError) as caught:
        call(*args, **kwargs)
    return caught.value


def test_the_certificate_file_holds_leaf_and_chain_without_the_root(
    site, certify, deploy_files, left_over
):
    made = certify()

    outcome = deploy_files(made.material())

    assert (site / "cert.pem").read_text() == made.served_pem
    assert outcome.changed
    assert outcome.fingerprint == made.fingerprint
    assert left_over() == []


def test_leaf_and_chain_can_lie_apart(site, certify, deploy_files):
    made = certify()

    deploy_files(made.material(), fullchain=False, chain_path=str(site / "chain.pem"))

    assert (site / "cert.pem").read_text() == made.leaf_pem
    assert (site / "chain.pem").read_text() == made.chain_pem


def test_a_new_certificate_is_readable_and_a_new_key_is_not(site, certify, deploy_files):
    made = certify()

    deploy_files(made.material(with_key=True), key_path=str(site / "key.pem"))

    assert mode(site / "cert.pem") == 0o644
    assert mode(site / "key.pem") == 0o600
    assert (site / "key.pem").read_bytes() == made.key_pem


def test_a_key_becomes_private_whatever_it_was_and_whatever_is_configured(
    site, certify, deploy_files
):
    (site / "key.pem").write_bytes(certify().key_pem)
    (site / "key.pem").chmod(0o644)

    deploy_files(certify().material(with_key=True), key_path=str(site / "key.pem"), mode="0644")

    assert mode(site / "key.pem") == 0o600


def test_a_key_is_never_readable_not_even_aside(site, certify, deploy_files):
    seen = []

    def look():
        seen.extend(mode(path) for path in site.iterdir() if "key.pem.certctl-new" in path.name)

    old = os.umask(0)
    try:
        deploy_files(
            certify().material(with_key=True), before_swap=look, key_path=str(site / "key.pem")
        )
    finally:
        os.umask(old)

    assert seen == [0o600]


def test_the_mode_of_what_is_replaced_is_kept(site, certify, deploy_files):
    (site / "cert.pem").write_text(certify().served_pem)
    (site / "cert.pem").chmod(0o440)

    deploy_files(certify().material())

    assert mode(site / "cert.pem") == 0o440


@as_root
def test_the_owner_of_what_is_replaced_is_kept(site, certify, deploy_files):
    (site / "cert.pem").write_text(certify().served_pem)
    os.chown(site / "cert.pem", 1234, 2345)

    deploy_files(certify().material())

    found = (site / "cert.pem").stat()
    assert (found.st_uid, found.st_gid) == (1234, 2345)


@as_root
def test_mode_owner_and_group_can_be_given(site, certify, deploy_files):
    made = certify()
    deploy_files(made.material())

    outcome = deploy_files(made.material(), mode="0600", owner="1234", group="2345")

    found = (site / "cert.pem").stat()
    assert outcome.changed
    assert (found.st_uid, found.st_gid, mode(site / "cert.pem")) == (1234, 2345, 0o600)


def test_a_reader_sees_the_old_or_the_new_and_never_half(site, certify, deploy_files):
    old, new = certify(), certify()
    deploy_files(old.material())
    with (site / "cert.pem").open() as reader:
        deploy_files(new.material())

        assert reader.read() == old.served_pem
    assert (site / "cert.pem").read_text() == new.served_pem


def test_nothing_happens_where_the_certificate_is_already(site, certify, deploy_files, program):
    made = certify()
    reload = program("reload", f"echo x >> {site}/reloads")
    deploy_files(made.material(), reload=[reload])
    before = (site / "cert.pem").stat()

    outcome = deploy_files(made.material(), reload=[reload])

    after = (site / "cert.pem").stat()
    assert not outcome.changed
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert (site / "reloads").read_text() == "x\n"


def test_other_text_around_the_same_certificates_is_left_alone(site, certify, deploy_files):
    made = certify()
    (site / "cert.pem").write_text(f"# made by hand\n{made.served_pem}\n")

    assert not deploy_files(made.material()).changed


def test_a_missing_chain_is_not_the_same(site, certify, deploy_files):
    made = certify()
    (site / "cert.pem").write_text(made.leaf_pem)

    assert deploy_files(made.material()).changed


def test_a_fitting_key_is_left_alone(site, certify, deploy_files):
    made = certify()
    (site / "key.pem").write_bytes(made.key_pem)

    deploy_files(made.material(), key_path=str(site / "key.pem"))

    assert (site / "key.pem").read_bytes() == made.key_pem


def encrypted(made):
    return made.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )


@pytest.mark.parametrize(
    "content", [lambda _, other: other.key_pem, lambda *_: b"no key", lambda m, _: encrypted(m)]
)
@pytest.mark.parametrize("already_there", [False, True])
def test_a_certificate_that_does_not_match_the_key_is_refused(
    site, certify, deploy_files, content, already_there
):
    made, other = certify(), certify()
    (site / "key.pem").write_bytes(content(made, other))
    before = made.served_pem if already_there else other.served_pem
    (site / "cert.pem").write_text(before)

    error = failure(deploy_files, made.material(), key_path=str(site / "key.pem"))

    assert error.permanent
    assert (site / "cert.pem").read_text() == before


def test_a_certificate_without_any_key_is_refused(site, certify, deploy_files):
    error = failure(deploy_files, certify().material(), key_path=str(site / "key.pem"))

    assert error.permanent
    assert not (site / "cert.pem").exists()


@pytest.mark.parametrize(
    "changed",
    [{"leaf_pem": "no PEM"}, {"chain_pem": "no PEM"}, {"fingerprint": "0" * 64}],
)
def test_material_that_contradicts_itself_is_refused(site, certify, deploy_files, changed):
    assert failure(deploy_files, certify().material(**changed)).permanent
    assert not (site / "cert.pem").exists()


def test_a_key_of_another_certificate_is_not_deployed(site, certify, deploy_files):
    material = certify().material(key_pem=certify().key_pem)

    assert failure(deploy_files, material, key_path=str(site / "key.pem")).permanent
    assert not (site / "key.pem").exists()


def test_a_key_shows_in_no_representation(certify):
    made = certify()

    assert "PRIVATE" not in repr(made.material(with_key=True))


def test_a_symlink_stays_and_what_it_leads_to_is_replaced(site, certify, deploy_files):
    made = certify()
    (site / "store").mkdir()
    (site / "cert.pem").symlink_to(site / "store" / "live.pem")

    deploy_files(made.material())

    assert (site / "cert.pem").is_symlink()
    assert (site / "store" / "live.pem").read_text() == made.served_pem


def test_a_symlink_that_came_after_the_check_is_not_written_through(
    site, tmp_path, certify, deploy_files, monkeypatch
):
    # Somebody swaps the file for a link between our look and our open.
    (tmp_path / "secret").write_text("old")
    place = paths.Place(site, "cert.pem")
    monkeypatch.setattr(paths, "place_of", lambda *_: place)
    (site / "cert.pem").symlink_to(tmp_path / "secret")

    error = failure(deploy_files, certify().material())

    assert "not a regular file" in error.detail
    assert (tmp_path / "secret").read_text() == "old"


@pytest.mark.parametrize("suffix", ["new", "old", "lock", "journal", "unloaded"])
def test_a_symlink_in_the_place_of_our_own_files_is_not_followed(
    site, tmp_path, certify, deploy_files, suffix
):
    (tmp_path / "victim").write_text("untouched")
    (site / "cert.pem").write_text(certify().served_pem)
    (site / f".cert.pem.certctl-{suffix}").symlink_to(tmp_path / "victim")

    try:
        deploy_files(certify().material())
    except ConnectorError as error:
        assert error.permanent  # noqa: PT017 - refusing is as good as replacing

    assert (tmp_path / "victim").read_text() == "untouched"


@pytest.mark.parametrize("make", [lambda p: p.mkdir(), os.mkfifo])
def test_only_regular_files_are_replaced(site, certify, deploy_files, make):
    make(site / "cert.pem")

    assert failure(deploy_files, certify().material()).permanent


def test_a_huge_file_is_not_read(site, certify, deploy_files, monkeypatch):
    monkeypatch.setattr(spot, "MAX_SIZE", 1000)
    (site / "cert.pem").write_text("x" * 1001)

    assert "too large" in failure(deploy_files, certify().material()).detail


def test_a_folder_that_is_not_there_is_a_permanent_error(site, certify, deploy_files):
    missing = str(site / "missing" / "cert.pem")

    assert failure(deploy_files, certify().material(), certificate_path=missing).permanent


@pytest.mark.parametrize(("number", "permanent"), [(13, True), (30, True), (28, False), (5, False)])
def test_an_error_says_whether_trying_again_may_help(
    site, certify, deploy_files, left_over, monkeypatch, number, permanent
):
    def fail(*args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(spot.os, "fsync", fail)

    assert failure(deploy_files, certify().material()).permanent is permanent
    assert not (site / "cert.pem").exists()
    assert left_over() == []


def test_files_and_folder_are_synced(site, certify, deploy_files, monkeypatch):
    synced = []
    fsync = os.fsync
    monkeypatch.setattr(
        spot.os,
        "fsync",
        lambda fd: (synced.append(str(Path(f"/proc/self/fd/{fd}").readlink())), fsync(fd)),
    )

    deploy_files(certify().material())

    assert str(site / ".cert.pem.certctl-new") in synced
    assert str(site) in synced


def test_two_paths_that_lead_to_one_file_are_refused(site, certify, deploy_files):
    (site / "other.pem").symlink_to(site / "cert.pem")

    error = failure(deploy_files, certify().material(), chain_path=str(site / "other.pem"))

    assert error.permanent
    assert "lead to one file" in error.detail


def test_a_leftover_of_a_worker_that_died_is_replaced(site, certify, deploy_files, left_over):
    (site / ".cert.pem.certctl-new").write_text("half a cer")
    (site / ".cert.pem.certctl-old").write_text("stale")

    deploy_files(certify().material())

    assert left_over() == []


def test_whoever_calls_can_stop_it_at_the_last_moment(site, certify, deploy_files, left_over):
    def stop():
        raise ConnectorError("No.", permanent=False)

    assert failure(deploy_files, certify().material(), before_swap=stop).detail == "No."
    assert not (site / "cert.pem").exists()
    assert left_over() == []


# --- Two workers ----------------------------------------------------------------------------


def test_two_workers_do_not_interleave(site, certify, deploy_files, program):
    log = site.parent / "log"
    slow = program("slow", f"echo in >> {log}; sleep 0.1; echo out >> {log}")
    materials = [certify().material(with_key=True) for _ in range(6)]

    with ThreadPoolExecutor(6) as workers:
        results = [
            workers.submit(deploy_files, material, key_path=str(site / "key.pem"), reload=[slow])
            for material in materials
        ]
        assert all(result.result(timeout=60).changed for result in results)

    assert log.read_text().split() == ["in", "out"] * 6
    cert, key = (site / "cert.pem").read_text(), (site / "key.pem").read_bytes()
    # Certificate and key of one worker, not of two.
    assert [m.key_pem for m in materials if cert.startswith(m.leaf_pem)] == [key]


def test_targets_that_share_a_file_do_not_interleave_either(site, certify, deploy_files):
    place = paths.Place(site, "shared.pem")

    with ThreadPoolExecutor(1) as worker, swap.locked([place], place):
        waiting = worker.submit(
            deploy_files, certify().material(), chain_path=str(site / "shared.pem")
        )
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.3)
        assert not (site / "cert.pem").exists()
        place.path.write_text("still ours")


def test_a_worker_does_not_wait_for_ever(site, certify, deploy_files, monkeypatch):
    monkeypatch.setattr(swap, "LOCK_WAIT", 0.1)
    place = paths.Place(site, "cert.pem")

    with swap.locked([place], place):
        error = failure(deploy_files, certify().material())

    assert not error.permanent
    assert "busy" in error.detail


def test_places_are_locked_in_one_order(site, monkeypatch):
    one, two = paths.Place(site, "a.pem"), paths.Place(site, "b.pem")
    taken = []
    lock = swap._lock
    monkeypatch.setattr(
        swap, "_lock", lambda place, *rest: taken.append(place.name) or lock(place, *rest)
    )

    for places in ((one, two), (two, one)):
        with swap.locked(places, one):
            pass

    assert taken == ["a.pem", "b.pem"] * 2


def test_a_new_file_is_its_owners_alone_from_the_first_moment(
    site, certify, deploy_files, monkeypatch
):
    made = []
    fchmod = os.fchmod

    def note(descriptor, wanted):
        made.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        fchmod(descriptor, wanted)

    monkeypatch.setattr(spot.os, "fchmod", note)
    old = os.umask(0)
    try:
        deploy_files(certify().material(with_key=True), key_path=str(site / "key.pem"))
    finally:
        os.umask(old)

    assert set(made) == {0o600}
