"""Certificates, as openssl sees them and byte by byte."""

from datetime import timedelta

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from django.utils import timezone

from issuers.x509 import certs, lint, names
from issuers.x509.signing import hash_for
from tests.ca import KEYS, NOW, OLD, make_ca, openssl, write

POINTERS = certs.Pointers("http://pki.test/crl/a", "http://pki.test/ocsp/a", "http://pki.test/ca/a")


def contents(**changes):
    key = ec.generate_private_key(ec.SECP256R1())
    return certs.Contents(
        **{
            "public_key": key.public_key(),
            "subject": names.subject_of([("CN", "web.demo.internal")]),
            "sans": ["dns:web.demo.internal", "ip:10.1.2.3"],
            "not_before": NOW,
            "not_after": NOW + timedelta(days=47, seconds=-1),
            "key_usage": ["digitalSignature"],
            "extended_key_usage": ["serverAuth"],
            "pointers": POINTERS,
            **changes,
        }
    )


def extensions(certificate):
    """Return extensions by OID, as asn1crypto finds them: (critical, value octets)."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    found = asn1.Certificate.load(der, strict=True)["tbs_certificate"]["extensions"]
    return {
        one["extn_id"].dotted: (one["critical"].native, one["extn_value"].contents) for one in found
    }


@pytest.mark.parametrize("algorithm", KEYS)
def test_openssl_reads_and_verifies_a_chain(algorithm, tmp_path):
    root = make_ca(algorithm)
    issuing = make_ca("ecdsa-p256", parent=root, path_length=0, pointers=POINTERS, days=365)
    leaf = certs.build_leaf(contents(), **issuing.signer)
    at = ["-attime", int(NOW.timestamp()) + 60]
    files = [
        write(tmp_path / name, thing)
        for name, thing in [
            ("root", root.certificate), ("issuing", issuing.certificate), ("leaf", leaf)
        ]
    ]  # fmt: skip

    said = openssl(
        "verify", *at, "-x509_strict", "-purpose", "sslserver", "-verify_hostname",
        "web.demo.internal", "-CAfile", files[0], "-untrusted", files[1], files[2],
    )  # fmt: skip
    text = openssl("x509", "-in", files[2], "-noout", "-text")

    assert said.strip().endswith("OK")
    for wanted in (
        "DNS:web.demo.internal, IP Address:10.1.2.3",
        "URI:http://pki.test/crl/a",
        "OCSP - URI:http://pki.test/ocsp/a",
        "CA Issuers - URI:http://pki.test/ca/a",
        "TLS Web Server Authentication",
        "CA:FALSE",
    ):
        assert wanted in text


@pytest.mark.parametrize("algorithm", KEYS)
def test_an_issuing_ca_of_any_kind_signs(algorithm):
    ca = make_ca(algorithm)
    wanted = contents()

    leaf = certs.build_leaf(wanted, **ca.signer)

    leaf.verify_directly_issued_by(ca.certificate)
    assert lint.check_leaf(leaf, wanted, issuer=ca.certificate) == []
    der = asn1.Certificate.load(leaf.public_bytes(serialization.Encoding.DER))
    assert der["signature_algorithm"].dump() == der["tbs_certificate"]["signature"].dump()


def test_serials_are_random_positive_and_fit_in_twenty_octets():
    ca = make_ca()

    serials = {certs.build_leaf(contents(), **ca.signer).serial_number for _ in range(20)}

    assert len(serials) == 20
    assert all(0 < serial < 1 << 159 for serial in serials)
    assert max(serials).bit_length() > 140


def test_the_extensions_are_those_of_a_subscriber():
    ca = make_ca()

    found = extensions(certs.build_leaf(contents(), **ca.signer))

    assert {oid: critical for oid, (critical, _) in found.items()} == {
        "2.5.29.14": False,
        "2.5.29.15": True,
        "2.5.29.17": False,
        "2.5.29.19": True,
        "2.5.29.31": False,
        "2.5.29.35": False,
        "2.5.29.37": False,
        "1.3.6.1.5.5.7.1.1": False,
    }
    assert found["2.5.29.19"][1] == bytes.fromhex("3000")


def test_the_names_are_critical_where_the_subject_is_empty():
    ca = make_ca()

    leaf = certs.build_leaf(contents(subject=x509.Name([])), **ca.signer)

    assert extensions(leaf)["2.5.29.17"][0] is True


def test_a_short_lived_certificate_says_that_nobody_will_revoke_it(tmp_path):
    ca = make_ca()
    wanted = contents(no_revocation=True)

    leaf = certs.build_leaf(wanted, **ca.signer)

    found = extensions(leaf)
    assert found["2.5.29.56"] == (False, b"\x05\x00")
    assert "2.5.29.31" not in found
    text = openssl("x509", "-in", write(tmp_path / "leaf", leaf), "-noout", "-text")
    assert "OCSP - URI" not in text
    assert "CA Issuers - URI:http://pki.test/ca/a" in text
    assert lint.check_leaf(leaf, wanted, issuer=ca.certificate) == []


def test_a_root_and_a_subordinate_are_cas(tmp_path):
    root = make_ca()
    below = make_ca(
        parent=root, path_length=0, permitted=["dns:demo.internal", "ip:10.0.0.0/8"],
        pointers=POINTERS,
    )  # fmt: skip

    text = openssl("x509", "-in", write(tmp_path / "ca", below.certificate), "-noout", "-text")

    assert "CA:TRUE, pathlen:0" in text
    assert "Certificate Sign, CRL Sign" in text
    assert "X509v3 Name Constraints: critical" in text
    assert "DNS:demo.internal" in text
    assert "IP:10.0.0.0/255.0.0.0" in text
    assert "2.5.29.31" not in extensions(root.certificate)
    below.certificate.verify_directly_issued_by(root.certificate)


@pytest.mark.parametrize("text", ["", "dns:", "dns:a b", "ip:10.0.0.1/8", "uri:x", "example.com"])
def test_what_is_no_name_constraint_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        certs.subtree(text)


@pytest.mark.parametrize(
    "kind",
    [
        _ASN1Type.UTF8String,
        _ASN1Type.PrintableString,
        _ASN1Type.T61String,
        _ASN1Type.BMPString,
        _ASN1Type.UniversalString,
        _ASN1Type.IA5String,
    ],
)
def test_the_issuers_name_is_byte_for_byte_that_of_the_ca(kind):
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Old Trust", _type=kind),
            x509.NameAttribute(NameOID.COMMON_NAME, "Old Root"),
        ]
    )
    made = make_ca(subject=subject)
    # Read back, as an imported CA is.
    pem = made.certificate.public_bytes(serialization.Encoding.PEM)
    made.certificate = x509.load_pem_x509_certificate(pem)

    leaf = certs.build_leaf(contents(), **made.signer)

    parsed = [
        asn1.Certificate.load(one.public_bytes(serialization.Encoding.DER))["tbs_certificate"]
        for one in (made.certificate, leaf)
    ]
    assert parsed[0]["subject"].dump() == parsed[1]["issuer"].dump()


def test_a_name_of_several_attributes_in_one_part_stays_so():
    subject = x509.Name(
        [
            x509.RelativeDistinguishedName(
                [
                    x509.NameAttribute(NameOID.COMMON_NAME, "Root"),
                    x509.NameAttribute(NameOID.SERIAL_NUMBER, "7"),
                ]
            )
        ]
    )
    ca = make_ca(subject=subject)

    leaf = certs.build_leaf(contents(), **ca.signer)

    assert leaf.issuer.public_bytes() == ca.certificate.subject.public_bytes()


def test_the_authority_is_named_by_its_own_identifier():
    ca = make_ca()
    ski = ca.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value

    leaf = certs.build_leaf(contents(), **ca.signer)

    aki = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert aki.key_identifier == ski.digest
    assert aki.authority_cert_issuer is None


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"public_key": KEYS["ecdsa-p256"]().public_key()}, "another key"),
        ({"subject": names.subject_of([("CN", "other")])}, "another subject"),
        ({"sans": ["dns:other.demo.internal"]}, "other names"),
        ({"not_after": NOW + timedelta(days=48)}, "another validity"),
        ({"no_revocation": True}, "noRevAvail wrong"),
        ({"key_usage": ["keyAgreement"]}, "other key usages"),
        ({"extended_key_usage": ["clientAuth"]}, "other purposes"),
        ({"not_after": NOW + timedelta(days=9999)}, "it outlives its issuer"),
    ],
)
def test_the_last_look_catches_what_was_not_asked_for(change, problem):
    ca = make_ca()
    wanted = contents()
    signed = certs.build_leaf(contents(**{"public_key": wanted.public_key, **change}), **ca.signer)

    assert problem in lint.check_leaf(signed, wanted, issuer=ca.certificate)


def test_the_last_look_catches_a_ca_and_another_issuer():
    ca, other = make_ca(), make_ca(subject=names.subject_of([("CN", "Other")]))
    wanted = contents()

    assert "it is a CA" in lint.check_leaf(ca.certificate, wanted, issuer=ca.certificate)
    problems = lint.check_leaf(
        certs.build_leaf(wanted, **other.signer), wanted, issuer=ca.certificate
    )
    assert problems == [
        "another issuer",
        "another authority key identifier",
        "a signature that does not verify",
    ]


def test_the_last_look_catches_an_ocsp_pointer_beside_norevavail(monkeypatch):
    ca = make_ca()
    wanted = contents(no_revocation=True)
    point = certs.point

    def pointing(builder, pointers, *, no_revocation):
        builder = point(builder, certs.Pointers(ocsp="http://x.example/"), no_revocation=False)
        none = x509.UnrecognizedExtension(certs.NO_REV_AVAIL, b"\x05\x00")
        return builder.add_extension(none, critical=False)

    monkeypatch.setattr(certs, "point", pointing)
    signed = certs.build_leaf(wanted, **ca.signer)

    assert lint.check_leaf(signed, wanted, issuer=ca.certificate) == [
        "noRevAvail together with a CDP or an OCSP pointer"
    ]


def test_both_ends_of_the_validity_count():
    leaf = certs.build_leaf(contents(), **make_ca().signer)

    assert certs.lifetime_of(leaf) == timedelta(days=47)


def test_unknown_usages_are_refused():
    with pytest.raises(ValueError, match="fly"):
        certs.key_usage(["fly"])
    with pytest.raises(ValueError, match="fly"):
        certs.extended(["fly"])


def test_the_last_look_catches_what_outlives_its_issuer():
    ca = make_ca()
    wanted = contents(not_after=NOW + timedelta(days=9999))

    problems = lint.check_leaf(certs.build_leaf(wanted, **ca.signer), wanted, issuer=ca.certificate)

    assert problems == ["it outlives its issuer"]


def test_the_last_look_catches_a_serial_out_of_bounds(monkeypatch):
    ca = make_ca()
    wanted = contents()
    der = certs.build_leaf(wanted, **ca.signer).public_bytes(serialization.Encoding.DER)
    longer = asn1.Certificate.load(der)
    longer["tbs_certificate"]["serial_number"] = 1 << 159
    signed = x509.load_der_x509_certificate(longer.dump(force=True))

    assert "a serial out of bounds" in lint.check_leaf(signed, wanted, issuer=ca.certificate)


@pytest.mark.parametrize(
    ("curve", "digest"),
    [(ec.SECP256R1, "sha256"), (ec.SECP384R1, "sha384"), (ec.SECP521R1, "sha512")],
)
def test_each_curve_signs_with_the_hash_of_its_strength(curve, digest):
    key = ec.generate_private_key(curve())

    assert hash_for(key).name == hash_for(key.public_key()).name == digest


@pytest.mark.parametrize(
    ("begins", "ends", "problems"),
    [
        (timedelta(minutes=-30), timedelta(days=40), []),
        (timedelta(hours=-2), timedelta(days=40, minutes=-30), ["it lives longer"]),
        (timedelta(0), timedelta(days=40, minutes=30), ["it lives longer"]),
    ],
)
def test_what_is_received_neither_lives_nor_ends_later_than_asked(begins, ends, problems):
    now = timezone.now()
    made = make_ca(begins=now - OLD).certify(
        "web.demo.internal", begins=now + begins, lifetime=ends
    )
    asked = lint.Asked(
        public_key=made.key.public_key(),
        subject=made.certificate.subject,
        sans=["dns:web.demo.internal"],
        lifetime=timedelta(days=40),
        key_usage=[],
        extended_key_usage=[],
    )

    assert lint.check_received(made.certificate, asked, chain=made.chain, now=now) == problems
