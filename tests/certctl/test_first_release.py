"""A database of the first release, brought to the code of today: what it proved still holds.

tests/vectors/first_release/README.md says how the databases were made.
"""

import base64
import json
import lzma
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import environ
import psycopg
import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connections
from django.test import Client

from audit.models import Event
from audit.services import verify
from certificates import crl, services
from certificates.models import Adoption, Certificate, OCSPResponse, Revocation, Version
from issuers.models import Issuer
from jobs.kinds import kind_of
from jobs.models import Job
from owners.models import Principal

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "vectors" / "first_release"
POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)
ABOUT = json.loads((FOLDER / "about.json").read_text())
PKI = "/.well-known/pki"
SHA1 = hashes.SHA1()  # noqa: S303 - what many clients still name certificates by


def unpacked(name):
    return lzma.decompress((FOLDER / name).read_bytes())


@pytest.fixture
def sqlite(tmp_path):
    """The URL of a scratch SQLite database with what the first release left."""
    file = tmp_path / "first.sqlite3"
    file.write_bytes(unpacked("sqlite.db.xz"))
    return f"sqlite:///{file}"


@pytest.fixture
def postgres(postgres_url):
    """The same on PostgreSQL; a database of our own in the run's server, gone afterwards."""
    name = f"first_release_{os.getpid()}"
    url = f"{postgres_url.rpartition('/')[0]}/{name}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            with psycopg.connect(url) as connection:
                connection.execute(unpacked("postgres.sql.xz"))
            yield url
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def served_from(url):
    """Have this thread's Django work on the database of `url` until the block ends."""
    usual, known = connections["default"], connections.settings["default"]
    given = connections.configure_settings({"default": environ.Env.db_url_config(url)})
    connections.settings["default"] = given["default"]
    connections["default"] = connections.create_connection("default")
    ContentType.objects.clear_cache()
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"], connections.settings["default"] = usual, known
        ContentType.objects.clear_cache()


@pytest.fixture(params=["sqlite", POSTGRES])
def first(request, settings, django_db_blocker):
    """What is known of the database, an hour after it was left, and migrated to today's code."""
    about = ABOUT[request.param]
    settings.KEY_ENCRYPTION_KEYS = [ABOUT["key_encryption_key"]]
    left = datetime.fromisoformat(about["made_at"])
    url = request.getfixturevalue(request.param)
    with (
        time_machine.travel(left + timedelta(hours=1), tick=True) as clock,
        django_db_blocker.unblock(),
        served_from(url),
    ):
        call_command("migrate", verbosity=0)
        yield {**about, "clock": clock, "left": left}


def ask(about, which):
    """Ask over HTTP whether the certificate is good, as a relying party does; give the answer."""
    version = Version.objects.get(serial=about[which])
    question = (
        ocsp.OCSPRequestBuilder()
        .add_certificate(x509.load_pem_x509_certificate(version.pem.encode()), issuing(about), SHA1)
        .build()
        .public_bytes(serialization.Encoding.DER)
    )
    path = base64.b64encode(question).decode().replace("/", "%2F")
    answer = ocsp.load_der_ocsp_response(
        Client().get(f"{PKI}/ocsp/{about['issuer']}/{path}").content
    )
    issuing(about).public_key().verify(
        answer.signature, answer.tbs_response_bytes, ec.ECDSA(answer.signature_hash_algorithm)
    )
    return answer


def issuing(about):
    return x509.load_der_x509_certificate(Client().get(f"{PKI}/ca/{about['issuer']}").content)


def listed(about):
    """Return the serials on the CRL, as a relying party finds them, and its number."""
    signed = x509.load_der_x509_crl(Client().get(f"{PKI}/crl/{about['issuer']}").content)
    assert signed.is_signature_valid(issuing(about).public_key())
    number = signed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    return {f"{entry.serial_number:x}" for entry in signed}, number


def test_the_trail_of_the_first_release_holds_and_goes_on(first):
    assert verify() == (first["events"], None)
    assert first["events"] > 100
    assert Event.objects.filter(action__endswith=".refuse").count() == first["refusals"] > 10

    good = Version.objects.get(serial=first["good"])
    services.revoke(
        version_id=good.pk, actor=Principal.objects.get(username="bob"), reason="superseded"
    )

    count, broken = verify()
    assert (count > first["events"], broken) == (True, None)
    assert Event.objects.get(sequence=first["events"]).hash == first["head"]
    assert Event.objects.get(sequence=first["events"] + 1).previous_hash == first["head"]


