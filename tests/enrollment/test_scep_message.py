"""SCEP messages: a device asks, the RA reads, answers, or says in SCEP's own form why not."""

import base64
import time
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from enrollment.cms import asn1, bags, enveloped, errors, signed
from enrollment.scep import answers
from enrollment.scep import message as scep
from enrollment.scep.message import FailInfo, MessageType, NotAMessage, Refused
from issuers.x509 import crl, der, raw
from tests.ca import NOW, make_ca, named, openssl, pem_of, pem_of_key
from tests.enrollment.scep_client import (
    Device,
    octets,
    printable,
    request_for,
    self_signed,
)

RA_KEY = rsa.generate_private_key(65537, 2048)
RA = self_signed(RA_KEY, "RA")
RA_SIGNS = signed.Signer(RA, RA_KEY)
DEVICE = Device(RA)
NEW_KEY = rsa.generate_private_key(65537, 2048)
CA = make_ca("rsa-2048")
OPEN = {"key": RA_KEY, "certificate": RA}
BODY = DEVICE.pkcs_req()


def device(**changes):
    """The device, with something that it does differently."""
    return Device(**{"ra": RA, "key": DEVICE.key, "certificate": DEVICE.certificate, **changes})


def signing(**changes):
    given = {"ra": RA_SIGNS, "signing_time": NOW, "sender_nonce": b"s" * 16}
    return answers.Signing(**given | changes)


def opened(body, **changes):
    return scep.parse(body).open(**OPEN | changes)


def refused(body, **changes):
    with pytest.raises(Refused) as caught:
        opened(body, **changes)
    return caught.value.fail_info, str(caught.value)


def no_message(body):
    with pytest.raises(NotAMessage) as caught:
        scep.parse(body)
    return str(caught.value)


# --- Requests -------------------------------------------------------------------------------


def test_a_first_request_is_read():
    request = request_for(DEVICE.key, challenge="sesame")

    message = scep.parse(DEVICE.pkcs_req(request=request))
    content = message.open(**OPEN)

    assert message.message_type == MessageType.PKCS_REQ
    assert message.transaction_id == "A1B2C3"
    assert message.sender_nonce == b"n" * 16
    assert message.signer == DEVICE.certificate
    assert message.is_self_signed
    assert (message.digest, message.cipher, message.weak) == ("sha256", "aes128_cbc", [])
    assert message.signing_time() == NOW
    assert content == scep.Enrollment(request, "sesame")
    assert "sesame" not in repr(content)


def test_a_renewal_may_bring_another_key_and_needs_no_challenge():
    certified = CA.certify("device-7", key=DEVICE.key)
    renewing = device(certificate=certified.certificate)

    message = scep.parse(renewing.renewal_req(NEW_KEY))
    content = message.open(**OPEN)

    assert message.message_type == MessageType.RENEWAL_REQ
    assert not message.is_self_signed
    assert message.signer == certified.certificate
    assert content.challenge is None


def test_a_first_request_for_a_key_that_did_not_sign_it_is_refused():
    stolen = request_for(NEW_KEY)

    code, words = refused(DEVICE.pkcs_req(request=stolen))

    assert code is FailInfo.BAD_REQUEST
    assert "not the one that signed" in words


def test_a_poll_names_ca_and_subject():
    content = opened(DEVICE.poll(CA.certificate))

    assert content == scep.IssuerAndSubject(
        raw.subject(CA.certificate), named("device-7").public_bytes()
    )


@pytest.mark.parametrize("serial", [1, 77, -5, 0, 2**159, 2**64])
@pytest.mark.parametrize("asks", ["get_cert", "get_crl"])
def test_a_certificate_is_named_by_ca_and_serial(asks, serial):
    content = opened(getattr(DEVICE, asks)(CA.certificate, serial))

    assert content == scep.IssuerAndSerial(raw.subject(CA.certificate), serial)


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("cipher", ["aes128_cbc", "aes192_cbc", "aes256_cbc"])
def test_a_request_is_answered_in_its_own_algorithms(digest, cipher):
    asking = device(digest=digest, cipher=cipher)
    message = scep.parse(asking.pkcs_req())
    message.open(**OPEN)

    reply = asking.read(answers.issued(message, [CA.certificate], signing()))

    assert (reply.digest, reply.cipher) == (digest, cipher)


