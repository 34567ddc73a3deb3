"""Making, taking over, testing and switching CAs."""

import base64
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from django.utils import timezone

from audit.models import Event
from foundation.errors import ConnectorError, Invalid
from foundation.sealed import Context
from issuers import services
from issuers.ca_keys import CA_KEY
from issuers.connectors import connector_for
from issuers.models import Issuer
from issuers.x509 import certs, crl, names
from tests.ca import NOW, make_ca, openssl, write
from tests.fixtures import make_csr

YEAR = timedelta(days=365)
SWITCHED = ("issuer.update", "issuer.enable", "issuer.disable")


@pytest.fixture
def create(carol):
    def make(**changes):
        made = {"slug": "made", "name": "Made", "common_name": "Made CA", "lifetime": YEAR}
        return services.create_local_ca(actor=carol, ca=services.NewCA(**{**made, **changes}))

    return make


def certificate_of(issuer):
    return x509.load_pem_x509_certificate(issuer.certificate_pem.encode())


def fields(caught):
    return [(error["field"], error["code"]) for error in caught.value.errors]


# --- Making ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "algorithm", ["ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "ed25519"]
)
def test_a_root_of_every_kind_is_made(create, algorithm, tmp_path):
    issuer = create(key_algorithm=algorithm, organization="Example")

    file = write(tmp_path / "ca", certificate_of(issuer))
    assert openssl("verify", "-x509_strict", "-CAfile", file, file).strip().endswith("OK")
    assert certificate_of(issuer).subject.rfc4514_string() == "CN=Made CA,O=Example"
    assert services.test_connection(issuer=issuer, actor=issuer_actor(issuer))


def issuer_actor(issuer):
    return Event.objects.filter(subject_id=str(issuer.pk)).first().actor


def test_making_one_is_in_the_audit_trail_without_the_key(create, carol):
    issuer = create()

    event = Event.objects.get(action="issuer.create")
    assert (event.actor, event.subject_id) == (carol, str(issuer.pk))
    assert "secrets" not in event.data
    assert "PRIVATE" not in str(event.data)


def test_the_key_is_encrypted_for_its_row(create):
    issuer = create()

    plain = issuer.secrets.open(CA_KEY.of(issuer))
    key = serialization.load_der_private_key(plain, None)
    assert key.public_key() == certificate_of(issuer).public_key()
    assert plain not in issuer.secrets._token


def test_a_subordinate_stands_below_its_parent(create, root_ca, tmp_path):
    issuer = create(parent=root_ca, name_constraints=["dns:demo.internal"])

    said = openssl(
        "verify", "-x509_strict", "-CAfile", write(tmp_path / "root", certificate_of(root_ca)),
        write(tmp_path / "ca", certificate_of(issuer)),
    )  # fmt: skip
    assert said.strip().endswith("OK")
    assert issuer.chain_pem == root_ca.certificate_pem
    basic = certificate_of(issuer).extensions.get_extension_for_class(x509.BasicConstraints)
    assert basic.value.path_length == 0


def test_a_subordinate_does_not_outlive_its_parent(create, root_ca):
    issuer = create(parent=root_ca, lifetime=timedelta(days=9999))

    assert certificate_of(issuer).not_valid_after_utc == certificate_of(root_ca).not_valid_after_utc


def test_the_lifetime_is_exact(create):
    made = certificate_of(create(lifetime=YEAR))

    both_ends = timedelta(seconds=1)
    assert made.not_valid_after_utc - made.not_valid_before_utc + both_ends == YEAR


def test_a_path_length_limits_what_stands_below(create):
    first = create(slug="first", path_length=1)
    second = create(slug="second", parent=first)

    for parent, path_length, field in ((second, None, "parent"), (first, 1, "path_length")):
        with pytest.raises(Invalid) as caught:
            create(slug="third", parent=parent, path_length=path_length)
        assert [(e["field"], e["code"]) for e in caught.value.errors] == [(field, "no_room")]
    assert create(slug="third", parent=first, path_length=0).parent == first


def test_a_slug_is_taken_once(create):
    create()

    with pytest.raises(services.SlugTaken) as caught:
        create()

    assert fields(caught) == [("slug", "name_taken")]