@pytest.mark.parametrize("database", ["sqlite", POSTGRES])
def test_the_commands_migrate_and_verify_it_as_they_are_typed(request, database, tmp_path):
    url = request.getfixturevalue(database)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CERTCTL_TEST_")}
    environment |= {
        "DATABASE_URL": url,
        "CERTCTL_VAR_DIR": str(tmp_path),
        "CERTCTL_KEY_ENCRYPTION_KEYS": ABOUT["key_encryption_key"],
        "SECRET_KEY": "first-release",
        "DJANGO_SETTINGS_MODULE": "certctl.settings",
    }

    def run(*command):
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT, env=environment, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip

    run("migrate", "--no-input")

    verified = run("audit_verify")

    assert f"The audit trail holds: {ABOUT[database]['events']} event(s)" in verified


def test_what_later_releases_keep_is_filled_in(first):
    assert all(row.compared_names.exists() for row in Certificate.objects.all())
    waiting = Job.objects.open().exclude(csr_pem="")
    assert waiting
    assert all(job.key_fingerprint == kind_of(job).key(job).fingerprint for job in waiting)

    # Whether a take-over was ended half way nobody knows: each issuer is looked at, once.
    assert Adoption.objects.count() == Issuer.objects.exclude(certificate_pem="").count() > 0
    assert services.adopt_waiting(actor=Principal.objects.system()) == 0
    assert not Adoption.objects.exists()


def test_old_events_have_no_format_and_new_ones_today_s(first):
    formats = Event.objects.order_by().values_list("format", flat=True).distinct()
    assert set(formats) == {None}
    good = Version.objects.get(serial=first["good"])

    crl.publish(issuer_id=good.issuer_id, actor=Principal.objects.system())

    assert set(formats.all()) == {None, 2}
    assert verify() == (first["events"] + 1, None)


def test_an_edited_event_of_the_first_release_is_seen(first):
    with connections["default"].cursor() as cursor:
        if connections["default"].vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type='trigger'")
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {name}")
        else:
            cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
        cursor.execute("UPDATE audit_event SET actor_name = 'nobody' WHERE sequence = 50")

    assert verify()[1].sequence == 50


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET actor_name = 'nobody' WHERE sequence = 50",
        "DELETE FROM audit_event WHERE sequence = 50",
    ],
)
def test_its_events_can_still_not_be_edited(first, statement):
    with (
        pytest.raises(Exception, match="append-only"),
        connections["default"].cursor() as cursor,
    ):
        cursor.execute(statement)


def test_relying_parties_get_the_answers_that_the_first_release_signed(first):
    stored = {bytes(row.der) for row in OCSPResponse.objects.all()}

    good, revoked = ask(first, "good"), ask(first, "revoked")

    assert (good.certificate_status.name, revoked.certificate_status.name) == ("GOOD", "REVOKED")
    assert {answer.public_bytes(serialization.Encoding.DER) for answer in (good, revoked)} <= stored
    assert good.this_update_utc <= first["left"]
    serials, _ = listed(first)
    assert first["revoked"] in serials
    assert first["good"] not in serials


def test_after_a_day_they_get_answers_that_the_old_ca_signed_today(first):
    _, before = listed(first)
    first["clock"].shift(timedelta(days=2))
    now = first["left"] + timedelta(days=2)
    assert crl.refresh_due(now)

    good, revoked = ask(first, "good"), ask(first, "revoked")

    assert (good.certificate_status.name, revoked.certificate_status.name) == ("GOOD", "REVOKED")
    assert revoked.revocation_reason is x509.ReasonFlags.key_compromise
    assert min(good.this_update_utc, revoked.this_update_utc) > first["left"] + timedelta(days=1)
    serials, number = listed(first)
    assert first["revoked"] in serials
    assert number > before
    assert verify()[1] is None


def test_what_is_revoked_today_is_on_the_old_ca_s_next_crl(first):
    _, before = listed(first)
    good = Version.objects.get(serial=first["good"])
    bob = Principal.objects.get(username="bob")

    services.revoke(version_id=good.pk, actor=bob, reason="superseded")
    crl.publish(issuer_id=good.issuer_id, actor=Principal.objects.system())

    assert ask(first, "good").certificate_status.name == "REVOKED"
    serials, number = listed(first)
    assert {first["good"], first["revoked"]} <= serials
    assert number == before + 1
    assert Revocation.objects.filter(version=good).count() == 1
    assert verify()[1] is None
