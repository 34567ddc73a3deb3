"""CRLs and CA certificates as files: whole, in force, and served by nginx while we are away."""

import http.client
import os
import stat
from datetime import timedelta
from email.utils import parsedate_to_datetime
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from certctl.checks import settings_are_possible
from certificates import crl, mirror, tasks
from certificates.models import CRL, Piece
from issuers.services import update_issuer
from tests.servers import free_port
from tests.shipped_nginx import shipped_nginx


@pytest.fixture
def published(local_ca, system):
    return crl.publish(issuer_id=local_ca.pk, actor=system)


@pytest.fixture
def folder(settings, tmp_path):
    settings.PKI_EXPORT_DIR = str(tmp_path / "pki")
    return tmp_path / "pki"


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_command_writes_what_relying_parties_fetch(client, published, local_ca, tmp_path):
    out = StringIO()

    call_command("pki_export", str(tmp_path / "new" / "pki"), stdout=out)

    folder = tmp_path / "new" / "pki"
    assert names(folder) == ["ca/issuing", "ca/root", "crl/issuing"]
    for name in ("ca/issuing", "crl/issuing"):
        assert (folder / name).read_bytes() == client.get(f"/.well-known/pki/{name}").content
    assert "crl/issuing: written" in out.getvalue()


def test_another_account_may_read_them_whatever_our_umask_is(published, tmp_path):
    before = os.umask(0o077)
    try:
        mirror.export(tmp_path / "a" / "pki")
    finally:
        os.umask(before)

    for path in ("a", "a/pki", "a/pki/crl", "a/pki/ca"):
        assert stat.S_IMODE((tmp_path / path).stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "a/pki/crl/issuing").stat().st_mode) == 0o644


def test_files_are_dated_as_what_they_hold(published, tmp_path):
    mirror.export(tmp_path)

    assert (tmp_path / "crl/issuing").stat().st_mtime == published.this_update.timestamp()


def test_what_is_there_already_is_left_as_it_is(published, tmp_path):
    mirror.export(tmp_path)
    inode = (tmp_path / "crl/issuing").stat().st_ino

    again = mirror.export(tmp_path)

    assert (again.changed, again.kept) == ([], 3)
    assert (tmp_path / "crl/issuing").stat().st_ino == inode


def test_a_file_that_was_tampered_with_is_written_anew(published, tmp_path):
    mirror.export(tmp_path)
    file = tmp_path / "crl/issuing"
    dated = file.stat().st_mtime
    file.write_bytes(b"x" * len(published.der))
    os.utime(file, (dated, dated))

    assert mirror.export(tmp_path).changed == ["crl/issuing"]
    assert file.read_bytes() == bytes(published.der)


@pytest.mark.parametrize("harm", ["shortened", "lengthened", "another CRL's", "another day's"])
def test_a_file_that_is_not_what_was_published_is_written_anew(
    published, local_ca, system, tmp_path, harm
):
    newer = crl.publish(issuer_id=local_ca.pk, actor=system)
    mirror.export(tmp_path)
    file = tmp_path / "crl/issuing"
    dated, der = file.stat().st_mtime, bytes(newer.der)
    harmed = {
        "shortened": der[:-1],
        "lengthened": der + b"x",
        "another CRL's": bytes(published.der),
        "another day's": der,
    }
    file.write_bytes(harmed[harm])
    at = dated - 86400 if harm == "another day's" else dated
    os.utime(file, (at, at))

    assert mirror.export(tmp_path).changed == ["crl/issuing"]
    assert file.read_bytes() == der
    assert file.stat().st_mtime == dated


def test_what_has_not_changed_is_not_read_from_the_database(published, tmp_path):
    mirror.export(tmp_path)

    with CaptureQueriesContext(connection) as asked:
        assert mirror.export(tmp_path).changed == []

    assert not [one["sql"] for one in asked if "certificates_piece" in one["sql"]]


def test_what_is_taken_away_while_it_is_read_is_not_written(published, tmp_path):
    mirror.export(tmp_path)
    (tmp_path / "crl/issuing").write_bytes(b"old")
    Piece.objects.filter(body=published.body_id).delete()

    assert mirror.export(tmp_path).changed == []
    assert (tmp_path / "crl/issuing").read_bytes() == b"old"


