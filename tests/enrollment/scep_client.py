"""A device that speaks SCEP, and gear that is made wrongly on purpose.

`Device(ra)` asks by `pkcs_req()`, `renewal_req()`, `poll()`, `get_cert()` and `get_crl()`, each of
which returns the body of a PKIOperation; `read()` takes the CertRep apart as RFC 8894 §3.3.2 has a
client do it, with the assertions that a client depends on.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from enrollment.cms import bags, enveloped, signed
from enrollment.scep import message as scep
from issuers.x509 import der, raw
from tests.ca import NOW, named

SERIALIZED = serialization.Encoding.DER


def self_signed(key, subject="device-7"):
    """Return the certificate that a first request is signed with (RFC 8894 §2.3)."""
    digest = hashes.SHA256()
    name = named(subject)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=365))
        .sign(key, digest)
    )


def request_for(key, *, subject="device-7", challenge="secret", digest=None):
    """Return a PKCS #10 request in DER."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(named(subject))
    if challenge is not None:
        oid = x509.oid.AttributeOID.CHALLENGE_PASSWORD
        builder = builder.add_attribute(oid, challenge.encode())
    return builder.sign(key, digest or hashes.SHA256()).public_bytes(SERIALIZED)


def printable(text):
    return core.PrintableString(text).dump()


def octets(value):
    return core.OctetString(value).dump()


@dataclass
class Reply:
    """A CertRep, read."""

    status: int
    fail_info: int | None
    words: str | None
    transaction_id: str
    sender_nonce: bytes
    recipient_nonce: bytes
    digest: str
    cipher: str | None
    certificates: tuple = ()
    crls: tuple = ()
    raw: bytes = field(default=b"", repr=False)


@dataclass
class Device:
    """Somebody with a key and a certificate, who trusts the RA certificate."""

    ra: x509.Certificate
    key: object = None
    certificate: x509.Certificate | None = None
    digest: str = "sha256"
    cipher: str = "aes128_cbc"
    nonce: bytes = b"n" * 16
    transaction_id: str = "A1B2C3"

    def __post_init__(self):
        self.key = self.key or rsa.generate_private_key(65537, 2048)
        self.certificate = self.certificate or self_signed(self.key)

    def message(self, message_type, inside, *, changes=None, envelope=None, **arguments):
        """Return a pkiMessage; `changes` are signed attributes, None for one that is left out."""
        attributes = {
            scep.MESSAGE_TYPE: printable(str(int(message_type))),
            scep.TRANSACTION_ID: printable(self.transaction_id),
            scep.SENDER_NONCE: octets(self.nonce),
            **(changes or {}),
        }
        attributes = {oid: value for oid, value in attributes.items() if value is not None}
        if envelope is None:
            envelope = enveloped.seal(inside, recipient=self.ra, cipher=self.cipher)
        given = {"attributes": attributes, "signing_time": NOW, "digest": self.digest}
        by = signed.Signer(self.certificate, self.key)
        return signed.sign(envelope, by, **given | arguments)

    def pkcs_req(self, *, challenge="secret", request=None, **arguments):
        request = request or request_for(self.key, challenge=challenge)
        return self.message(scep.MessageType.PKCS_REQ, request, **arguments)

    def renewal_req(self, new_key, *, challenge=None, **arguments):
        """Ask for a certificate of a new key, signed with the old one."""
        request = request_for(new_key, challenge=challenge)
        return self.message(scep.MessageType.RENEWAL_REQ, request, **arguments)

    def poll(self, ca, *, subject="device-7", **arguments):
        names = der.encode(der.SEQUENCE, raw.subject(ca), named(subject).public_bytes())
        return self.message(scep.MessageType.CERT_POLL, names, **arguments)

    def get_cert(self, ca, serial, **arguments):
        inside = der.encode(der.SEQUENCE, raw.subject(ca), der.integer(serial))
        return self.message(scep.MessageType.GET_CERT, inside, **arguments)

    def get_crl(self, ca, serial, **arguments):
        inside = der.encode(der.SEQUENCE, raw.subject(ca), der.integer(serial))
        return self.message(scep.MessageType.GET_CRL, inside, **arguments)

    def read(self, body, *, legacy=False):
        """Verify a CertRep and take it apart."""
        rep = signed.parse(body)
        rep.verify(legacy=legacy)
        assert rep.signer == self.ra
        text = {oid: _text(rep.attributes.get(oid)) for oid in _TEXTS}
        assert text[scep.MESSAGE_TYPE] == "3"
        reply = Reply(
            status=int(text[scep.PKI_STATUS]),
            fail_info=None if text[scep.FAIL_INFO] is None else int(text[scep.FAIL_INFO]),
            words=text[scep.FAIL_INFO_TEXT],
            transaction_id=text[scep.TRANSACTION_ID],
            sender_nonce=bytes(core.OctetString.load(rep.attributes[scep.SENDER_NONCE])),
            recipient_nonce=bytes(core.OctetString.load(rep.attributes[scep.RECIPIENT_NONCE])),
            digest=rep.digest,
            cipher=None,
            raw=body,
        )
        # RFC 8894 §3.3.2: an envelope on success alone, failInfo on failure alone.
        # Without one the content is empty, and there: OpenSSL verifies nothing that is left out.
        assert rep.content is not None
        assert bool(rep.content) == (reply.status == 0)
        assert (reply.fail_info is not None) == (reply.status == 2)
        if rep.content:
            envelope = enveloped.parse(rep.content)
            bag = bags.parse(envelope.open(self.key, self.certificate, legacy=legacy))
            reply.cipher = envelope.cipher
            reply.certificates, reply.crls = bag.certificates, bag.crls
        return reply


_TEXTS = (
    scep.MESSAGE_TYPE,
    scep.PKI_STATUS,
    scep.FAIL_INFO,
    scep.FAIL_INFO_TEXT,
    scep.TRANSACTION_ID,
)


def _text(value):
    """Return a string's value, whichever kind of string it is."""
    return None if value is None else bytes(der.read(value).contents).decode()
