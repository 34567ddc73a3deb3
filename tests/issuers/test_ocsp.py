"""OCSP: questions read with suspicion, answers byte by byte and by openssl."""

import dataclasses
import hashlib
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from asn1crypto import core
from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp as pyca
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from issuers.x509 import certs, der, names, ocsp
from tests.ca import KEYS, NOW, make_ca, openssl, write
from tests.issuers.test_certs import contents

VECTORS = Path(__file__).parent.parent / "vectors"
CA = make_ca()
SERIAL = 0x1234567890ABCDEF
ONE = (VECTORS / "ocsp-sha256.der").read_bytes()
NONCE = (VECTORS / "ocsp-nonce.der").read_bytes()
SHA1 = (VECTORS / "ocsp-sha1.der").read_bytes()


def vector_ca():
    return x509.load_pem_x509_certificate((VECTORS / "ca.pem").read_bytes())


def question(*extensions, single=(), serial=SERIAL, algorithm="sha256"):
    """Return the DER of a request with extensions as (dotted OID, critical, octets)."""
    cert_id = ocsp.cert_id(CA.certificate, serial, algorithm)
    asked = {
        "req_cert": {
            "hash_algorithm": {"algorithm": algorithm},
            "issuer_name_hash": cert_id.name_hash,
            "issuer_key_hash": cert_id.key_hash,
            "serial_number": serial,
        }
    }
    if single:
        asked["single_request_extensions"] = _extensions(single)
    tbs = {"request_list": [asked]}
    if extensions:
        tbs["request_extensions"] = _extensions(extensions)
    return asn1.OCSPRequest({"tbs_request": tbs}).dump()


def _extensions(wanted):
    return [
        {"extn_id": oid, "critical": critical, "extn_value": core.ParsableOctetString(value)}
        for oid, critical, value in wanted
    ]


def nonce(size):
    return "1.3.6.1.5.5.7.48.1.2", False, core.OctetString(b"n" * size).dump()


# --- Questions ------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_requests_of_openssl_are_read(algorithm):
    asked = ocsp.parse((VECTORS / f"ocsp-{algorithm}.der").read_bytes())

    assert asked == ocsp.Question(ocsp.cert_id(vector_ca(), SERIAL, algorithm), None)


def test_a_nonce_of_openssl_is_read():
    asked = ocsp.parse(NONCE)

    assert asked.nonce == NONCE[-16:]
    assert asked.cert_id.serial == SERIAL


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_every_hash_of_the_cert_id_is_known(algorithm):
    asked = ocsp.parse(question(algorithm=algorithm))

    assert asked.cert_id == ocsp.cert_id(CA.certificate, SERIAL, algorithm)


def test_the_cert_id_is_that_of_the_library():
    leaf = _leaf(CA)

    built = pyca.OCSPRequestBuilder().add_certificate(leaf, CA.certificate, hashes.SHA384())
    asked = ocsp.parse(built.build().public_bytes(serialization.Encoding.DER))

    assert asked.cert_id == ocsp.cert_id(CA.certificate, leaf.serial_number, "sha384")


def _leaf(ca):
    key = KEYS["ecdsa-p256"]()
    return certs.build_leaf(
        certs.Contents(
            public_key=key.public_key(),
            subject=names.subject_of([("CN", "web.demo.internal")]),
            sans=["dns:web.demo.internal"],
            not_before=NOW,
            not_after=NOW + timedelta(days=40),
        ),
        **ca.signer,
    )


@pytest.mark.parametrize("size", [1, 32, 128])
def test_a_nonce_of_1_to_128_octets_is_read(size):
    assert ocsp.parse(question(nonce(size))).nonce == b"n" * size


@pytest.mark.parametrize(
    "extensions",
    [
        [nonce(0)],
        [nonce(129)],
        [nonce(16), nonce(16)],
        [("1.3.6.1.5.5.7.48.1.2", False, core.OctetString(b"n").dump() + b"\x00")],
        [("1.2.3.4", True, b"\x05\x00")],
    ],
)
def test_extensions_that_cannot_be_right_are_refused(extensions):
    with pytest.raises(ocsp.MalformedRequest):
        ocsp.parse(question(*extensions))


def test_a_critical_extension_of_the_single_request_is_refused():
    with pytest.raises(ocsp.MalformedRequest):
        ocsp.parse(question(single=[("1.2.3.4", True, b"\x05\x00")]))


