"""create_ca and rotate_keys, as an administrator calls them."""

import base64
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from audit.models import Event
from certificates.models import CRL, Certificate, Version
from deployments.models import TARGET_SECRETS, Target
from foundation import crypto
from foundation.sealed import Sealed
from issuers.ca_keys import CA_KEY
from issuers.models import Issuer
from jobs.models import Job
from owners.models import Owner
from tests.ca import make_ca, pem_of, pem_of_key, write
from tests.certificates.test_making_cas import old_crl
from tests.factories import CertificateFactory, JobFactory, VersionFactory
from tests.issuers.test_authorities import key_pem, pem
from tests.races import beside, until_blocked

KEYS = [base64.b64encode(bytes([n]) * 32).decode() for n in range(3)]


def create(*args, **options):
    out = StringIO()
    call_command("create_ca", *args, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def demo(db):
    create("demo-root", name="Demo", common_name="Demo Root", lifetime_days=3650)
    create(
        "demo-issuing", name="Demo", common_name="Demo Issuing", organization="demo",
        lifetime_days=1825, parent="demo-root", verbosity=0,
    )  # fmt: skip


def test_a_root_and_what_stands_below_it_are_made_with_their_first_crls(demo):
    root, issuing = Issuer.objects.get(slug="demo-root"), Issuer.objects.get(slug="demo-issuing")

    assert issuing.parent == root
    assert {(crl.issuer.slug, crl.number) for crl in CRL.objects.all()} == {
        ("demo-root", 1),
        ("demo-issuing", 1),
    }
    assert Event.objects.get(action="issuer.create", subject_id=str(root.pk)).door == "cli"


def test_a_root_needs_nobody_who_answers_for_it(db):
    create("demo-root", name="Demo", common_name="Demo Root", lifetime_days=3650)

    assert not Owner.objects.exists()


def test_a_subordinate_is_a_version_of_its_parent(demo):
    version = Version.objects.get()

    issuing = Issuer.objects.get(slug="demo-issuing")
    assert version.issuer.slug == "demo-root"
    assert version.pem == issuing.certificate_pem
    profile = version.certificate.profile
    assert (profile.is_ca, profile.enabled) == (True, False)
    assert version.certificate.owner.name == "PKI operations"


def test_who_answers_for_a_subordinate_is_made_by_whoever_is_at_the_console(db, system):
    create("root", common_name="Root", lifetime_days=3650)
    for slug in ("one", "two"):
        create(slug, common_name=slug, lifetime_days=365, parent="root", owner="Key ceremonies")

    owner = Owner.objects.get()
    assert owner.name == "Key ceremonies"
    assert {version.certificate.owner for version in Version.objects.all()} == {owner}
    event = Event.objects.get(action="owner.create")
    assert (event.actor, event.door) == (system, "cli")


def test_no_key_is_printed(db):
    said = create("demo-root", common_name="Demo Root")

    assert "demo-root: CN=Demo Root" in said
    assert "PRIVATE" not in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "--common-name is needed"),
        ({"common_name": "x", "parent": "nobody"}, "no issuer 'nobody'"),
        ({"common_name": "x" * 65}, "common_name: Use up to 64"),
        ({"common_name": "x", "lifetime_days": 10**10}, "out of bounds"),
        ({"common_name": "x", "lifetime_days": 10**6}, "lifetime_days"),
        ({"common_name": "x", "name_constraint": ["x"]}, "name_constraints"),
        ({"common_name": "x", "path_length": -1}, "path_length"),
        ({"import_certificate": "/nowhere"}, "both"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(db, options, words):
    with pytest.raises(CommandError, match=words):
        create("made", **options)

    assert not Issuer.objects.exists()
    assert not Certificate.objects.exists()


def test_a_slug_is_taken_once(demo):
    with pytest.raises(CommandError, match="already"):
        create("demo-root", common_name="x")


@pytest.fixture
def ca():
    return make_ca(begins=timezone.now().replace(microsecond=0), days=400)


@pytest.fixture
def files(tmp_path, ca):
    return {
        "import_certificate": write(tmp_path / "ca.pem", pem(ca.certificate).encode()),
        "import_key": write(tmp_path / "ca.key", key_pem(ca.key, b"correct horse")),
    }


def test_a_ca_is_imported_and_its_crls_go_on(db, ca, files, tmp_path, monkeypatch):
    monkeypatch.setenv("CA_PASSWORD", "correct horse")

    last = write(tmp_path / "last.crl", old_crl(ca, number=41))

    said = create("taken", key_password_env="CA_PASSWORD", crl=[last], **files)

    assert "correct horse" not in said
    assert CRL.objects.get().number == 42


def test_an_import_that_cannot_be_is_said_without_the_secret(db, files, monkeypatch, tmp_path):
    monkeypatch.setenv("CA_PASSWORD", "hunter2")
    for options, words in [
        ({"key_password_env": "CA_PASSWORD"}, "wrong password"),
        ({"key_password_env": "CA_NOTHING"}, "CA_NOTHING is not set"),
        ({"import_key": tmp_path / "missing"}, "No such file"),
    ]:
        with pytest.raises(CommandError, match=words) as caught:
            create("taken", **{**files, **options})
        assert "hunter2" not in str(caught.value)
    assert not Issuer.objects.exists()


# --- rotate_keys ----------------------------------------------------------------------------


@pytest.fixture
def secrets(settings, local_ca):
    """A secret in every column that has some, all under the first key."""
    settings.KEY_ENCRYPTION_KEYS = KEYS[:1]
    certificate = CertificateFactory()
    rows = [
        (Issuer, Issuer.objects.get(slug="keyless"), "secrets", "issuer:{}"),
        (Target, Target.objects.create(name="t", kind="file"), "secrets", "target:{}"),
        (Version, VersionFactory(certificate=certificate), "encrypted_key", "serverkey"),
        (Job, JobFactory(certificate=certificate), "encrypted_key", "serverkey"),
    ]
    Issuer.objects.exclude(slug="keyless").update(secrets=None)
    for model, row, field, context in rows:
        token = crypto.encrypt(b"secret", context=context.format(row.pk))
        model.objects.filter(pk=row.pk).update(**{field: Sealed(token)})
    return rows


def tokens(rows):
    return [
        model.objects.values_list(field, flat=True).get(pk=row.pk)._token
        for model, row, field, _ in rows
    ]


def rotate():
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    return out.getvalue()


def test_every_secret_comes_under_the_first_key(secrets, settings):
    settings.KEY_ENCRYPTION_KEYS = [KEYS[1], KEYS[0]]

    said = rotate()

    settings.KEY_ENCRYPTION_KEYS = [KEYS[1]]
    for token, (_, row, _, context) in zip(tokens(secrets), secrets, strict=True):
        assert crypto.decrypt(token, context=context.format(row.pk)) == b"secret"
    assert said.count(": 1 re-encrypted") == 4
    event = Event.objects.get(action="keys.rotate")
    assert event.data["unreadable"] == []
    assert sum(event.data["rotated"].values()) == 4


def test_a_second_time_changes_nothing(secrets, settings):
    settings.KEY_ENCRYPTION_KEYS = [KEYS[1], KEYS[0]]
    rotate()
    before = tokens(secrets)

    said = rotate()

    assert tokens(secrets) == before
    assert said.count(": 0 re-encrypted") == 6
    assert Event.objects.filter(action="keys.rotate").count() == 1


def test_what_no_key_opens_is_named_and_left_as_it_is(secrets, settings):
    lost = secrets[0][1]
    token = crypto.encrypt(b"secret", context="issuer:another")
    Issuer.objects.filter(pk=lost.pk).update(secrets=Sealed(token))
    settings.KEY_ENCRYPTION_KEYS = [KEYS[1], KEYS[0]]

    with pytest.raises(CommandError) as caught:
        rotate()

    assert f"issuer.secrets {lost.pk}" in str(caught.value)
    assert caught.value.returncode == 1
    found = tokens(secrets)
    assert found[0] == token
    assert all(crypto.is_current(one) for one in found[1:])
    assert Event.objects.get(action="keys.rotate").data["unreadable"] == [
        f"issuer.secrets {lost.pk}"
    ]


def test_a_rotated_ca_still_signs(demo, settings):
    settings.KEY_ENCRYPTION_KEYS = [KEYS[1], *settings.KEY_ENCRYPTION_KEYS]

    rotate()

    settings.KEY_ENCRYPTION_KEYS = [KEYS[1]]
    for issuer in Issuer.objects.all():
        der = issuer.secrets.open(CA_KEY.of(issuer))
        key = serialization.load_der_private_key(der, None)
        certificate = x509.load_pem_x509_certificate(issuer.certificate_pem.encode())
        assert key.public_key() == certificate.public_key()


@pytest.mark.django_db(transaction=True)
def test_rotating_waits_for_whoever_is_writing_a_secret(settings, system):
    target = Target.objects.create(name="t", kind="file")
    settings.KEY_ENCRYPTION_KEYS = KEYS[:1]
    older, newer = (TARGET_SECRETS.of(target).seal(text) for text in (b"older", b"newer"))
    Target.objects.update(secrets=older)
    settings.KEY_ENCRYPTION_KEYS = [KEYS[1], KEYS[0]]

    with ThreadPoolExecutor(1) as worker:
        with transaction.atomic():
            Target.objects.select_for_update(no_key=True).get(pk=target.pk)
            Target.objects.update(secrets=newer)
            rotation = beside(worker, rotate)
            until_blocked(rotation)
        rotation.result(timeout=20)

    target.refresh_from_db()
    assert crypto.is_current(target.secrets._token)
    assert target.secrets.open(TARGET_SECRETS.of(target)) == b"newer"


def test_what_a_chain_lacks_is_said(db, tmp_path, capsys):
    begins = timezone.now().replace(microsecond=0)
    root = make_ca(begins=begins)
    below = make_ca("ecdsa-p384", begins=begins, parent=root)
    files = {
        "import_certificate": write(tmp_path / "ca.pem", pem_of(below.certificate).encode()),
        "import_key": write(tmp_path / "ca.key", pem_of_key(below.key)),
    }

    create("taken", **files)

    assert "The chain lacks CN=CA ecdsa-p256,O=Test" in capsys.readouterr().err
