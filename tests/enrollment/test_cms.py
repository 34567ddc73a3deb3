"""CMS: what is signed, enveloped and carried; held against openssl, and refused in words."""

import time
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from enrollment.cms import asn1, bags, ber, enveloped, errors, signed
from issuers.x509 import crl, der
from tests.ca import NOW, make_ca, openssl, pem_of, pem_of_key
from tests.enrollment.scep_client import self_signed

KEY = rsa.generate_private_key(65537, 2048)
CERTIFICATE = self_signed(KEY)
EC_KEY = ec.generate_private_key(ec.SECP384R1())
EC_CERTIFICATE = self_signed(EC_KEY, "device-8")
BY = signed.Signer(CERTIFICATE, KEY)
CONTENT = bytes(range(256)) * 20
CA = make_ca("rsa-2048")
OTHER = rsa.generate_private_key(65537, 2048)


def sign(content=CONTENT, by=BY, **changes):
    return signed.sign(content, by, **{"attributes": {}, "signing_time": NOW, **changes})


MESSAGE = sign(b"what was agreed")
ENVELOPE = enveloped.seal(b"what only you may read", recipient=CERTIFICATE)
BAG = bags.build([CERTIFICATE, EC_CERTIFICATE])
READERS = {"signed": signed.parse, "enveloped": enveloped.parse, "bag": bags.parse}
SAMPLES = {"signed": MESSAGE, "enveloped": ENVELOPE, "bag": BAG}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "content").write_bytes(CONTENT)
    for name, certificate, key in (
        ("rsa", CERTIFICATE, KEY),
        ("ec", EC_CERTIFICATE, EC_KEY),
        ("ca", CA.certificate, CA.key),
    ):
        (tmp_path / f"{name}.pem").write_text(pem_of(certificate))
        (tmp_path / f"{name}.key").write_bytes(pem_of_key(key))
    return tmp_path


def by_openssl(folder, *args):
    """Let openssl make a message of the content, and return it."""
    made = folder / "made"
    openssl("cms", "-binary", "-in", folder / "content", "-outform", "DER", "-out", made, *args)
    return made.read_bytes()


def edited(data, old, new):
    assert data.count(old) == 1
    return data.replace(old, new)


def der_of(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


# --- Signed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("name", ["rsa", "ec"])
def test_openssl_verifies_what_is_signed_here(folder, name, digest):
    by = BY if name == "rsa" else signed.Signer(EC_CERTIFICATE, EC_KEY)
    (folder / "m").write_bytes(sign(by=by, digest=digest))

    openssl(
        "cms", "-verify", "-binary", "-inform", "DER", "-in", folder / "m",
        "-CAfile", folder / f"{name}.pem", "-purpose", "any", "-no_check_time",
        "-out", folder / "out",
    )  # fmt: skip

    assert (folder / "out").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "options",
    [
        ["-md", "sha256"],
        ["-md", "sha384"],
        ["-md", "sha512", "-keyid"],
        ["-md", "sha256", "-stream", "-indef"],
        ["-md", "sha256", "-keyopt", "rsa_padding_mode:pss"],
        ["-md", "sha384", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:20"],
    ],
)
@pytest.mark.parametrize("name", ["rsa", "ec"])
def test_what_openssl_signs_is_verified_here(folder, name, options):
    if name == "ec" and "-keyopt" in options:
        options = ["-md", "sha256"]
    if "-keyid" in options:
        name = "ca"
    signer = ["-signer", folder / f"{name}.pem", "-inkey", folder / f"{name}.key"]

    message = signed.parse(by_openssl(folder, "-sign", "-nodetach", *signer, *options))
    message.verify()

    assert message.content == CONTENT
    assert message.content_type == asn1.DATA
    assert message.digest == options[1]
    assert message.signing_time() is not None


def test_attributes_come_through_by_their_oid():
    value = der.encode(0x13, b"19")

    message = signed.parse(sign(attributes={"2.16.840.1.113733.1.9.2": value}))
    message.verify()

    assert message.attributes["2.16.840.1.113733.1.9.2"] == value
    assert message.signing_time() == NOW
    assert message.signer == CERTIFICATE


def test_a_time_after_2049_has_four_digits():
    late = datetime(2051, 1, 1, tzinfo=UTC)

    assert signed.parse(sign(signing_time=late)).signing_time() == late
    assert signed.parse(sign(signing_time=None)).signing_time() is None


def test_without_content_the_digest_is_of_nothing():
    message = signed.parse(sign(None))
    message.verify()

    assert message.content is None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"what was agreed", b"what was Agreed", "content is not the one"),
        (b"260601120000Z", b"260601120001Z", "signature"),
    ],
)
def test_a_change_on_the_way_is_seen(old, new, words):
    with pytest.raises(errors.BadSignature, match=words):
        signed.parse(edited(MESSAGE, old, new)).verify()


