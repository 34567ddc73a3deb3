"""A device that speaks SCEP over plain http: its messages protect themselves (RFC 8894).

Its CMS is enrollment's own: openssl's command line can sign no attributes that it does not know,
and SCEP's transaction, nonces and message type are such. What came is verified by openssl.
"""

import secrets
import urllib.request
from dataclasses import dataclass, field
from datetime import timedelta

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.utils import timezone

from enrollment.cms import bags, enveloped, signed
from enrollment.scep import message as scep
from issuers.x509 import chains, der

DER = serialization.Encoding.DER
MESSAGE = "application/x-pki-message"
SUCCESS, FAILURE = 0, 2  # pkiStatus (RFC 8894 §3.2.1.3)


@dataclass(frozen=True)
class Rep:
    """A CertRep: `certificate` on success, `fail_info` and `words` on failure."""

    status: int
    certificate: x509.Certificate | None = None
    fail_info: int | None = None
    words: str = ""


@dataclass
class ScepDevice:
    """A device by the name `name`, with an RSA key and a certificate that it signed itself."""

    url: str
    name: str
    cas: list[x509.Certificate] = field(default_factory=list)
    ra: x509.Certificate | None = None

    @property
    def ra_certificate(self) -> x509.Certificate:
        """The RA's, once `learn` found it."""
        assert self.ra is not None  # noqa: S101 - `learn` comes first
        return self.ra

    def __post_init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, self.name)])
        now = timezone.now()
        # RFC 8894 §2.3: a first request is signed with a certificate of the same subject and key.
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )

    def capabilities(self) -> list[str]:
        """Return what the server can (GetCACaps)."""
        return self._get("GetCACaps").decode().split()

    def learn(self) -> bool:
        """Take the RA's certificate and the CAs from GetCACert (RFC 8894 §4.2.1.2).

        False where there is none yet: a label's is issued a moment after the label is made.
        """
        found = list(bags.parse(self._get("GetCACert")).certificates)
        self.cas = [one for one in found if chains.is_ca(one)]
        self.ra = next((one for one in found if not chains.is_ca(one)), None)
        return self.ra is not None

    def enroll(self, challenge: str) -> Rep:
        """Ask for a first certificate (PKCSReq); return what the CertRep says."""
        attributes = {
            scep.MESSAGE_TYPE: _printable(str(int(scep.MessageType.PKCS_REQ))),
            scep.TRANSACTION_ID: _printable(secrets.token_hex(16)),
            scep.SENDER_NONCE: core.OctetString(secrets.token_bytes(16)).dump(),
        }
        body = signed.sign(
            enveloped.seal(
                self._request(challenge), recipient=self.ra_certificate, cipher="aes128_cbc"
            ),
            signed.Signer(self.certificate, self.key),
            attributes=attributes,
            signing_time=timezone.now(),
            digest="sha256",
        )
        url = f"{self.url}?operation=PKIOperation"
        asked = urllib.request.Request(url, body, {"Content-Type": MESSAGE})  # noqa: S310 - our own http URL
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
            return self._read(answer.read())

    def _read(self, body: bytes) -> Rep:
        """Take a CertRep apart; raises where the RA did not sign it."""
        rep = signed.parse(body)
        rep.verify()
        if rep.signer != self.ra:
            raise ValueError("somebody else than the RA signed the answer")
        status = int(_text(rep.attributes[scep.PKI_STATUS]))
        if status == SUCCESS:
            opened = enveloped.parse(rep.content or b"").open(self.key, self.certificate)
            mine = self.key.public_key()
            issued = bags.parse(opened).certificates
            return Rep(status, next(one for one in issued if one.public_key() == mine))
        fail_info = rep.attributes.get(scep.FAIL_INFO)
        words = rep.attributes.get(scep.FAIL_INFO_TEXT)
        return Rep(
            status,
            fail_info=None if fail_info is None else int(_text(fail_info)),
            words="" if words is None else _text(words),
        )

    def _request(self, challenge: str) -> bytes:
        return (
            x509.CertificateSigningRequestBuilder()
            .subject_name(self.certificate.subject)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(self.name)]), critical=False)
            .add_attribute(x509.oid.AttributeOID.CHALLENGE_PASSWORD, challenge.encode())
            .sign(self.key, hashes.SHA256())
            .public_bytes(DER)
        )

    def _get(self, operation: str) -> bytes:
        with urllib.request.urlopen(f"{self.url}?operation={operation}", timeout=30) as answer:  # noqa: S310 - our own http URL
            return bytes(answer.read())


def _printable(text: str) -> bytes:
    return bytes(core.PrintableString(text).dump())


def _text(value: bytes) -> str:
    return bytes(der.read(value).contents).decode()
