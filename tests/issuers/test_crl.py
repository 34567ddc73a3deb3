"""CRLs, byte by byte (RFC 5280 §5) and by openssl."""

import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import crl as asn1
from asn1crypto.x509 import Certificate
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from issuers.x509 import crl
from issuers.x509.signing import authority_key_identifier, hash_for
from tests.ca import KEYS, NOW, make_ca, openssl, write

R = x509.ReasonFlags
CA = make_ca()


def build(*entries, ca=CA, number=7, begins=NOW, days=7):
    return crl.build(
        **ca.signer,
        number=number,
        this_update=begins,
        next_update=begins + timedelta(days=days),
        entries=entries,
    )


def parsed(made):
    return asn1.CertificateList.load(
        made.public_bytes(serialization.Encoding.DER), strict=True
    )  # fmt: skip


def entry(serial=0xABCDEF, reason=R.unspecified, at=NOW - timedelta(days=1)):
    return crl.Entry(serial, at, reason)


def test_an_empty_crl_has_no_list_at_all():
    tbs = parsed(build())["tbs_cert_list"]

    assert tbs["version"].native == "v2"
    assert tbs["revoked_certificates"].native is None
    assert [one["extn_id"].native for one in tbs["crl_extensions"]] == [
        "authority_key_identifier",
        "crl_number",
    ]


def test_no_extension_of_the_list_is_critical():
    tbs = parsed(build(entry()))["tbs_cert_list"]

    assert [one["critical"].native for one in tbs["crl_extensions"]] == [False, False]
    assert tbs["crl_extensions"][1]["extn_value"].parsed.native == 7


def test_the_authority_is_named_by_its_own_identifier():
    ski = CA.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value

    authority = parsed(build())["tbs_cert_list"]["crl_extensions"][0]["extn_value"].parsed

    assert authority["key_identifier"].native == ski.digest


def test_the_reason_unspecified_is_left_out():
    made = build(entry(1, R.unspecified), entry(2, R.key_compromise), entry(3, R.superseded))

    revoked = parsed(made)["tbs_cert_list"]["revoked_certificates"]

    assert revoked[0]["crl_entry_extensions"].native is None
    reason = revoked[1]["crl_entry_extensions"][0]
    assert (reason["extn_id"].native, reason["critical"].native) == ("crl_reason", False)
    assert reason["extn_value"].contents.hex() == "0a0101"
    assert [one["user_certificate"].native for one in revoked] == [1, 2, 3]


@pytest.mark.parametrize(
    ("begins", "first", "second"),
    [
        (datetime(2026, 6, 1, 12, 0, 0, 999999, tzinfo=UTC), "UTCTime", "UTCTime"),
        (datetime(2049, 12, 28, tzinfo=UTC), "UTCTime", "GeneralizedTime"),
        (datetime(2050, 1, 1, tzinfo=UTC), "GeneralizedTime", "GeneralizedTime"),
    ],
)
def test_times_are_utc_time_until_2049_and_have_no_fractions(begins, first, second):
    made = build(entry(at=begins), begins=begins)

    tbs = parsed(made)["tbs_cert_list"]

    assert type(tbs["this_update"].chosen).__name__ == first
    assert type(tbs["next_update"].chosen).__name__ == second
    date = tbs["revoked_certificates"][0]["revocation_date"]
    assert type(date.chosen).__name__ == first
    for moment in (tbs["this_update"], tbs["next_update"], date):
        text = moment.chosen.contents.decode()
        assert text.endswith("Z")
        assert len(text) == (13 if type(moment.chosen).__name__ == "UTCTime" else 15)


@pytest.mark.parametrize("algorithm", KEYS)
def test_both_signature_algorithms_are_the_same_and_openssl_agrees(algorithm, tmp_path):
    ca = make_ca(algorithm)
    made = build(entry(0x1234, R.key_compromise), ca=ca)

    whole = parsed(made)
    said = openssl(
        "crl", "-in", write(tmp_path / "crl", made), "-noout", "-text",
        "-CAfile", write(tmp_path / "ca", ca.certificate),
    )  # fmt: skip

    assert whole["signature_algorithm"].dump() == whole["tbs_cert_list"]["signature"].dump()
    assert "verify OK" in said
    assert "Key Compromise" in said
    assert "sha1" not in said.lower()


def test_the_issuer_is_byte_for_byte_the_cas_subject():
    assert build().issuer.public_bytes() == CA.certificate.subject.public_bytes()


@pytest.mark.parametrize("number", [-1, 1 << 159])
def test_a_number_out_of_bounds_is_refused(number):
    with pytest.raises(ValueError, match="CRL number"):
        build(number=number)


def test_the_largest_number_has_twenty_octets():
    numbered = parsed(build(number=(1 << 159) - 1))["tbs_cert_list"]["crl_extensions"][1]

    assert len(numbered["extn_value"].parsed.contents) == 20