def test_a_signature_of_another_key_does_not_hold():
    message = signed.parse(sign(by=signed.Signer(CERTIFICATE, OTHER)))

    with pytest.raises(errors.BadSignature, match="signature of the message"):
        message.verify()


def test_a_signature_of_another_kind_than_the_key_is_refused():
    message = signed.parse(sign(by=signed.Signer(EC_CERTIFICATE, KEY)))

    with pytest.raises(errors.BadAlgorithm, match="kind of the signer's key"):
        message.verify()


def test_a_stated_type_that_is_not_the_content_is_seen():
    attributes = {asn1.CONTENT_TYPE: asn1.oid(asn1.SIGNED_DATA).dump()}

    with pytest.raises(errors.BadSignature, match="type of the content"):
        signed.parse(sign(attributes=attributes)).verify()


def test_a_stated_digest_that_is_not_the_contents_is_seen():
    attributes = {asn1.MESSAGE_DIGEST: der.encode(der.OCTET_STRING, b"0" * 32)}

    with pytest.raises(errors.BadSignature, match="content is not the one"):
        signed.parse(sign(attributes=attributes)).verify()


@pytest.mark.parametrize("oid", [asn1.CONTENT_TYPE, asn1.MESSAGE_DIGEST])
def test_a_message_without_a_needed_attribute_is_refused(monkeypatch, oid):
    whole = signed.attribute_set

    def part(values):
        return whole({name: value for name, value in values.items() if name != oid})

    monkeypatch.setattr(signed, "attribute_set", part)

    with pytest.raises(errors.Malformed, match="not among the signed attributes"):
        signed.parse(sign())


def test_attributes_twice_or_with_two_values_are_refused(monkeypatch):
    def twice(values):
        attributes = [(oid, [value]) for oid, value in values.items()]
        return asn1.Attributes(
            [
                asn1.Attribute({"type": oid, "values": asn1.Anything([asn1.raw(v) for v in vs])})
                for oid, vs in [*attributes, attributes[1]]
            ]
        )

    def double(values):
        return asn1.Attributes(
            [
                asn1.Attribute({"type": oid, "values": asn1.Anything([asn1.raw(v)] * 2)})
                for oid, v in values.items()
            ]
        )

    for wrong in (twice, double):
        monkeypatch.setattr(signed, "attribute_set", wrong)
        with pytest.raises(errors.Malformed, match="once, with one value"):
            signed.parse(sign())


def test_too_many_attributes_are_refused():
    many = {f"1.2.3.{number}": b"\x05\x00" for number in range(signed.MAX_ATTRIBUTES)}

    with pytest.raises(errors.Malformed, match="32 signed attributes"):
        signed.parse(sign(attributes=many))


def test_a_message_without_signed_attributes_is_refused(folder):
    message = by_openssl(
        folder, "-sign", "-nodetach", "-noattr",
        "-signer", folder / "rsa.pem", "-inkey", folder / "rsa.key",
    )  # fmt: skip

    with pytest.raises(errors.Malformed, match="no signed attributes"):
        signed.parse(message)