def test_a_reader_meanwhile_gets_the_old_one_whole(published, local_ca, system, tmp_path):
    mirror.export(tmp_path)
    with (tmp_path / "crl/issuing").open("rb") as open_before:
        newer = crl.publish(issuer_id=local_ca.pk, actor=system)
        mirror.export(tmp_path)

        assert open_before.read() == bytes(published.der)
    assert (tmp_path / "crl/issuing").read_bytes() == bytes(newer.der)


def test_one_that_could_not_be_finished_leaves_the_old_one_and_no_litter(
    published, local_ca, system, tmp_path, monkeypatch
):
    mirror.export(tmp_path)
    crl.publish(issuer_id=local_ca.pk, actor=system)

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mirror.os, "fsync", full)
    written = mirror.export(tmp_path)

    assert written.failed == {"crl/issuing": "No space left on device"}
    assert (tmp_path / "crl/issuing").read_bytes() == bytes(published.der)
    assert names(tmp_path) == ["ca/issuing", "ca/root", "crl/issuing"]


def test_one_that_cannot_be_written_keeps_no_other_from_it(published, tmp_path):
    (tmp_path / "ca").write_text("in the way")

    written = mirror.export(tmp_path)

    assert set(written.failed) == {"ca/issuing", "ca/root"}
    assert written.changed == ["crl/issuing"]
    with pytest.raises(CommandError, match="ca/issuing"):
        call_command("pki_export", str(tmp_path), stdout=StringIO())


def test_a_crl_that_has_ended_is_taken_away_and_what_is_not_ours_stays(published, tmp_path):
    mirror.export(tmp_path)
    (tmp_path / "crl/theirs").write_bytes(b"x")
    (tmp_path / "index.html").write_text("x")

    with time_machine.travel(published.next_update + timedelta(seconds=1), tick=False):
        written = mirror.export(tmp_path)

    assert written.removed == ["crl/issuing"]
    assert names(tmp_path) == ["ca/issuing", "ca/root", "crl/theirs", "index.html"]


def test_publishing_brings_the_files_up_to_date(folder, local_ca):
    tasks.publish_crl(str(local_ca.pk))

    assert (folder / "crl/issuing").read_bytes() == bytes(CRL.objects.get(issuer=local_ca).der)


def test_the_sweep_heals_them_and_does_nothing_where_no_folder_is_set(folder, published, settings):
    assert mirror.refresh().changed == ["ca/issuing", "crl/issuing", "ca/root"]
    (folder / "crl/issuing").unlink()
    assert mirror.refresh().changed == ["crl/issuing"]

    settings.PKI_EXPORT_DIR = ""
    assert mirror.refresh() is None


def test_the_sweep_is_on_the_beat(settings):
    assert "certificates.export_pki" in {
        entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()
    }


def test_a_relative_folder_stops_the_start(settings):
    settings.PKI_EXPORT_DIR = "pki"

    assert [message.id for message in settings_are_possible()] == ["certctl.E015"]


@pytest.mark.parametrize("options", [{"crl_shards": 2}, {"crl_deltas": True}])
def test_parts_lie_beside_and_go_with_their_crl(client, local_ca, carol, system, tmp_path, options):
    update_issuer(actor=carol, issuer_id=local_ca.pk, changes=options)
    crl.publish(issuer_id=local_ca.pk, actor=system)
    newest = crl.publish(issuer_id=local_ca.pk, actor=system)
    scopes = sorted(newest.parts.values_list("scope", flat=True))

    mirror.export(tmp_path)

    assert scopes == (["delta"] if "crl_deltas" in options else ["0", "1"])
    for scope in scopes:
        file = tmp_path / f"crl-parts/issuing/{scope}"
        assert file.read_bytes() == client.get(f"/.well-known/pki/crl/issuing/{scope}").content
        assert file.stat().st_mtime == newest.this_update.timestamp()
    (tmp_path / "crl-parts/issuing/index.html").write_text("x")
    with time_machine.travel(newest.next_update + timedelta(seconds=1), tick=False):
        removed = mirror.export(tmp_path).removed
    assert removed == ["crl/issuing", *(f"crl-parts/issuing/{scope}" for scope in scopes)]
    assert names(tmp_path) == ["ca/issuing", "ca/root", "crl-parts/issuing/index.html"]