def test_a_crl_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="update"):
        build(days=-1)


def test_many_entries_are_built_in_little_time():
    made = build(*(entry(serial) for serial in range(1, 5001)))

    assert len(made) == 5000


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("count", [0, 1, 300])
def test_what_we_write_is_what_the_library_writes(algorithm, count):
    ca = make_ca(algorithm)
    reasons = sorted(set(R) - {R.remove_from_crl}, key=str)
    entries = [
        crl.Entry(
            (serial * 7919) ** 5 + 1,
            NOW - timedelta(days=30 * serial, microseconds=serial),
            reasons[serial % len(reasons)],
            NOW - timedelta(days=31 * serial) if serial % 3 == 0 else None,
        )
        for serial in range(count)
    ]
    revoked = []
    for one in entries:
        builder = (
            x509.RevokedCertificateBuilder()
            .serial_number(one.serial)
            .revocation_date(one.revoked_at)
        )
        if one.reason is not R.unspecified:
            builder = builder.add_extension(x509.CRLReason(one.reason), critical=False)
        if one.invalid_since:
            builder = builder.add_extension(x509.InvalidityDate(one.invalid_since), critical=False)
        revoked.append(builder.build())

    theirs = (
        x509.CertificateRevocationListBuilder(revoked_certificates=revoked)
        .issuer_name(ca.certificate.subject)
        .last_update(NOW)
        .next_update(NOW + timedelta(days=7))
        .add_extension(authority_key_identifier(ca.certificate), critical=False)
        .add_extension(x509.CRLNumber(7), critical=False)
        .sign(ca.key, hash_for(ca.key))
    )

    ours = build(*entries, ca=ca)
    assert ours.tbs_certlist_bytes == theirs.tbs_certlist_bytes
    assert ours.is_signature_valid(ca.certificate.public_key())
    if algorithm in {"rsa-2048", "ed25519"}:  # the others draw a number for each signature
        assert ours == theirs


ODD = [
    entry(0),
    entry(-1, R.superseded),
    entry((1 << 400) + 1),
    entry(9, at=datetime(1949, 12, 31, tzinfo=UTC)),
    entry(10, at=datetime(1950, 1, 1, tzinfo=UTC)),
]


def test_no_odd_entry_stops_the_list(tmp_path):
    der = crl.assemble(
        **CA.signer, number=7, this_update=NOW, next_update=NOW, entries=map(crl.encode, ODD)
    )

    revoked = asn1.CertificateList.load(der, strict=True)["tbs_cert_list"]["revoked_certificates"]
    assert [one["user_certificate"].native for one in revoked] == [one.serial for one in ODD]
    dates = [one["revocation_date"].chosen for one in revoked]
    assert [type(date).__name__ for date in dates[3:]] == ["GeneralizedTime", "UTCTime"]
    said = openssl(
        "crl", "-inform", "DER", "-in", write(tmp_path / "crl", der), "-noout", "-text",
        "-CAfile", write(tmp_path / "ca", CA.certificate),
    )  # fmt: skip
    assert "verify OK" in said
    assert "Dec 31 00:00:00 1949" in said


def test_a_long_list_takes_little_more_memory_than_itself():
    def each(count):
        for serial in range(count):
            yield crl.encode(entry(serial << 100, R.superseded))

    tracemalloc.start()
    try:
        made = crl.assemble(
            **CA.signer, number=1, this_update=NOW, next_update=NOW, entries=each(20_000)
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(made) > 900_000
    assert peak < 2.5 * len(made)


@pytest.mark.parametrize("one", [*ODD, entry(7, R.key_compromise), entry(1 << 158)])
def test_the_size_of_an_entry_is_what_it_adds(one):
    filling = [entry(serial) for serial in range(1000)]  # so that no length grows

    def size(*entries):
        made = crl.assemble(
            **make_ca("ed25519").signer, number=7, this_update=NOW, next_update=NOW,
            entries=map(crl.encode, entries),
        )  # fmt: skip
        return len(made)

    assert size(*filling, one) - size(*filling) == crl.entry_size(one)


@pytest.mark.parametrize(
    ("algorithm", "oid"),
    [
        ("ecdsa-p256", "sha256_ecdsa"),
        ("ecdsa-p384", "sha384_ecdsa"),
        ("ecdsa-p521", "sha512_ecdsa"),
        ("rsa-2048", "sha256_rsa"),
        ("ed25519", "ed25519"),
    ],
)
def test_a_key_goes_with_the_hash_of_its_strength(algorithm, oid):
    ca = make_ca(algorithm)

    for signed in (parsed(build(ca=ca)), asn1_x509(ca.certificate)):
        assert signed["signature_algorithm"]["algorithm"].native == oid


def asn1_x509(certificate):
    return Certificate.load(certificate.public_bytes(serialization.Encoding.DER), strict=True)