def test_two_signers_are_refused(folder):
    message = by_openssl(
        folder, "-sign", "-nodetach",
        "-signer", folder / "rsa.pem", "-inkey", folder / "rsa.key",
        "-signer", folder / "ec.pem", "-inkey", folder / "ec.key",
    )  # fmt: skip

    with pytest.raises(errors.Malformed, match="one signer"):
        signed.parse(message)


def test_a_signer_whose_certificate_is_not_there_is_refused(folder):
    signer = ["-signer", folder / "rsa.pem", "-inkey", folder / "rsa.key"]

    for other in ([], ["-certfile", folder / "ec.pem"]):
        message = by_openssl(folder, "-sign", "-nodetach", "-nocerts", *signer, *other)
        with pytest.raises(errors.Malformed, match="signer's certificate is not"):
            signed.parse(message)


def test_sha1_is_for_old_gear_alone(folder):
    signer = ["-signer", folder / "rsa.pem", "-inkey", folder / "rsa.key"]
    message = signed.parse(by_openssl(folder, "-sign", "-nodetach", "-md", "sha1", *signer))

    message.verify(legacy=True)
    with pytest.raises(errors.BadAlgorithm, match="sha1 is too weak"):
        message.verify()


@pytest.mark.parametrize("legacy", [True, False])
def test_md5_is_for_nobody(folder, legacy):
    signer = ["-signer", folder / "rsa.pem", "-inkey", folder / "rsa.key"]
    message = signed.parse(by_openssl(folder, "-sign", "-nodetach", "-md", "md5", *signer))

    with pytest.raises(errors.BadAlgorithm, match="not known here"):
        message.verify(legacy=legacy)


def test_short_keys_are_for_old_gear_alone():
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505
    message = signed.parse(sign(by=signed.Signer(self_signed(short), short)))

    message.verify(legacy=True)
    with pytest.raises(errors.BadAlgorithm, match="2048 to 8192 bits"):
        message.verify()


def test_a_signature_that_speaks_of_another_digest_is_refused(monkeypatch):
    monkeypatch.setattr(
        "enrollment.cms.algorithms.signature_identifier",
        lambda *_, **__: asn1.Algorithm({"algorithm": "1.2.840.113549.1.1.12"}),
    )

    with pytest.raises(errors.BadAlgorithm, match="signed with sha384, but its digest is sha256"):
        signed.parse(sign()).verify()


def test_pss_with_two_digests_is_refused(folder):
    signer = ["-signer", folder / "rsa.pem", "-inkey", folder / "rsa.key"]
    options = ["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_mgf1_md:sha512"]
    message = by_openssl(folder, "-sign", "-nodetach", "-md", "sha256", *signer, *options)

    with pytest.raises(errors.BadAlgorithm, match="one digest"):
        signed.parse(message).verify()


# --- Enveloped ------------------------------------------------------------------------------


def opened(data, key=KEY, certificate=CERTIFICATE, *, legacy=False):
    return enveloped.parse(data).open(key, certificate, legacy=legacy)


@pytest.mark.parametrize("oaep", [True, False])
@pytest.mark.parametrize("cipher", ["aes128_cbc", "aes192_cbc", "aes256_cbc", "des_ede3_cbc"])
def test_openssl_opens_what_is_sealed_here(folder, cipher, oaep):
    envelope = enveloped.seal(CONTENT, recipient=CERTIFICATE, cipher=cipher, oaep=oaep)
    (folder / "e").write_bytes(envelope)

    openssl(
        "cms", "-decrypt", "-binary", "-inform", "DER", "-in", folder / "e",
        "-inkey", folder / "rsa.key", "-recip", folder / "rsa.pem", "-out", folder / "out",
    )  # fmt: skip

    assert (folder / "out").read_bytes() == CONTENT
    assert opened(envelope, legacy=True) == CONTENT