def test_a_plain_extension_that_is_not_understood_is_ignored():
    odd = ("1.2.3.4", False, b"\x05\x00")

    assert ocsp.parse(question(odd, single=[odd])).cert_id.serial == SERIAL


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x00",
        b"garbage",
        ONE[:-1],
        ONE + b"\x00",
        (VECTORS / "csr.der").read_bytes(),
        ONE.replace(bytes.fromhex("608648016503040201"), bytes.fromhex("608648016503040204")),
        ONE.replace(b"\x04\x20", b"\x04\x1f", 1),
        b"\x30\x80" * 5000,
        # The nonce's inner OCTET STRING: another type, a length past its end, nothing inside.
        NONCE.replace(b"\x04\x12\x04\x10", b"\x04\x12\x02\x10"),
        NONCE.replace(b"\x04\x12\x04\x10", b"\x04\x12\x04\x20"),
        NONCE.replace(b"\x04\x12\x04\x10", b"\x04\x12\x04\x00"),
    ],
)  # fmt: skip
def test_what_is_no_question_of_ours_is_refused(data):
    with pytest.raises(ocsp.MalformedRequest):
        ocsp.parse(data)


def _with(before=b"", after=b""):
    """Return a question with bytes put into its TBSRequest."""
    body = before + SHA1[4:] + after
    return bytes([0x30, len(body) + 2, 0x30, len(body)]) + body


@pytest.mark.parametrize(
    "data",
    [
        _with(after=b"\x05\x00"),
        _with(after=b"\x02\x01\x07"),
        _with(before=b"\xa0\x03\x02\x01\x01"),
        _with(before=b"\xa0\x03\x02\x01\x05"),
    ],
)
def test_elements_that_a_request_does_not_have_are_refused(data):
    with pytest.raises(ocsp.MalformedRequest):
        ocsp.parse(data)


def test_a_version_that_is_said_in_full_does_no_harm():
    data = _with(before=b"\xa0\x03\x02\x01\x00")

    assert ocsp.parse(data) == ocsp.parse(SHA1)


@pytest.mark.parametrize("field", ["issuer_name_hash", "issuer_key_hash"])
def test_a_hash_is_as_long_as_its_algorithm_makes_it(field):
    request = asn1.OCSPRequest.load(question())
    request["tbs_request"]["request_list"][0]["req_cert"][field] = b"x" * 20

    with pytest.raises(ocsp.MalformedRequest, match="wrong length"):
        ocsp.parse(request.dump(force=True))


def test_a_serial_has_twenty_octets_at_most():
    assert ocsp.parse(question(serial=(1 << 160) - 1)).cert_id.serial == (1 << 160) - 1
    with pytest.raises(ocsp.MalformedRequest):
        ocsp.parse(question(serial=1 << 168))


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_read_or_refused(data):
    for form in (data, b"\x30" + bytes([len(data) % 128]) + data):
        _read_or_refuse(form)


@settings(max_examples=1500, deadline=None)
@given(st.data())
def test_a_question_with_some_bytes_changed_is_read_or_refused(data):
    changed = bytearray(data.draw(st.sampled_from([ONE, NONCE])))
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))

    _read_or_refuse(bytes(changed))


def _read_or_refuse(data):
    try:
        asked = ocsp.parse(data)
    except ocsp.MalformedRequest:
        return
    assert isinstance(asked.cert_id.serial, int)
    assert asked.nonce is None or 1 <= len(asked.nonce) <= 128


# --- Answers --------------------------------------------------------------------------------


def answer(status="good", reason=None, **changes):
    at = NOW.replace(microsecond=999999)
    revoked = at - timedelta(hours=1) if status == "revoked" else None
    return ocsp.Answer(
        **{
            "status": status,
            "this_update": at,
            "next_update": at + timedelta(days=1),
            "revoked_at": revoked,
            "reason": reason,
            **changes,
        }
    )


def build(said=None, *, ca=CA, algorithm="sha256", serial=SERIAL):
    return ocsp.build(
        cert_id=ocsp.cert_id(ca.certificate, serial, algorithm),
        answer=said or answer(),
        responder_cert=ca.certificate,
        key=ca.key,
    )


def basic(der):
    response = asn1.OCSPResponse.load(der, strict=True)
    assert response["response_status"].native == "successful"
    return response["response_bytes"]["response"].parsed


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_the_cert_id_comes_back_as_it_was_asked(algorithm):
    [single] = basic(build(algorithm=algorithm))["tbs_response_data"]["responses"]

    found = single["cert_id"]
    assert found["hash_algorithm"]["algorithm"].native == algorithm
    wanted = ocsp.cert_id(CA.certificate, SERIAL, algorithm)
    assert found["issuer_name_hash"].native == wanted.name_hash
    assert found["issuer_key_hash"].native == wanted.key_hash
    assert found["serial_number"].native == SERIAL


