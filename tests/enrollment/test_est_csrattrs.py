"""csrattrs: what a request should look like, as clients before and after RFC 9908 read it."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_public_key

from enrollment.est import csrattrs
from issuers.x509 import der
from tests.ca import openssl

ALL = csrattrs.Wanted(
    rsa_bits=3072,
    subject=[("CN", None), ("O", "Acme"), ("C", "DE")],
    wants_san=True,
    key_usages=["digitalSignature", "keyEncipherment"],
    ekus=["1.3.6.1.5.5.7.3.2"],
    digest="sha256",
    wants_challenge=True,
)
SET, SEQUENCE, OID = der.SET, der.SEQUENCE, der.OID


def oid_of(element):
    return der.dotted(der.expect(element, OID).contents)


def items(wanted):
    """Return OIDs that stand alone, and attributes by their OID."""
    alone, attributes = [], {}
    for item in der.expect(der.read(csrattrs.build(wanted)), SEQUENCE):
        if item.tag == OID:
            alone.append(oid_of(item))
        else:
            name, values = item
            [value] = der.expect(values, SET)
            attributes[oid_of(name)] = value
    return alone, attributes


def template(wanted):
    """Return a template's parts by name; those that are not there are None."""
    version, *rest = items(wanted)[1][csrattrs.TEMPLATE]
    assert bytes(version.contents) == b"\x00"
    parts = {"subject": None, "key": None}
    for part in rest[:-1]:
        parts["subject" if part.tag == SEQUENCE else "key"] = part
    assert rest[-1].tag == 0xA1
    parts["attributes"] = rest[-1]
    return parts


def test_nothing_wanted_is_an_empty_sequence():
    assert csrattrs.build(csrattrs.Wanted()) == b"\x30\x00"
    assert csrattrs.build(csrattrs.Wanted(digest="sha256")) == b"\x30\x00"


def test_old_clients_read_plain_attributes():
    alone, attributes = items(ALL)

    assert alone == ["1.2.840.113549.1.9.7", "1.2.840.113549.1.1.11"]
    assert der.integer_of(attributes["1.2.840.113549.1.1.1"]) == 3072
    usage, eku = attributes["1.2.840.113549.1.9.14"]
    assert [oid_of(part) for part in (next(iter(usage)), next(iter(eku)))] == [
        "2.5.29.15",
        "2.5.29.37",
    ]
    assert bytes(list(usage)[1].contents) == b"\xff"
    assert bytes(list(usage)[2].contents) == bytes.fromhex("030205a0")


def test_the_extensions_are_what_the_library_would_write():
    attributes = items(ALL)[1]
    usage, eku = attributes["1.2.840.113549.1.9.14"]

    written = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]).public_bytes()
    assert bytes(list(eku)[1].contents) == written
    flags = dict.fromkeys(
        [
            "content_commitment", "data_encipherment", "key_agreement", "key_cert_sign",
            "crl_sign", "encipher_only", "decipher_only",
        ],
        False,
    )  # fmt: skip
    written = x509.KeyUsage(digital_signature=True, key_encipherment=True, **flags).public_bytes()
    assert bytes(list(usage)[2].contents) == written


def test_new_clients_read_a_template_that_they_fill_in():
    parts = template(ALL)

    subject = [next(iter(der.expect(name, SET))) for name in parts["subject"]]
    assert [[oid_of(one) for one in part if one.tag == OID] for part in subject] == [
        ["2.5.4.3"], ["2.5.4.10"], ["2.5.4.6"],
    ]  # fmt: skip
    assert [[bytes(one.contents) for one in list(part)[1:]] for part in subject] == [
        [], [b"Acme"], [b"DE"],
    ]  # fmt: skip
    [attribute] = parts["attributes"]
    name, values = attribute
    assert oid_of(name) == csrattrs.EXTENSION_TEMPLATE
    [extensions] = values
    by_oid = {oid_of(next(iter(one))): list(one)[1:] for one in extensions}
    assert set(by_oid) == {"2.5.29.15", "2.5.29.37", "2.5.29.17"}
    assert by_oid["2.5.29.17"] == []  # for the client to fill in


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_the_size_of_an_rsa_key_is_that_of_a_key_that_is_nobodys(bits):
    key = template(csrattrs.Wanted(rsa_bits=bits))["key"]

    assert key.tag == 0xA0
    read = load_der_public_key(der.encode(SEQUENCE, key.contents))
    assert read.key_size == bits
    assert read.public_numbers().e == 65537


@pytest.mark.parametrize(("curve", "oid"), sorted(csrattrs.CURVES.items()))
def test_a_curve_is_named_and_has_no_key(curve, oid):
    wanted = csrattrs.Wanted(curve=curve, digest="sha384")

    alone, attributes = items(wanted)
    [algorithm] = template(wanted)["key"]

    assert alone == ["1.2.840.10045.4.3.3"]
    assert oid_of(attributes["1.2.840.10045.2.1"]) == oid
    assert [oid_of(one) for one in algorithm] == ["1.2.840.10045.2.1", oid]
    assert bytes(template(wanted)["attributes"].contents) == b""


def test_openssl_walks_all_of_it(tmp_path):
    (tmp_path / "der").write_bytes(csrattrs.build(ALL))

    shown = openssl("asn1parse", "-inform", "DER", "-in", tmp_path / "der")

    for line in (":challengePassword", ":Acme", ":1.2.840.113549.1.9.16.2.61",
                 ":1.2.840.113549.1.9.16.2.62", ":X509v3 Subject Alternative Name"):  # fmt: skip
        assert line in shown


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rsa_bits": 2048, "curve": "secp256r1"}, "either RSA or EC"),
        ({"rsa_bits": 512}, "1024 to 16384"),
        ({"rsa_bits": 1 << 20}, "1024 to 16384"),
        ({"curve": "secp256k1"}, "no curve"),
        ({"subject": [("DC", None)]}, "DC is not known"),
        ({"key_usages": ["sign"]}, "sign is not known"),
        ({"digest": "md5"}, "md5 is not known"),
    ],
)
def test_what_cannot_be_said_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        csrattrs.Wanted(**changes)