@pytest.mark.parametrize(
    ("cipher", "options"),
    [
        ("aes128_cbc", ["-aes128"]),
        ("aes192_cbc", ["-aes192", "-stream", "-indef"]),
        ("aes256_cbc", ["-aes256"]),
        ("des_ede3_cbc", ["-des3"]),
    ],
)
@pytest.mark.parametrize(
    "transport",
    [
        [],
        ["-keyopt", "rsa_padding_mode:oaep"],
        ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"],
    ],
)
def test_what_openssl_seals_is_opened_here(folder, cipher, options, transport):
    envelope = by_openssl(folder, "-encrypt", *options, "-recip", folder / "rsa.pem", *transport)

    assert enveloped.parse(envelope).cipher == cipher
    assert opened(envelope, legacy=True) == CONTENT


def test_among_several_recipients_ours_is_taken(folder):
    recipients = ["-recip", folder / "rsa.pem", "-recip", folder / "ca.pem"]
    envelope = by_openssl(folder, "-encrypt", "-aes128", *recipients)
    by_key = by_openssl(folder, "-encrypt", "-aes128", "-keyid", *recipients[2:])

    assert opened(envelope, CA.key, CA.certificate) == CONTENT
    assert opened(by_key, CA.key, CA.certificate) == CONTENT


def test_3des_is_for_old_gear_alone():
    envelope = enveloped.seal(CONTENT, recipient=CERTIFICATE, cipher="des_ede3_cbc")

    with pytest.raises(errors.BadAlgorithm, match="too weak"):
        opened(envelope)


def test_an_unknown_cipher_is_refused(folder):
    recipient = ["-recip", folder / "rsa.pem"]
    envelope = by_openssl(folder, "-encrypt", "-camellia128", *recipient)

    assert enveloped.parse(envelope).cipher.startswith("1.2.392.")
    with pytest.raises(errors.BadAlgorithm, match="not known here"):
        opened(envelope)


def test_an_envelope_to_an_ec_key_is_refused():
    with pytest.raises(errors.BadAlgorithm, match="RSA keys alone"):
        enveloped.seal(b"", recipient=EC_CERTIFICATE)


def resealed(envelope, encrypted_key):
    """Return the envelope with another encrypted key of the same length."""
    return edited(envelope, enveloped.parse(envelope).recipients[0].encrypted_key, encrypted_key)


def refused(envelope, key=KEY, certificate=CERTIFICATE):
    with pytest.raises(errors.CannotDecrypt) as caught:
        opened(envelope, key, certificate)
    return str(caught.value)


def encrypted(value, how=None):
    return KEY.public_key().encrypt(value, how or padding.PKCS1v15())


def test_whatever_is_wrong_inside_is_refused_in_the_same_words():
    # Each in 16 ways, since one in 256 wrong keys happens to leave a padding that is right.
    words = set()
    for number in range(16):
        content = enveloped.seal(bytes([number]) * 40, recipient=CERTIFICATE)
        wrong_keys = [
            encrypted(b"k" * 16),  # another key
            encrypted(b"k" * 15),  # of a wrong length
            encrypted(b"k" * 24),
            encrypted(b""),
            bytes([number + 1]) * 256 if number < 100 else b"",  # no padding at all
        ]
        for wrong in wrong_keys:
            try:
                opened(resealed(content, wrong))
            except errors.CannotDecrypt as error:
                words.add(str(error))
    words.add(refused(ENVELOPE, OTHER))  # by another key
    words.add(refused(ENVELOPE, OTHER, self_signed(OTHER, "another")))  # for somebody else
    oaep = enveloped.seal(b"x", recipient=CERTIFICATE, oaep=True)
    words.add(refused(resealed(oaep, b"\x01" * 256)))

    assert words == {"The envelope cannot be opened with the key that it should be for."}


def test_a_wrong_padding_of_the_key_is_not_told_from_a_wrong_content():
    """Libraries that raise for it would let a stranger decrypt, question by question."""
    assert len(KEY.decrypt(b"\x01" * 256, padding.PKCS1v15())) < 256  # raises nothing

    recipient = enveloped.parse(resealed(ENVELOPE, b"\x01" * 256)).recipients[0]

    first = enveloped._content_key(recipient, KEY, 16)
    assert len(first) == 16
    assert first == enveloped._content_key(recipient, KEY, 16)  # as a true key would be