def test_the_responder_is_named_by_key_and_sends_its_certificate_alone():
    response = basic(build())

    tbs = response["tbs_response_data"]
    assert tbs["responder_id"].name == "by_key"
    ski = CA.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert tbs["responder_id"].native == ski.digest
    assert tbs["response_extensions"].native is None
    assert tbs["responses"][0]["single_extensions"].native is None
    [sent] = response["certs"]
    assert sent.dump() == CA.certificate.public_bytes(serialization.Encoding.DER)


def test_times_are_generalized_without_fractions():
    tbs = basic(build(answer("revoked")))["tbs_response_data"]

    [single] = tbs["responses"]
    moments = [
        tbs["produced_at"],
        single["this_update"],
        single["next_update"],
        single["cert_status"].chosen["revocation_time"],
    ]
    assert all(moment.contents.endswith(b"Z") for moment in moments)
    assert {len(moment.contents) for moment in moments} == {15}


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (None, None),
        (x509.ReasonFlags.unspecified, None),
        (x509.ReasonFlags.key_compromise, "key_compromise"),
        (x509.ReasonFlags.certificate_hold, "certificate_hold"),
    ],
)
def test_a_revoked_answer_gives_the_reason_but_unspecified(reason, said):
    [single] = basic(build(answer("revoked", reason)))["tbs_response_data"]["responses"]

    assert single["cert_status"].name == "revoked"
    assert single["cert_status"].chosen["revocation_reason"].native == said


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("status", ["good", "revoked"])
def test_openssl_believes_the_answer(algorithm, status, tmp_path):
    ca = make_ca(algorithm)
    leaf = _leaf(ca)
    # openssl looks at its own clock here, whatever -attime says.
    now = timezone.now()
    times = {"this_update": now, "next_update": now + timedelta(days=1)}
    if status == "revoked":
        times["revoked_at"] = now
    der = build(answer(status, **times), ca=ca, algorithm="sha1", serial=leaf.serial_number)
    files = write(tmp_path / "ca", ca.certificate), write(tmp_path / "leaf", leaf)
    response = write(tmp_path / "response", der)

    said = openssl(
        "ocsp", "-respin", response, "-issuer", files[0], "-cert", files[1], "-no_nonce",
        "-VAfile", files[0], "-CAfile", files[0], "-attime", int(NOW.timestamp()) + 120,
        check=False,
    )  # fmt: skip

    assert "Response verify OK" in said
    assert f"leaf: {status}" in said


def test_the_four_unsigned_answers_are_what_rfc_6960_says():
    for answered, status in [
        (ocsp.MALFORMED, "malformed_request"),
        (ocsp.INTERNAL_ERROR, "internal_error"),
        (ocsp.TRY_LATER, "try_later"),
        (ocsp.UNAUTHORIZED, "unauthorized"),
    ]:
        response = asn1.OCSPResponse.load(answered, strict=True)
        assert response["response_status"].native == status
        assert response["response_bytes"].native is None


@pytest.mark.parametrize("has_null", [True, False])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_the_cert_id_is_answered_byte_for_byte(algorithm, has_null):
    asked = ocsp.parse(_bare_or_not(algorithm, has_null)).cert_id

    assert asked.has_null is has_null
    assert asked == ocsp.cert_id(CA.certificate, SERIAL, algorithm)  # the same certificate
    assert len(asked.form) <= 8
    response = ocsp.build(
        cert_id=asked, answer=answer(), responder_cert=CA.certificate, key=CA.key
    )  # fmt: skip
    [single] = basic(response)["tbs_response_data"]["responses"]
    request = asn1.OCSPRequest.load(_bare_or_not(algorithm, has_null))
    [one] = request["tbs_request"]["request_list"]
    assert single["cert_id"].dump() == one["req_cert"].dump() == asked.encode()


def _bare_or_not(algorithm, has_null, parameters=None):
    whole = ocsp.cert_id(CA.certificate, SERIAL, algorithm)
    cert_id = dataclasses.replace(whole, has_null=has_null).encode()
    if parameters is not None:
        cert_id = cert_id.replace(b"\x05\x00\x04", parameters + b"\x04")
    request = der.encode(der.SEQUENCE, cert_id)
    tbs = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, request))
    return der.encode(der.SEQUENCE, tbs)