def test_a_slug_that_somebody_else_took_meanwhile_is_refused(create, monkeypatch):
    create()
    monkeypatch.setattr("issuers.services.authorities.check_slug", lambda *args: None)

    with pytest.raises(services.SlugTaken):
        create()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"slug": ""}, "slug"),
        ({"slug": "Upper"}, "slug"),
        ({"slug": "a/b"}, "slug"),
        ({"slug": "x" * 65}, "slug"),
        ({"name": "x" * 151}, "name"),
        ({"key_algorithm": "rsa-1024"}, "key_algorithm"),
        ({"lifetime": timedelta(0)}, "lifetime_days"),
        ({"lifetime": timedelta(days=999_999)}, "lifetime_days"),
        ({"path_length": -1}, "path_length"),
        ({"name_constraints": ["example.com"]}, "name_constraints"),
        ({"common_name": ""}, "common_name"),
        ({"common_name": "x" * 65}, "common_name"),
        ({"common_name": "a\nb"}, "common_name"),
        ({"common_name": "\u202e"}, "common_name"),
        ({"common_name": " "}, "common_name"),
        ({"organization": "x" * 65}, "organization"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(create, change, field):
    with pytest.raises(Invalid) as caught:
        create(**change)

    assert [name for name, _ in fields(caught)] == [field]
    assert not Issuer.objects.exists()


def test_a_disabled_parent_signs_no_subordinate(create, root_ca, carol):
    parent = services.update_issuer(
        actor=carol, issuer_id=root_ca.pk, changes={"enabled": False}
    )  # fmt: skip

    with pytest.raises(Invalid) as caught:
        create(parent=parent)

    assert fields(caught) == [("parent", "issuer_disabled")]


# --- Taking over ----------------------------------------------------------------------------


def key_pem(key, password=None):
    how = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how
    )  # fmt: skip


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def foreign():
    """A sub-CA under an enterprise's root."""
    begins = timezone.now().replace(microsecond=0) - timedelta(days=10)
    root = make_ca(begins=begins, subject=names.subject_of([("CN", "Enterprise Root")]))
    return root, make_ca("ecdsa-p384", begins=begins, parent=root, days=400)


@pytest.fixture
def take(carol, foreign):
    root, below = foreign

    def make(**changes):
        taken = {
            "slug": "taken",
            "name": "Taken",
            "certificate_pem": pem(below.certificate),
            "key_pem": key_pem(below.key),
            "chain_pem": pem(root.certificate),
        }
        return services.import_local_ca(actor=carol, ca=services.ExistingCA(**{**taken, **changes}))

    return make


def test_a_ca_is_taken_over_with_its_chain(take, foreign, free_profile, tmp_path):
    root, _ = foreign

    issuer = take(crl_number=500, crls=["read by certificates.services"])

    signed = services.sign(
        issuer=issuer, profile=free_profile, csr_pem=make_csr("a.demo.internal")
    )  # fmt: skip
    said = openssl(
        "verify", "-x509_strict", "-CAfile", write(tmp_path / "root", root.certificate),
        "-untrusted", write(tmp_path / "chain", signed.chain_pem.encode()),
        write(tmp_path / "leaf", signed.certificate_pem.encode()),
    )  # fmt: skip
    assert said.strip().endswith("OK")
    assert issuer.crl_number == 500
    assert Event.objects.filter(action="issuer.import").count() == 1


def test_an_encrypted_key_needs_its_password(take, foreign):
    _, below = foreign
    secret = b"correct horse"
    encrypted = key_pem(below.key, secret)

    for wrong in (None, b"hunter2"):
        with pytest.raises(services.CannotImport) as caught:
            take(key_pem=encrypted, key_password=wrong)
        assert "hunter2" not in str(caught.value)

    assert take(key_pem=encrypted, key_password=secret).slug == "taken"


def test_what_is_no_ca_with_its_key_is_refused(take, foreign):
    root, _ = foreign
    now = timezone.now().replace(microsecond=0)
    over = make_ca(begins=now - timedelta(days=20), days=10)
    weak = make_ca()
    cases = [
        ({"key_pem": key_pem(root.key)}, "not that of the certificate"),
        ({"key_pem": b"garbage"}, "cannot be read"),
        ({"certificate_pem": "garbage", "chain_pem": ""}, "no readable"),
        ({"chain_pem": pem(weak.certificate)}, "signed none of the others: CN=CA ecdsa-p256"),
        (
            {
                "certificate_pem": pem(over.certificate),
                "key_pem": key_pem(over.key),
                "chain_pem": "",
            },
            "not valid now",
        ),
    ]

    for change, words in cases:
        with pytest.raises(services.CannotImport, match=words) as caught:
            take(**change)
        assert "PRIVATE" not in str(caught.value)
    assert not Issuer.objects.exists()


def test_a_subscribers_certificate_is_no_ca(take, foreign):
    from tests.issuers.test_certs import contents  # noqa: PLC0415

    root, below = foreign
    now = timezone.now().replace(microsecond=0)
    leaf = contents(
        public_key=below.key.public_key(), not_before=now, not_after=now + timedelta(days=9)
    )
    from issuers.x509 import certs  # noqa: PLC0415

    with pytest.raises(services.CannotImport, match="not that of a CA"):
        take(certificate_pem=pem(certs.build_leaf(leaf, **root.signer)))