def test_keys_of_a_wrong_length_are_replaced_by_ones_of_the_right():
    recipient = enveloped.parse(resealed(ENVELOPE, encrypted(b"k" * 24))).recipients[0]

    assert enveloped._content_key(recipient, KEY, 24) == b"k" * 24
    assert len(enveloped._content_key(recipient, KEY, 16)) == 16


def test_content_that_is_no_whole_blocks_is_refused():
    envelope = enveloped.parse(ENVELOPE)

    for changes in ({"_ciphertext": b"x" * 17}, {"_iv": b"x" * 8}):
        parts = {name: getattr(envelope, name) for name in envelope.__slots__}
        with pytest.raises(errors.Malformed, match="whole blocks"):
            enveloped.Enveloped(**parts | changes).open(KEY, CERTIFICATE)


# --- Bags -----------------------------------------------------------------------------------


def test_openssl_reads_a_bag(folder):
    (folder / "bag").write_bytes(BAG)

    shown = openssl("pkcs7", "-inform", "DER", "-in", folder / "bag", "-print_certs")

    for certificate in (CERTIFICATE, EC_CERTIFICATE):
        assert pem_of(certificate).strip() in shown
    assert set(bags.parse(BAG).certificates) == {CERTIFICATE, EC_CERTIFICATE}


def test_a_bag_may_carry_a_crl(folder):
    ca = make_ca()
    revoked = crl.assemble(
        **ca.signer, number=1, entries=[], this_update=NOW, next_update=NOW.replace(year=2027)
    )
    bag = bags.build([], crl=revoked)
    (folder / "bag").write_bytes(bag)

    assert bags.parse(bag) == bags.Bag((), (revoked,))
    assert "BEGIN X509 CRL" in openssl(
        "pkcs7", "-inform", "DER", "-in", folder / "bag", "-print_certs"
    )


def test_what_openssl_puts_into_a_bag_is_read(folder):
    made = folder / "bag"
    openssl(
        "crl2pkcs7", "-nocrl", "-certfile", folder / "rsa.pem", "-certfile", folder / "ec.pem",
        "-outform", "DER", "-out", made,
    )  # fmt: skip

    assert set(bags.parse(made.read_bytes()).certificates) == {CERTIFICATE, EC_CERTIFICATE}


def test_the_same_certificate_is_carried_once():
    assert bags.build([CERTIFICATE, CERTIFICATE]) == bags.build([CERTIFICATE])


@pytest.mark.parametrize("content", [None, b"x"])
def test_a_signed_message_is_no_bag(content):
    with pytest.raises(errors.Malformed, match="no signers"):
        bags.parse(sign(content))


def test_a_bag_of_too_many_or_of_none_that_are_certificates_is_refused():
    many = bags.build([self_signed(EC_KEY, str(number)) for number in range(17)])

    with pytest.raises(errors.Malformed, match="16 certificates"):
        bags.parse(many)
    with pytest.raises(errors.Malformed, match="certificate cannot be read"):
        bags.parse(
            edited(bags.build([EC_CERTIFICATE]), b"\x2b\x81\x04\x00\x22", b"\x2b\x81\x04\x00\x7f")
        )


# --- Shapes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", READERS)
def test_truncated_anywhere_it_is_refused(kind):
    for end in range(len(SAMPLES[kind])):
        with pytest.raises(errors.Malformed):
            READERS[kind](SAMPLES[kind][:end])


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("tail", [b"\x00", b"\x00\x00", b"\n", b"\x05\x00"])
def test_with_something_behind_it_it_is_refused(kind, tail):
    with pytest.raises(errors.Malformed, match="follows the end"):
        READERS[kind](SAMPLES[kind] + tail)