def test_other_parameters_of_the_hash_are_refused():
    with pytest.raises(ocsp.MalformedRequest):
        ocsp.parse(_bare_or_not("sha256", has_null=True, parameters=b"\x0c\x00"))


def test_a_serial_with_an_octet_too_many_is_refused():
    """Signed once for all askers, it would come back to those who ask in DER."""
    whole = _bare_or_not("sha1", has_null=True)
    serial = der.integer(SERIAL)
    longer = der.encode(der.INTEGER, b"\x00", serial[2:])
    data = whole.replace(serial, longer)
    for at in (1, 3, 5, 7, 9):
        data = data[:at] + bytes([data[at] + 1]) + data[at + 1 :]

    with pytest.raises(ocsp.MalformedRequest, match="DER"):
        ocsp.parse(data)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_compressed_key_is_hashed_as_it_stands(algorithm, tmp_path):
    ca, key = compressed_ca(tmp_path)
    leaf = certs.build_leaf(contents(), issuer=ca, key=key)
    request = openssl_bytes(
        "ocsp", "-issuer", tmp_path / "ca.pem", f"-{algorithm}", "-serial",
        hex(leaf.serial_number), "-no_nonce", "-reqout", "-",
    )  # fmt: skip

    asked = ocsp.parse(request).cert_id

    assert asked == ocsp.cert_id(ca, leaf.serial_number, algorithm)
    response = basic(ocsp.build(cert_id=asked, answer=answer(), responder_cert=ca, key=key))
    ski = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert response["tbs_response_data"]["responder_id"].native == ski


def test_a_ca_without_identifier_is_named_by_its_key_as_it_stands(tmp_path):
    ca, key = compressed_ca(tmp_path, "-addext", "subjectKeyIdentifier=none")

    leaf = certs.build_leaf(contents(), issuer=ca, key=key)

    authority = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    )
    assert authority.key_identifier == hashlib.sha1(point).digest()  # noqa: S324


def compressed_ca(folder, *options):
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder / "any.pem")
    openssl(
        "pkey", "-in", folder / "any.pem", "-ec_conv_form", "compressed",
        "-out", folder / "key.pem",
    )  # fmt: skip
    openssl(
        "req", "-x509", "-key", folder / "key.pem", "-subj", "/CN=Compressed", "-days", "9",
        *options, "-out", folder / "ca.pem",
    )  # fmt: skip
    key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    ca = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    uncompressed = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    assert uncompressed not in ca.public_bytes(serialization.Encoding.DER)
    return ca, key


def openssl_bytes(*args):
    return subprocess.run(
        ["openssl", *map(str, args)], check=True, capture_output=True
    ).stdout  # fmt: skip


def test_the_time_of_signing_is_said_where_it_is_another():
    at = NOW + timedelta(minutes=1)

    tbs = basic(build(answer(produced_at=at)))["tbs_response_data"]

    assert tbs["produced_at"].native == at
    assert basic(build())["tbs_response_data"]["produced_at"].native == NOW


def test_the_answer_is_what_the_library_writes():
    at = NOW
    said = answer("revoked", x509.ReasonFlags.superseded, this_update=at, produced_at=at)
    cert_id = ocsp.cert_id(CA.certificate, SERIAL, "sha256")
    with time_machine.travel(at, tick=False):
        theirs = (
            pyca.OCSPResponseBuilder()
            .add_response_by_hash(
                cert_id.name_hash, cert_id.key_hash, SERIAL, hashes.SHA256(),
                pyca.OCSPCertStatus.REVOKED, at, said.next_update.replace(microsecond=0),
                said.revoked_at.replace(microsecond=0), x509.ReasonFlags.superseded,
            )
            .responder_id(pyca.OCSPResponderEncoding.HASH, CA.certificate)
            .sign(CA.key, hashes.SHA256())
        )  # fmt: skip

    ours = pyca.load_der_ocsp_response(build(said))

    assert ours.tbs_response_bytes == theirs.tbs_response_bytes
    assert ours.signature_algorithm_oid == theirs.signature_algorithm_oid


# --- Several certificates, nonces, preferred algorithms --------------------------------------


def request_of(*cert_ids, before=b"", after=b"", outside=b"", single=b""):
    """Return a request for these CertIDs, with DER put before and after their list."""
    listed = [der.encode(der.SEQUENCE, one.encode(), single) for one in cert_ids]
    tbs = der.encode(der.SEQUENCE, before, der.encode(der.SEQUENCE, *listed), after)
    return der.encode(der.SEQUENCE, tbs, outside)