@pytest.mark.parametrize(
    ("usages", "words"),
    [
        ("keyCertSign", "may not sign CRLs"),
        ("cRLSign", "not that of a CA"),
        ("", "lacks basicConstraints or keyUsage"),
    ],
)
def test_a_ca_must_be_allowed_to_sign_what_we_sign(take, tmp_path, usages, words):
    made = ["-addext", f"keyUsage=critical,{usages}"] if usages else []
    openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-subj", "/CN=Foreign", "-keyout", tmp_path / "key", "-out", tmp_path / "ca", *made,
    )  # fmt: skip

    with pytest.raises(services.CannotImport, match=words):
        take(
            certificate_pem=(tmp_path / "ca").read_text(),
            key_pem=(tmp_path / "key").read_bytes(),
            chain_pem="",
        )


def test_one_key_is_one_issuer(take):
    take()

    with pytest.raises(services.CannotImport, match="Another issuer"):
        take(slug="again")


@pytest.mark.parametrize("number", [-1, 1 << 159, (1 << 159) - 1, (1 << 159) - (1 << 32)])
def test_a_crl_number_out_of_bounds_is_refused(take, number):
    with pytest.raises(Invalid) as caught:
        take(crl_number=number)

    assert fields(caught) == [("crl_number", "invalid")]
    assert "2^159" in caught.value.errors[0]["detail"]


# --- Testing and switching ------------------------------------------------------------------


def test_a_test_is_in_the_audit_trail_however_it_goes(local_ca, carol):
    assert "signs" in services.test_connection(issuer=local_ca, actor=carol)

    local_ca.secrets = Context("issuer:another").seal(b"x")
    with pytest.raises(ConnectorError):
        services.test_connection(issuer=local_ca, actor=carol)

    events = Event.objects.filter(action="issuer.test").order_by("sequence")
    assert [event.data["works"] for event in events] == [True, False]


def test_a_key_that_no_encryption_key_opens_fails_for_good(local_ca, settings):
    settings.KEY_ENCRYPTION_KEYS = [base64.b64encode(b"z" * 32).decode()]

    with pytest.raises(ConnectorError) as caught:
        connector_for(local_ca).check()

    assert caught.value.permanent


@pytest.mark.parametrize("missing", ["secrets", "certificate_pem"])
def test_a_ca_without_key_or_certificate_cannot_sign(local_ca, missing):
    setattr(local_ca, missing, None if missing == "secrets" else "")

    with pytest.raises(ConnectorError) as caught:
        connector_for(local_ca).check()

    assert caught.value.permanent


def test_an_expired_ca_fails_its_test(local_ca, carol):
    with (
        time_machine.travel(timezone.now() + timedelta(days=4000)),
        pytest.raises(ConnectorError, match="not valid now"),
    ):
        services.test_connection(issuer=local_ca, actor=carol)


def test_a_disabled_issuer_signs_no_certificate_but_still_crls(local_ca, carol, free_profile):
    issuer = services.update_issuer(actor=carol, issuer_id=local_ca.pk, changes={"enabled": False})

    with pytest.raises(Invalid) as caught:
        services.sign(issuer=issuer, profile=free_profile, csr_pem=make_csr("a.demo.internal"))
    now = timezone.now()
    pieces = connector_for(issuer).sign_crl(
        number=1, this_update=now, next_update=now + timedelta(days=1),
        entries=[crl.encode(crl.Entry(5, now, x509.ReasonFlags.superseded))],
    )  # fmt: skip
    der = b"".join(pieces)

    assert fields(caught) == [("issuer", "issuer_disabled")]
    assert x509.load_der_x509_crl(der).is_signature_valid(certificate_of(issuer).public_key())
    [event] = Event.objects.filter(action="issuer.disable")
    assert event.data["changes"] == {"enabled": {"before": True, "after": False}}


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({"name": "Other"}, "issuer.update"),
        ({"enabled": True}, "issuer.enable"),
        ({"enabled": True, "name": "Other"}, "issuer.enable"),
    ],
)
def test_the_audit_trail_names_the_switch(local_ca, carol, changes, action):
    Issuer.objects.filter(pk=local_ca.pk).update(enabled=False)

    services.update_issuer(actor=carol, issuer_id=local_ca.pk, changes=changes)

    [event] = Event.objects.filter(subject_id=str(local_ca.pk)).exclude(action="issuer.create")
    assert event.action == action
    assert set(event.data["changes"]) == set(changes)


def test_a_test_notices_a_signature_that_does_not_verify(local_ca, carol, monkeypatch):
    other = make_ca()
    build = crl.build
    monkeypatch.setattr(crl, "build", lambda **asked: build(**{**asked, "key": other.key}))

    with pytest.raises(ConnectorError, match="does not verify"):
        services.test_connection(issuer=local_ca, actor=carol)