def test_a_delta_that_the_newest_crl_has_no_more_is_taken_away(local_ca, carol, system, tmp_path):
    update_issuer(actor=carol, issuer_id=local_ca.pk, changes={"crl_deltas": True})
    for _ in range(2):
        crl.publish(issuer_id=local_ca.pk, actor=system)
    mirror.export(tmp_path)
    update_issuer(actor=carol, issuer_id=local_ca.pk, changes={"crl_deltas": False})
    crl.publish(issuer_id=local_ca.pk, actor=system)

    written = mirror.export(tmp_path)

    assert (written.changed, written.removed) == (["crl/issuing"], ["crl-parts/issuing/delta"])


# --- nginx, while we are away --------------------------------------------------------------------


@pytest.fixture
def front(nginx_binary, tmp_path, published):
    """nginx in front of nobody, with the files of an export; asks it by plain http."""
    mirror.export(tmp_path / "pki")
    if os.geteuid() != 0:
        Path(tmp_path).chmod(0o755)
    with shipped_nginx(nginx_binary, tmp_path, free_port()) as (port, *_):

        def ask(path, method="GET", **headers):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            try:
                connection.request(method, path, headers=headers)
                response = connection.getresponse()
                response.body = response.read()
            finally:
                connection.close()
            return response

        yield ask


@pytest.mark.parametrize("prefix", ["/.well-known/pki", "/trust", ""])
def test_nginx_serves_the_files_while_we_are_away(front, published, local_ca, prefix):
    got_crl, got_ca = front(f"{prefix}/crl/issuing"), front(f"{prefix}/ca/issuing")

    assert (got_crl.status, got_crl.body) == (200, bytes(published.der))
    assert got_crl.headers["Content-Type"] == "application/pkix-crl"
    assert parsedate_to_datetime(got_crl.headers["Last-Modified"]) == published.this_update
    assert got_crl.headers["Cache-Control"].startswith("max-age=60, public")
    assert got_crl.headers["ETag"]
    assert x509.load_der_x509_crl(got_crl.body).issuer
    assert got_ca.body == local_ca.certificate.public_bytes(Encoding.DER)
    assert got_ca.headers["Content-Type"] == "application/pkix-cert"


def test_it_answers_conditions_ranges_and_head_of_them(front, published):
    etag = front("/crl/issuing").headers["ETag"]

    assert front("/crl/issuing", **{"If-None-Match": etag}).status == 304
    assert front("/crl/issuing", Range="bytes=0-9").body == bytes(published.der)[:10]
    head = front("/crl/issuing", method="HEAD")
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(published.der)))


@pytest.mark.parametrize("path", ["/crl/nobody", "/ca/nobody", "/.well-known/pki/crl/nobody"])
def test_what_is_no_file_is_later(front, path):
    answer = front(path)

    assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    assert answer.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize(
    "path",
    ["/crl/../../error.log", "/crl/%2e%2e%2f%2e%2e%2ferror.log", "/crl/.certctl-x", "/tls.key"],
)
def test_nothing_else_of_the_folder_is_served(front, path):
    assert front(path).status in {301, 400, 502, 503}


def test_ocsp_is_not_answered_by_files(front):
    assert front("/.well-known/pki/ocsp/issuing/MEUw").status == 502


@pytest.mark.parametrize("prefix", ["/.well-known/pki", "/trust", ""])
@pytest.mark.parametrize("scope", ["0", "delta"])
def test_nginx_finds_parts_below_the_address_of_the_crl(front, tmp_path, prefix, scope):
    file = tmp_path / "pki" / "crl-parts" / "issuing" / scope
    file.parent.mkdir(parents=True)
    file.parent.parent.chmod(0o755)
    file.parent.chmod(0o755)
    file.write_bytes(b"part")
    file.chmod(0o644)

    answer = front(f"{prefix}/crl/issuing/{scope}")

    assert (answer.status, answer.body) == (200, b"part")
    assert answer.headers["Content-Type"] == "application/pkix-crl"
    assert front(f"{prefix}/crl/issuing/9").status == 503