def several(count):
    return [ocsp.cert_id(CA.certificate, SERIAL + n, "sha256") for n in range(count)]


def extension(oid, value, *, critical=False):
    return der.encode(
        der.SEQUENCE,
        core.ObjectIdentifier(oid).dump(),
        der.encode(der.BOOLEAN, b"\xff") if critical else b"",
        der.encode(der.OCTET_STRING, value),
    )


def extensions(*values):
    return der.encode(0xA2, der.encode(der.SEQUENCE, *values))


def preferring(*algorithms):
    listed = [{"sig_identifier": {"algorithm": name}} for name in algorithms]
    value = asn1.PreferredSignatureAlgorithms(listed).dump()
    return extensions(extension("1.3.6.1.5.5.7.48.1.8", value))


def test_a_request_of_openssl_for_two_is_read():
    asked = ocsp.parse((VECTORS / "ocsp-two.der").read_bytes())

    assert len(asked.cert_ids) == 2
    assert asked.cert_ids == (asked.cert_id, *asked.others)
    assert not asked.is_plain


@pytest.mark.parametrize("count", [1, 2, 32])
def test_up_to_32_certificates_are_read_in_their_order(count):
    assert ocsp.parse(request_of(*several(count))).cert_ids == tuple(several(count))


@pytest.mark.parametrize("count", [0, 33, 500])
def test_more_than_32_certificates_and_none_are_malformed(count):
    with pytest.raises(ocsp.MalformedRequest):
        ocsp.parse(request_of(*several(count)))


def test_who_asks_twice_about_one_certificate_asks_once():
    one, other = several(2)

    assert ocsp.parse(request_of(one, one)) == ocsp.parse(request_of(one))
    assert ocsp.parse(request_of(one, one)).is_plain
    assert ocsp.parse(request_of(one, other, one)).cert_ids == (one, other)
    bare = dataclasses.replace(one, has_null=False)  # equal, but its asker compares bytes
    assert [i.has_null for i in ocsp.parse(request_of(one, bare)).cert_ids] == [True, False]


def test_one_bad_certificate_among_several_makes_the_request_bad():
    one, other = several(2)

    for bad in (
        dataclasses.replace(other, name_hash=b"x" * 20),
        dataclasses.replace(other, serial=1 << 168),
    ):
        with pytest.raises(ocsp.MalformedRequest):
            ocsp.parse(request_of(one, bad))


def test_a_signature_and_a_requestor_are_ignored():
    (one,) = several(1)
    name = der.encode(0xA1, der.encode(0x86, b"http://somebody.example"))
    signature = der.encode(
        0xA0,
        der.encode(
            der.SEQUENCE,
            der.encode(der.SEQUENCE, core.ObjectIdentifier("1.2.840.10045.4.3.2").dump()),
            der.encode(der.BIT_STRING, b"\0nothing"),
        ),
    )

    asked = ocsp.parse(request_of(one, before=name, outside=signature))

    assert asked == ocsp.parse(request_of(one))


def test_extensions_are_bounded():
    (one,) = several(1)
    odd = extension("1.2.3.4", b"\x05\x00")

    assert ocsp.parse(request_of(one, after=extensions(*[odd] * 32))).cert_id == one
    with pytest.raises(ocsp.MalformedRequest):
        ocsp.parse(request_of(one, after=extensions(*[odd] * 33)))


def test_acceptable_responses_without_the_basic_one_do_not_matter():
    (one,) = several(1)
    value = der.encode(der.SEQUENCE, core.ObjectIdentifier("1.2.3.4").dump())
    accepting = extensions(extension("1.3.6.1.5.5.7.48.1.4", value, critical=True))

    assert ocsp.parse(request_of(one, after=accepting)).cert_id == one


