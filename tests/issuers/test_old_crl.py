"""CRLs of others: what is read, what is refused, and whose they are."""

import base64
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from hypothesis import given, settings
from hypothesis import strategies as st

from issuers.x509 import crl, der, names, old_crl
from tests.ca import KEYS, NOW, make_ca

R = x509.ReasonFlags
CA = make_ca()
V2 = der.integer(1)
ODD = [
    crl.Entry(0, NOW, R.unspecified),
    crl.Entry(-1, NOW, R.superseded),
    crl.Entry(-(1 << 200), NOW, R.key_compromise),
    crl.Entry((1 << 400) + 7, NOW, R.privilege_withdrawn),
    crl.Entry(5, datetime(1949, 12, 31, 23, 59, 59, tzinfo=UTC), R.ca_compromise),
    crl.Entry(6, datetime(1, 1, 1, tzinfo=UTC), R.unspecified),
    crl.Entry(7, datetime(2050, 1, 1, tzinfo=UTC), R.certificate_hold, NOW - timedelta(days=9)),
]


def assembled(*entries, ca=CA, number=7, **changes):
    given = {"this_update": NOW, "next_update": NOW + timedelta(days=7), **changes}
    return crl.assemble(**ca.signer, number=number, entries=map(crl.encode, entries), **given)


ONE = assembled(ODD[-1], ODD[1])
ALL = assembled(*ODD)