# --- Weak algorithms ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weakness", "names"),
    [({"digest": "sha1"}, ["sha1"]), ({"cipher": "des_ede3_cbc"}, ["des_ede3_cbc"])],
)
def test_old_gear_is_served_where_the_label_allows_it(weakness, names):
    old = device(**weakness)
    body = old.pkcs_req()
    message = scep.parse(body)

    assert message.weak == names
    with pytest.raises(Refused) as caught:
        message.check()
    assert caught.value.fail_info is FailInfo.BAD_ALG
    assert refused(body)[0] is FailInfo.BAD_ALG
    message.open(**OPEN, legacy=True)
    in_kind = old.read(answers.issued(message, [RA], signing(legacy=True)), legacy=True)
    assert names == [name for name in (in_kind.digest, in_kind.cipher) if name in names]
    strong = old.read(answers.failure(message, FailInfo.BAD_ALG, "too old", signing()))
    assert strong.digest == "sha256"


def test_an_ec_device_hears_bad_alg():
    key = ec.generate_private_key(ec.SECP256R1())
    body = Device(RA, key).pkcs_req()

    code, words = refused(body)
    message = scep.parse(body)

    assert code is FailInfo.BAD_ALG
    assert "use EST" in words
    told = signed.parse(answers.failure(message, code, words, signing()))
    told.verify()
    with pytest.raises(errors.BadAlgorithm):
        answers.issued(message, [RA], signing())


def test_an_unknown_cipher_is_bad_alg(tmp_path):
    (tmp_path / "ra.pem").write_text(pem_of(RA))
    (tmp_path / "in").write_bytes(request_for(DEVICE.key))
    openssl(
        "cms", "-encrypt", "-binary", "-in", tmp_path / "in", "-camellia128", "-outform", "DER",
        "-out", tmp_path / "out", "-recip", tmp_path / "ra.pem",
    )  # fmt: skip

    body = DEVICE.message(19, b"", envelope=(tmp_path / "out").read_bytes())

    assert refused(body)[0] is FailInfo.BAD_ALG


# --- Readable, and refused ------------------------------------------------------------------


def test_a_message_signed_by_another_key_than_its_certificates_is_bad_message_check():
    body = device(key=NEW_KEY).pkcs_req(request=request_for(DEVICE.key))

    code, words = refused(body)

    assert code is FailInfo.BAD_MESSAGE_CHECK
    assert "signature" in words


def test_changed_attributes_are_bad_message_check():
    for old, new in ((b"A1B2C3", b"A1B2C4"), (b"n" * 16, b"n" * 15 + b"m")):
        changed = BODY.replace(old, new)
        assert changed != BODY
        assert refused(changed)[0] is FailInfo.BAD_MESSAGE_CHECK


@pytest.mark.parametrize("number", [3, 0, 1, 18, 23, 999])
def test_what_is_no_request_is_bad_request(number):
    body = DEVICE.message(number, request_for(DEVICE.key))

    code, words = refused(body)

    assert code is FailInfo.BAD_REQUEST
    assert str(number) in words


def test_no_envelope_or_a_broken_one_is_bad_message_check():
    bare = signed.sign(None, signed.Signer(DEVICE.certificate, DEVICE.key), attributes={
        scep.MESSAGE_TYPE: printable("19"), scep.TRANSACTION_ID: printable("1"),
        scep.SENDER_NONCE: octets(b"n" * 16),
    })  # fmt: skip

    assert scep.parse(bare).cipher is None
    assert refused(bare) == (
        FailInfo.BAD_MESSAGE_CHECK,
        "The message has no envelope (RFC 8894 §3.2.2).",
    )
    for broken in (b"", b"hello", b"\x30\x80" * 5000, bags.build([RA])):
        assert refused(DEVICE.message(19, b"", envelope=broken))[0] is FailInfo.BAD_MESSAGE_CHECK