@pytest.mark.parametrize(
    ("algorithm", "preferred", "used"),
    [
        ("rsa-2048", ["sha512_rsa", "sha384_rsa"], "sha512_rsa"),
        ("rsa-2048", ["sha256_ecdsa", "sha384_rsa"], "sha384_rsa"),
        ("rsa-2048", ["sha1_rsa", "md5_rsa"], "sha256_rsa"),
        ("rsa-2048", [], "sha256_rsa"),
        ("ecdsa-p256", ["sha384_ecdsa"], "sha384_ecdsa"),
        ("ecdsa-p256", ["sha1_ecdsa", "sha512_rsa"], "sha256_ecdsa"),
        ("ed25519", ["sha384_ecdsa", "sha384_rsa"], "ed25519"),
    ],
)
def test_a_preferred_algorithm_is_used_where_the_key_can(algorithm, preferred, used):
    ca = make_ca(algorithm)
    (one,) = several(1)
    asked = ocsp.parse(request_of(one, after=preferring(*preferred)))
    assert asked.preferred == tuple(preferred)

    signed = ocsp.build_all(
        answers=[(one, answer())],
        produced_at=NOW,
        responder_cert=ca.certificate,
        key=ca.key,
        preferred=asked.preferred,
    )

    assert basic(signed)["signature_algorithm"]["algorithm"].native == used
    parsed = pyca.load_der_ocsp_response(signed)
    _verify(ca.certificate.public_key(), parsed)


def _verify(key, response):
    digest = response.signature_hash_algorithm
    parts = response.signature, response.tbs_response_bytes
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(*parts, padding.PKCS1v15(), digest)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(*parts, ec.ECDSA(digest))
    else:
        key.verify(*parts)


def test_preferred_algorithms_that_are_no_list_are_malformed():
    (one,) = several(1)

    for value in (b"\x05\x00", b"\x02\x01\x01", b"\x30\x03\x02\x01\x01"):
        odd = extensions(extension("1.3.6.1.5.5.7.48.1.8", value))
        with pytest.raises(ocsp.MalformedRequest):
            ocsp.parse(request_of(one, after=odd))


@pytest.mark.parametrize("size", [1, 16, 128])
def test_a_nonce_comes_back_as_it_came_and_not_critical(size):
    asked = several(2)

    signed = ocsp.build_all(
        answers=[(asked[0], answer()), (asked[1], answer("unknown"))],
        produced_at=NOW,
        responder_cert=CA.certificate,
        key=CA.key,
        nonce=b"n" * size,
    )

    tbs = basic(signed)["tbs_response_data"]
    [echoed] = tbs["response_extensions"]
    assert (echoed["extn_id"].native, echoed["critical"].native) == ("nonce", False)
    assert core.OctetString.load(echoed["extn_value"].contents).native == b"n" * size
    assert [one["cert_status"].name for one in tbs["responses"]] == ["good", "unknown"]
    assert [one["cert_id"].dump() for one in tbs["responses"]] == [a.encode() for a in asked]


def test_the_longest_and_the_deepest_requests_are_read_in_bounded_time():
    (one,) = several(1)
    odd = extension("1.2.3.4", b"\x05\x00")
    nested = b""
    while len(nested) < 60_000:
        nested = der.encode(der.SEQUENCE, nested)
    shapes = [
        request_of(*several(700)),
        request_of(one, after=extensions(*[odd] * 4000)),
        request_of(*several(32), single=der.encode(0xA0, der.encode(der.SEQUENCE, *[odd] * 32))),
        request_of(one, after=extensions(extension("1.3.6.1.5.5.7.48.1.8", nested))),
        request_of(one, before=der.encode(0xA1, nested)),
        nested,
        b"\x30\x80" * 32_000,
        b"\xa0\x80" * 32_000,
        b"\x30\x84\xff\xff\xff\xff" * 10_000,
    ]

    begun = time.process_time()
    for data in shapes:
        _read_or_refuse(data[: 64 * 1024])

    assert time.process_time() - begun < 3  # a tenth of that here


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_a_question_with_parts_of_any_kind_is_read_or_refused(data):
    """Whole structures, so that the fuzzing comes past the outer lengths."""
    draw = data.draw
    blob = st.binary(max_size=40)
    oids = st.sampled_from(["1.3.6.1.5.5.7.48.1.2", "1.3.6.1.5.5.7.48.1.8", "1.2.3.4"])
    made = [
        extension(draw(oids), draw(blob | blob.map(core.OctetString).map(core.Asn1Value.dump)),
                  critical=draw(st.booleans()))
        for _ in range(draw(st.integers(0, 3)))
    ]  # fmt: skip
    asked = [
        dataclasses.replace(one, serial=draw(st.integers(-(1 << 170), 1 << 170)))
        for one in several(draw(st.integers(0, 34)))
    ]

    _read_or_refuse(
        request_of(
            *asked,
            before=draw(st.just(b"") | blob),
            after=extensions(*made),
            outside=draw(st.just(b"") | blob),
        )
    )