def made(*extensions, ca=CA, revoked=(), digest=None, how=None):
    """Return a CRL of the library, with extensions as (value, critical)."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.certificate.subject)
        .last_update(NOW)
        .next_update(NOW + timedelta(days=7))
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical=critical)
    for values in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(5).revocation_date(NOW)
        for value, critical in values:
            entry = entry.add_extension(value, critical=critical)
        builder = builder.add_revoked_certificate(entry.build())
    signed = builder.sign(ca.key, digest or hashes.SHA256(), rsa_padding=how)
    return signed.public_bytes(serialization.Encoding.DER)


def point(**changes):
    empty = dict.fromkeys(
        (
            "only_contains_user_certs",
            "only_contains_ca_certs",
            "indirect_crl",
            "only_contains_attribute_certs",
        ),
        False,
    )
    names = {"full_name": None, "relative_name": None, "only_some_reasons": None}
    return x509.IssuingDistributionPoint(**{**empty, **names, **changes}), True


URI = [x509.UniformResourceIdentifier("http://crl.example/1")]
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


def refused(data):
    with pytest.raises(old_crl.MalformedCRL) as caught:
        old_crl.read(data)
    return str(caught.value)


def test_every_entry_comes_back_as_it_was_written():
    read = old_crl.read(assembled(*ODD))

    assert list(read.entries) == ODD
    assert [crl.encode(one) for one in read.entries] == [crl.encode(one) for one in ODD]
    assert read.number == 7
    assert (read.this_update, read.next_update) == (NOW, NOW + timedelta(days=7))
    assert not read.is_partial
    read.check_signed_by(CA.certificate)


def test_an_empty_one_is_read():
    assert old_crl.read(assembled()).entries == ()


@pytest.mark.parametrize("number", [0, 1 << 64, (1 << 159) - 1])
def test_numbers_have_twenty_octets_at_most(number):
    assert old_crl.read(assembled(number=number)).number == number


def test_a_number_of_more_octets_is_refused():
    octets = der.integer((1 << 159) - 1)
    longer = der.integer(1 << 160)

    whole = assembled(number=(1 << 159) - 1)
    assert octets in whole

    # Written anew from the inside out, so that all lengths hold.
    assert "20 octets" in refused(_with(number=longer))
    assert "negative" in refused(_with(number=der.integer(-1)))


def _with(*, number=None, times=None, entries=b"", version=V2, extra=b""):
    algorithm = der.encode(der.SEQUENCE, der.encode(der.OID, bytes.fromhex("2a8648ce3d040302")))
    value = der.encode(der.OCTET_STRING, number or der.integer(1))
    extension = der.encode(der.SEQUENCE, der.encode(der.OID, bytes.fromhex("551d14")), value)
    tbs = der.encode(
        der.SEQUENCE, version, algorithm, CA.certificate.subject.public_bytes(),
        times or der.time(NOW) + der.time(NOW), entries,
        der.encode(0xA0, der.encode(der.SEQUENCE, extension, extra)),
    )  # fmt: skip
    return der.encode(der.SEQUENCE, tbs, algorithm, der.encode(der.BIT_STRING, b"\x00\x00"))


def test_pem_is_read_with_words_around_it():
    body = base64.encodebytes(ONE).decode().replace("\n", "\r\n")
    text = f"our CRL:\r\n-----BEGIN X509 CRL-----\r\n{body}-----END X509 CRL-----\r\nbye"

    assert old_crl.read(text).entries == old_crl.read(ONE).entries


def test_one_of_openssl_is_read(tmp_path):
    (tmp_path / "index.txt").write_text(
        "R\t300101000000Z\t260101000000Z,keyCompromise\t00AB\tunknown\t/CN=a\n"
        "R\t300101000000Z\t260102000000Z,keyTime,20251224120000Z\t0C\tunknown\t/CN=b\n"
        "R\t300101000000Z\t260103000000Z\t0D\tunknown\t/CN=c\n"
    )
    (tmp_path / "crlnumber").write_text("123456789ABCDEF0\n")
    (tmp_path / "conf").write_text(
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\n"
        "crl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n"
    )
    (tmp_path / "ca").write_bytes(CA.certificate.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "key").write_bytes(
        CA.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    text = subprocess.run(
        ["openssl", "ca", "-config", "conf", "-gencrl", "-crldays", "7", "-cert", "ca",
         "-keyfile", "key"], cwd=tmp_path, capture_output=True, check=True,
    ).stdout  # fmt: skip

    read = old_crl.read(text)

    read.check_signed_by(CA.certificate)
    assert read.number == 0x123456789ABCDEF0
    assert [(one.serial, one.reason) for one in read.entries] == [
        (0xC, R.key_compromise),
        (0xD, R.unspecified),
        (0xAB, R.key_compromise),
    ]
    assert read.entries[0].invalid_since == datetime(2025, 12, 24, 12, tzinfo=UTC)


def test_version_1_has_no_number():
    data = der.encode(
        der.SEQUENCE,
        der.encode(
            der.SEQUENCE, der.encode(der.SEQUENCE), CA.certificate.subject.public_bytes(),
            der.time(NOW), der.encode(der.SEQUENCE, crl.encode(ODD[0])),
        ),
        der.encode(der.SEQUENCE),
        der.encode(der.BIT_STRING, b"\x00\x00"),
    )  # fmt: skip

    read = old_crl.read(data)

    assert (read.number, read.next_update, len(read.entries)) == (None, None, 1)


@pytest.mark.parametrize(
    ("tag", "text", "moment"),
    [
        (der.UTC_TIME, b"500101000000Z", datetime(1950, 1, 1, tzinfo=UTC)),
        (der.UTC_TIME, b"491231235959Z", datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (der.UTC_TIME, b"2601011200Z", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        (der.UTC_TIME, b"260101120000+0130", datetime(2026, 1, 1, 10, 30, tzinfo=UTC)),
        (der.GENERALIZED_TIME, b"19400101120000-0100", datetime(1940, 1, 1, 13, tzinfo=UTC)),
        (der.GENERALIZED_TIME, b"20260101120000.5Z", datetime(2026, 1, 1, 12, tzinfo=UTC)),
    ],
)
def test_times_of_every_form_are_read(tag, text, moment):
    entry = der.encode(der.SEQUENCE, der.integer(1), der.encode(tag, text))

    read = old_crl.read(_with(entries=der.encode(der.SEQUENCE, entry)))

    assert read.entries[0].revoked_at == moment


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (der.UTC_TIME, b"20260101120000Z"),
        (der.GENERALIZED_TIME, b"260101120000Z"),
        (der.UTC_TIME, b"261301120000Z"),
        (der.UTC_TIME, b"260101120000"),
        (der.GENERALIZED_TIME, b"00000101120000Z"),
        (der.GENERALIZED_TIME, b"00010101000000+0100"),
        (der.UTC_TIME, b""),
    ],
)
def test_a_time_that_is_none_is_refused(tag, text):
    assert "time" in refused(_with(times=der.encode(tag, text)))


@pytest.mark.parametrize(
    ("extension", "words"),
    [
        ((x509.DeltaCRLIndicator(3), True), "delta"),
        (point(full_name=URI, indirect_crl=True), "indirect"),
        (point(full_name=URI, only_some_reasons=frozenset([R.key_compromise])), "some reasons"),
        (point(full_name=URI, only_contains_attribute_certs=True), "attribute"),
        ((UNKNOWN, True), "1.2.3.4"),
    ],
)
def test_what_does_not_tell_all_is_refused(extension, words):
    assert words in refused(made(extension))


def test_a_part_among_others_says_so():
    assert old_crl.read(made(point(full_name=URI))).is_partial
    assert old_crl.read(made(point(only_contains_user_certs=True))).is_partial
    assert old_crl.read(made((UNKNOWN, False))).entries == ()


@pytest.mark.parametrize(
    ("extension", "words"),
    [
        ((x509.CertificateIssuer(URI), True), "indirect"),
        ((UNKNOWN, True), "1.2.3.4"),
        ((x509.CRLReason(R.remove_from_crl), False), "reason 8"),
    ],
)
def test_an_entry_that_cannot_be_understood_is_refused(extension, words):
    assert words in refused(made(revoked=[[extension]]))


def test_an_unknown_reason_is_refused():
    reason = der.encode(
        der.SEQUENCE, der.encode(der.OID, bytes.fromhex("551d15")),
        der.encode(der.OCTET_STRING, der.integer(7, der.ENUMERATED)),
    )  # fmt: skip
    entry = der.encode(
        der.SEQUENCE, der.integer(1), der.time(NOW), der.encode(der.SEQUENCE, reason)
    )

    assert "reason 7" in refused(_with(entries=der.encode(der.SEQUENCE, entry)))


@pytest.mark.parametrize(
    "data",
    [
        b"", "", "no CRL", b"\x30", b"\x30\x80\x00\x00", ONE[:-1], ONE + b"\x00", b"\x30\x00",
        _with(version=b"", extra=der.integer(1)), _with(entries=der.integer(1)),
        CA.certificate.public_bytes(serialization.Encoding.DER),
        "-----BEGIN X509 CRL-----\nM=MM\n-----END X509 CRL-----",
        "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n" * 2,
    ],
    ids=range(13),
)  # fmt: skip
def test_what_is_no_crl_is_refused(data):
    assert refused(data)


# --- Whose it is ----------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", KEYS)
def test_the_signature_is_held_against_the_ca(algorithm):
    ca, other = make_ca(algorithm), make_ca(algorithm)
    read = old_crl.read(assembled(*ODD, ca=ca))

    read.check_signed_by(ca.certificate)
    with pytest.raises(old_crl.MalformedCRL, match="signature"):
        read.check_signed_by(other.certificate)
    with pytest.raises(old_crl.MalformedCRL, match="signature"):
        read.check_signed_by(make_ca(subject=ca.certificate.subject).certificate)
    with pytest.raises(old_crl.MalformedCRL, match="another issuer"):
        read.check_signed_by(make_ca(subject=names.subject_of([("CN", "Another")])).certificate)


def test_pss_is_verified_as_pss():
    ca = make_ca("rsa-2048")
    how = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)

    old_crl.read(made(ca=ca, how=how)).check_signed_by(ca.certificate)


# Not by its place from the start: signatures differ in length, and workers must agree on names.
@pytest.mark.parametrize("part", ["early", "middle", "last"])
def test_a_byte_changed_is_noticed(part):
    changed = bytearray(ONE)
    changed[{"early": 60, "middle": len(ONE) // 2, "last": -1}[part]] ^= 1

    with pytest.raises(old_crl.MalformedCRL):
        old_crl.read(bytes(changed)).check_signed_by(CA.certificate)


# --- Damage ---------------------------------------------------------------------------------


def _read_or_refuse(data):
    try:
        read = old_crl.read(data)
        read.check_signed_by(CA.certificate)
    except old_crl.MalformedCRL:
        return
    assert all(isinstance(crl.encode(entry), bytes) for entry in read.entries)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=100))
def test_bytes_of_any_kind_are_read_or_refused(data, text):
    for form in (data, der.encode(der.SEQUENCE, data), text, _with(entries=data)):
        _read_or_refuse(form)


@pytest.mark.filterwarnings("ignore")  # the library warns of what it reads all the same
@settings(max_examples=600, deadline=None)
@given(st.data())
def test_a_crl_with_some_bytes_changed_is_read_or_refused(data):
    changed = bytearray(data.draw(st.sampled_from([ONE, ALL])))
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, 40))

    _read_or_refuse(bytes(changed)[: len(changed) - cut])


@settings(max_examples=300, deadline=None)
@given(
    st.integers(-(1 << 200), 1 << 200),
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from(sorted(set(R) - {R.remove_from_crl}, key=str)),
    st.none() | st.datetimes(timezones=st.just(UTC)),
)
def test_whatever_is_written_is_read_again(serial, at, reason, since):
    whole = {"revoked_at": at.replace(microsecond=0)}
    entry = crl.Entry(serial, at, reason, since)
    listed = der.encode(der.SEQUENCE, crl.encode(entry))

    [read] = old_crl.read(_with(entries=listed)).entries

    assert (read.serial, read.revoked_at, read.reason) == (serial, whole["revoked_at"], reason)
    assert read.invalid_since == (since.replace(microsecond=0) if since else None)


def test_a_key_of_another_kind_than_the_signatures_is_no_error_of_ours():
    read = old_crl.read(_with())
    ca = make_ca("ed25519", subject=CA.certificate.subject)

    assert isinstance(CA.key, ec.EllipticCurvePrivateKey)
    with pytest.raises(old_crl.MalformedCRL, match="signature"):
        read.check_signed_by(ca.certificate)


def test_two_signature_algorithms_that_differ_are_refused():
    """RFC 5280 §5.1.1.2: the one that is signed is the one that counts, and both say the same."""
    whole = _with()
    inner, outer = (bytes.fromhex("2a8648ce3d04030" + last) for last in "23")
    place = whole.rindex(inner)

    assert "differ" in refused(whole[:place] + outer + whole[place + len(outer) :])


def test_an_extension_that_is_there_twice_is_refused():
    number = der.encode(
        der.SEQUENCE, der.encode(der.OID, bytes.fromhex("551d14")),
        der.encode(der.OCTET_STRING, der.integer(2)),
    )  # fmt: skip

    assert "twice" in refused(_with(extra=number))