def test_all_that_is_wrong_inside_the_envelope_is_refused_in_the_same_words():
    somebody = self_signed(NEW_KEY, "somebody")
    names = der.encode(der.SEQUENCE, raw.subject(RA), raw.subject(RA))
    three_names = der.encode(der.SEQUENCE, *[raw.subject(RA)] * 3)
    long_serial = der.encode(der.SEQUENCE, raw.subject(RA), der.integer(1 << 200))
    bodies = [
        DEVICE.message(19, b""),
        DEVICE.message(19, b"no request"),
        DEVICE.message(19, names),
        DEVICE.message(17, b"\x30\x80" * 50),
        DEVICE.message(20, request_for(DEVICE.key)),
        DEVICE.message(20, b"\x05\x00"),
        DEVICE.message(20, names + b"\x00"),
        DEVICE.message(20, three_names),
        DEVICE.message(21, names),
        DEVICE.message(22, long_serial),
        DEVICE.message(19, b"", envelope=enveloped.seal(b"x", recipient=somebody)),
        DEVICE.message(
            19, b"", envelope=enveloped.seal(b"x", recipient=self_signed(NEW_KEY, "RA"))
        ),
    ]

    assert {refused(body) for body in bodies} == {
        (
            FailInfo.BAD_MESSAGE_CHECK,
            "The envelope cannot be opened, or what is in it is not what the message says.",
        )
    }


def test_a_signing_time_that_is_none_is_bad_time():
    times = {asn1.SIGNING_TIME: der.encode(der.UTC_TIME, b"yesterday")}
    body = DEVICE.pkcs_req(changes=times, signing_time=None)

    with pytest.raises(Refused) as caught:
        scep.parse(body).signing_time()

    assert caught.value.fail_info is FailInfo.BAD_TIME
    assert scep.parse(DEVICE.pkcs_req(signing_time=None)).signing_time() is None


# --- Unreadable -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({scep.TRANSACTION_ID: None}, "no transactionID"),
        ({scep.TRANSACTION_ID: printable("")}, "PrintableString"),
        ({scep.TRANSACTION_ID: printable("a" * 256)}, "255 characters"),
        ({scep.TRANSACTION_ID: der.encode(0x13, b"semi;colon")}, "PrintableString"),
        ({scep.TRANSACTION_ID: der.encode(0x13, b"line\nbreak")}, "PrintableString"),
        ({scep.TRANSACTION_ID: der.encode(0x0C, b"A1B2C3")}, "cannot be read"),
        ({scep.MESSAGE_TYPE: None}, "no messageType"),
        ({scep.MESSAGE_TYPE: printable("PKCSReq")}, "no number"),
        ({scep.MESSAGE_TYPE: printable("1000")}, "no number"),
        ({scep.SENDER_NONCE: None}, "no senderNonce"),
        ({scep.SENDER_NONCE: octets(b"")}, "16 octets"),
        ({scep.SENDER_NONCE: octets(b"n" * 65)}, "16 octets"),
        ({scep.SENDER_NONCE: printable("n" * 16)}, "cannot be read"),
    ],
)
def test_without_what_an_answer_must_repeat_there_is_no_answer(changes, words):
    assert words in no_message(DEVICE.pkcs_req(changes=changes))


@pytest.mark.parametrize("length", [1, 8, 16, 20, 64])
def test_a_nonce_of_another_length_is_repeated_as_it_is(length):
    nonce = b"x" * length
    message = scep.parse(device(nonce=nonce).pkcs_req())

    assert DEVICE.read(answers.pending(message, signing())).recipient_nonce == nonce


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", request_for(DEVICE.key), bags.build([RA]), b"\x30\x80" * 9000, b"<html>"],
)
def test_what_is_no_message_is_said_to_be_none(body):
    assert no_message(body).endswith(".")


def test_truncated_anywhere_it_is_no_message():
    for end in range(len(BODY)):
        no_message(BODY[:end])


def test_a_huge_message_is_refused_at_once():
    begun = time.monotonic()

    assert "bytes" in no_message(BODY + b"\x00" * scep.MAX_BYTES)
    assert "bytes" in no_message(b"\x30\x84\x00\x10\x00\x00" + b"\x04\x00" * (1 << 19))

    assert time.monotonic() - begun < 1