def test_changing_nothing_writes_no_event(local_ca, carol):
    services.update_issuer(actor=carol, issuer_id=local_ca.pk, changes={"enabled": True})

    assert not Event.objects.filter(subject_id=str(local_ca.pk), action__in=SWITCHED).exists()


def test_nothing_but_name_and_switch_of_an_issuer_changes(local_ca, carol):
    services.update_issuer(
        actor=carol, issuer_id=local_ca.pk, changes={"name": "New", "slug": "new", "crl_number": 9}
    )

    kept = Issuer.objects.get(pk=local_ca.pk)
    assert (kept.name, kept.slug, kept.crl_number) == ("New", "issuing", 0)


@pytest.mark.parametrize("lifetime", [timedelta(hours=1), timedelta(days=10_950)])
def test_a_ca_lives_an_hour_at_least_and_thirty_years_at_most(create, lifetime):
    second = timedelta(seconds=1)
    beyond = lifetime - second if lifetime < YEAR else lifetime + second

    assert create(lifetime=lifetime).slug == "made"
    with pytest.raises(Invalid) as caught:
        create(slug="beyond", lifetime=beyond)
    assert fields(caught) == [("lifetime_days", "invalid")]


def test_a_ca_of_a_weak_rsa_key_is_not_taken_over(take, monkeypatch):
    # A bound of the rule's own: what makes a key in tests makes none of 1024 bits.
    monkeypatch.setattr("issuers.services.ca_rules.MIN_RSA_BITS", 2049)
    weak = make_ca("rsa-2048", begins=timezone.now().replace(microsecond=0) - timedelta(days=1))

    with pytest.raises(services.CannotImport, match="RSA keys under 2049 bits"):
        take(certificate_pem=pem(weak.certificate), key_pem=key_pem(weak.key), chain_pem="")


def test_a_certificate_that_may_sign_but_is_no_ca_is_refused(take, tmp_path):
    openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-subj", "/CN=Foreign", "-keyout", tmp_path / "key", "-out", tmp_path / "ca",
        "-addext", "basicConstraints=critical,CA:FALSE",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip

    with pytest.raises(services.CannotImport, match="not that of a CA"):
        take(
            certificate_pem=(tmp_path / "ca").read_text(),
            key_pem=(tmp_path / "key").read_bytes(),
            chain_pem="",
        )


def test_a_ca_whose_key_is_bound_to_pss_is_refused_in_words(take, tmp_path):
    """What we sign with RSA is PKCS #1 v1.5, which such a key may not (RFC 4055 §1.2)."""
    openssl(
        "req", "-x509", "-newkey", "rsa-pss", "-nodes", "-subj", "/CN=Foreign",
        "-keyout", tmp_path / "key", "-out", tmp_path / "ca",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip

    with pytest.raises(services.CannotImport, match="RSASSA-PSS"):
        take(
            certificate_pem=(tmp_path / "ca").read_text(),
            key_pem=(tmp_path / "key").read_bytes(),
            chain_pem="",
        )


def test_a_chain_comes_in_any_order_and_with_doubles(take, foreign):
    root, below = foreign

    issuer = take(chain_pem=pem(root.certificate) + pem(below.certificate) + pem(root.certificate))

    assert issuer.chain_pem == pem(root.certificate)


def test_both_halves_of_a_cross_signed_pair_are_kept(take, foreign):
    root, _ = foreign
    older = make_ca(begins=NOW, subject=names.subject_of([("CN", "Older Root")]))
    cross = certs.build_ca(
        public_key=root.key.public_key(), subject=root.certificate.subject,
        not_before=NOW, not_after=NOW + timedelta(days=900), **older.signer,
    )  # fmt: skip

    issuer = take(chain_pem=pem(cross) + pem(root.certificate))

    assert issuer.chain_pem == pem(root.certificate) + pem(cross)


def test_a_ca_without_those_above_it_is_told_what_is_missing(take, carol):
    issuer = take(chain_pem="")

    assert "Its chain lacks CN=Enterprise Root" in services.test_connection(
        issuer=issuer, actor=carol
    )
    assert Event.objects.get(action="issuer.import").data["chain_lacks"] == "CN=Enterprise Root"


def test_a_whole_chain_lacks_nothing(take, carol):
    issuer = take()

    assert "lacks" not in services.test_connection(issuer=issuer, actor=carol)
    assert Event.objects.get(action="issuer.import").data["chain_lacks"] is None


def test_a_name_in_an_old_type_of_string_is_refused_in_those_words(take):
    case = Path(__file__).parent.parent / "vectors" / "cases" / "ca-t61-subject.pem"

    with pytest.raises(services.CannotImport, match="T61String"):
        take(certificate_pem=case.read_text(), chain_pem="")