@pytest.mark.parametrize("kind", READERS)
def test_of_another_type_by_its_own_words_it_is_refused(kind):
    """Whatever its structure is: here that of the type that is read."""
    digested_data = bytes.fromhex("2a864886f70d010705")
    _, content = der.read(SAMPLES[kind])
    changed = der.encode(der.SEQUENCE, der.encode(der.OID, digested_data), content.whole)

    with pytest.raises(errors.Malformed, match="This is no"):
        READERS[kind](changed)


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("other", READERS)
def test_one_kind_is_not_taken_for_another(kind, other):
    if kind != other:
        with pytest.raises(errors.Malformed):
            READERS[kind](SAMPLES[other])


def nested(depth, header):
    return header * depth


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\x30\x80" * 100_000, "24 values deep"),
        (b"\x24\x80" * 30 + b"\x00\x00" * 30, "24 values deep"),
        (b"\x30\x83\x03\x0d\x40" + b"\x05\x00" * 100_000, "10000 elements"),
        (b"\x30\x84\x7f\xff\xff\xff", "ends too early"),
        (b"\x30\x85\x01\x00\x00\x00\x00", "more octets than any message"),
        (b"\x30\xff", "more octets than any message"),
        (b"\x04\x80\x00\x00", "indefinite length"),
        (b"\x30\x02\x00\x00", "end-of-contents"),
        (b"\x3f\x81\x01\x00", "several octets"),
        (b"\x30\x05\x30\x06\x05\x00\x05\x00\x05", "too early"),
        (b"\x30\x80\x05\x00", "too early"),
        (b"\x30\x04\x30\x80\x05\x00\x00\x00", "too early|follows"),
        (b"\x30" + b"\x00" * ber.MAX_BYTES, "262144 bytes"),
    ],
)
def test_bad_shapes_are_refused_at_once(kind, data, words):
    begun = time.monotonic()

    with pytest.raises(errors.Malformed, match=words):
        READERS[kind](data)

    assert time.monotonic() - begun < 1


def test_elements_besides_a_types_own_are_refused():
    outer = list(der.read(BAG))
    content = der.read(outer[1].contents)
    more = der.encode(der.SEQUENCE, content.contents, b"\x05\x00")
    changed = der.encode(der.SEQUENCE, outer[0].whole, der.encode(0xA0, more))

    with pytest.raises(errors.Malformed):
        bags.parse(changed)


def test_indefinite_lengths_are_read_where_no_signature_needs_der():
    body = b"\x30\x80" + der.read(MESSAGE).contents.tobytes() + b"\x00\x00"

    message = signed.parse(body)
    message.verify()

    assert message.content == b"what was agreed"


# --- Fuzz -----------------------------------------------------------------------------------


def read_to_the_end(data):
    for read in READERS.values():
        try:
            message = read(data)
            if isinstance(message, signed.Signed):
                message.signing_time()
                message.verify(legacy=True)
            elif isinstance(message, enveloped.Enveloped):
                message.open(KEY, CERTIFICATE, legacy=True)
        except errors.CMSError as error:
            assert str(error)[0].isupper() or str(error).startswith(("sha", "des"))  # noqa: PT017
            assert "\n" not in str(error)  # noqa: PT017


@settings(max_examples=300, deadline=1000)
@given(st.binary(max_size=300))
def test_garbage_raises_the_modules_own_errors_alone(data):
    read_to_the_end(data)
    read_to_the_end(der.encode(der.SEQUENCE, der.read(MESSAGE).contents[:11], data))


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # a word in the log, no error
@settings(max_examples=600, deadline=1000)
@given(
    st.sampled_from(sorted(SAMPLES)),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_changed_octets_raise_the_modules_own_errors_alone(kind, changes):
    data = bytearray(SAMPLES[kind])
    for position, octet in changes:
        data[position % len(data)] = octet
    read_to_the_end(bytes(data))


@settings(max_examples=200, deadline=1000)
@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_pieces_taken_out_or_doubled_raise_the_modules_own_errors_alone(kind, data):
    sample = SAMPLES[kind]
    begin = data.draw(st.integers(0, len(sample)))
    end = data.draw(st.integers(begin, min(len(sample), begin + 60)))
    read_to_the_end(sample[:begin] + sample[end:])
    read_to_the_end(sample[:end] + sample[begin:end] + sample[end:])