def test_indefinite_lengths_are_read():
    """As clients write them that stream: around the message and around its content."""
    body = b"\x30\x80" + der.read(BODY).contents.tobytes() + b"\x00\x00"

    assert opened(body).challenge == "secret"


def test_an_envelope_that_openssl_streamed_is_opened(tmp_path):
    (tmp_path / "ra.pem").write_text(pem_of(RA))
    (tmp_path / "in").write_bytes(request_for(DEVICE.key))
    openssl(
        "cms", "-encrypt", "-binary", "-stream", "-indef", "-in", tmp_path / "in", "-aes128",
        "-outform", "DER", "-out", tmp_path / "out", "-recip", tmp_path / "ra.pem",
    )  # fmt: skip

    body = DEVICE.message(19, b"", envelope=(tmp_path / "out").read_bytes())

    assert opened(body).challenge == "secret"


# --- By GET ---------------------------------------------------------------------------------


def test_a_message_of_a_get_is_base64():
    plain = base64.b64encode(BODY).decode()

    for text in (plain, plain.replace("+", " "), base64.encodebytes(BODY).decode(), f" {plain}\n"):
        assert scep.body_of_query(text) == BODY


@pytest.mark.parametrize("text", ["%41", "ä", "A", "A" * (2 * scep.MAX_BYTES + 4), "=A=="])
def test_a_message_of_a_get_that_is_not_base64_is_none(text):
    with pytest.raises(NotAMessage):
        scep.body_of_query(text)


# --- Answers --------------------------------------------------------------------------------


def test_a_certificate_goes_out_in_an_envelope_for_whoever_asked():
    issued = CA.certify("device-7", key=DEVICE.key).certificate
    message = scep.parse(BODY)

    body = answers.issued(message, [issued, CA.certificate], signing())
    reply = DEVICE.read(body)

    assert reply.status == answers.PKIStatus.SUCCESS
    assert set(reply.certificates) == {issued, CA.certificate}
    assert reply.transaction_id == message.transaction_id
    assert reply.recipient_nonce == message.sender_nonce
    assert reply.sender_nonce == b"s" * 16
    assert raw.key(issued) not in body
    with pytest.raises(errors.CannotDecrypt):
        device(key=NEW_KEY).read(body)


def test_a_crl_goes_out_in_an_envelope():
    listed = crl.assemble(
        **CA.signer, number=3, entries=[], this_update=NOW, next_update=NOW + timedelta(days=7)
    )
    message = scep.parse(DEVICE.get_crl(CA.certificate, 5))

    reply = DEVICE.read(answers.revocation_list(message, listed, signing()))

    assert (reply.certificates, reply.crls) == ((), (listed,))


def test_pending_carries_no_envelope():
    reply = DEVICE.read(answers.pending(scep.parse(BODY), signing()))

    assert (reply.status, reply.fail_info, reply.cipher) == (3, None, None)


@pytest.mark.parametrize("code", FailInfo)
def test_a_failure_says_why(code):
    reply = DEVICE.read(answers.failure(scep.parse(BODY), code, "Zu spät.", signing()))

    assert (reply.status, reply.fail_info, reply.words) == (2, code, "Zu spät.")


def test_a_failure_says_so_much_and_no_more():
    long = DEVICE.read(answers.failure(scep.parse(BODY), FailInfo.BAD_TIME, "w" * 999, signing()))
    none = DEVICE.read(answers.failure(scep.parse(BODY), FailInfo.BAD_TIME, "", signing()))

    assert (long.words, none.words) == ("w" * 255, None)


def test_openssl_reads_an_answer(tmp_path):
    for name, certificate, key in (("ra", RA, RA_KEY), ("me", DEVICE.certificate, DEVICE.key)):
        (tmp_path / f"{name}.pem").write_text(pem_of(certificate))
        (tmp_path / f"{name}.key").write_bytes(pem_of_key(key))
    (tmp_path / "rep").write_bytes(answers.issued(scep.parse(BODY), [CA.certificate], signing()))

    openssl(
        "cms", "-verify", "-binary", "-inform", "DER", "-in", tmp_path / "rep", "-CAfile",
        tmp_path / "ra.pem", "-purpose", "any", "-no_check_time", "-out", tmp_path / "envelope",
    )  # fmt: skip
    openssl(
        "cms", "-decrypt", "-binary", "-inform", "DER", "-in", tmp_path / "envelope", "-inkey",
        tmp_path / "me.key", "-recip", tmp_path / "me.pem", "-out", tmp_path / "bag",
    )  # fmt: skip
    shown = openssl("pkcs7", "-inform", "DER", "-in", tmp_path / "bag", "-print_certs")

    assert pem_of(CA.certificate).strip() in shown
    listed = openssl("cms", "-cmsout", "-print", "-inform", "DER", "-in", tmp_path / "rep")
    assert "2.16.840.1.113733.1.9.3" in listed


def test_capabilities_are_lines():
    usual = answers.capabilities().decode()

    assert usual == "AES\nPOSTPKIOperation\nRenewal\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n"
    assert answers.capabilities(legacy=True).decode() == f"{usual}DES3\nSHA-1\n"
    assert answers.capabilities(next_ca=True).decode() == f"{usual}GetNextCACert\n"


def test_one_ca_certificate_is_der_and_several_are_a_bag():
    kind, body = answers.ca_certificates([RA])
    assert (kind, body) == ("application/x-x509-ca-cert", RA.public_bytes(Encoding.DER))

    kind, body = answers.ca_certificates([RA, CA.certificate])
    assert kind == "application/x-x509-ca-ra-cert"
    assert set(bags.parse(body).certificates) == {RA, CA.certificate}


@pytest.mark.parametrize("algorithm", ["rsa-2048", "ecdsa-p256"])
def test_the_next_ca_is_vouched_for_by_the_ca_of_today(algorithm):
    today = make_ca(algorithm)
    by = signed.Signer(today.certificate, today.key)

    message = signed.parse(answers.next_ca_certificates([CA.certificate], by, signing_time=NOW))
    message.verify()

    assert message.signer == today.certificate
    assert bags.parse(message.content).certificates == (CA.certificate,)


# --- Fuzz -----------------------------------------------------------------------------------


def read_to_the_end(body):
    try:
        message = scep.parse(body)
    except NotAMessage as error:
        assert "\n" not in str(error)  # noqa: PT017
        return
    try:
        message.signing_time()
        message.open(**OPEN, legacy=True)
    except Refused as error:
        assert "\n" not in str(error)  # noqa: PT017
        answers.failure(message, error.fail_info, str(error), signing())


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # a word in the log, no error
@settings(max_examples=500, deadline=1000)
@given(st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 255)), min_size=1, max_size=3))
def test_changed_octets_are_refused_in_the_protocols_form(changes):
    body = bytearray(BODY)
    for position, octet in changes:
        body[position % len(body)] = octet
    read_to_the_end(bytes(body))


@settings(max_examples=150, deadline=1000)
@given(st.sampled_from([*MessageType]), st.binary(max_size=200))
def test_any_content_is_refused_in_the_protocols_form(message_type, inside):
    read_to_the_end(DEVICE.message(message_type, inside))


@settings(max_examples=150, deadline=1000)
@given(st.binary(max_size=300))
def test_any_envelope_is_refused_in_the_protocols_form(envelope):
    read_to_the_end(DEVICE.message(MessageType.PKCS_REQ, b"", envelope=envelope))


@settings(max_examples=150, deadline=1000)
@given(st.dictionaries(
    st.sampled_from([scep.MESSAGE_TYPE, scep.TRANSACTION_ID, scep.SENDER_NONCE,
                     asn1.CONTENT_TYPE, asn1.MESSAGE_DIGEST, asn1.SIGNING_TIME]),
    st.one_of(st.binary(max_size=20).map(octets), st.text(max_size=20).map(
        lambda text: der.encode(0x13, text.encode()))),
))  # fmt: skip
def test_any_attributes_are_refused_in_the_protocols_form(changes):
    read_to_the_end(DEVICE.pkcs_req(changes=changes))
