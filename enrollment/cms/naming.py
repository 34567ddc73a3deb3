"""How messages name certificates: by issuer and serial, or by key (RFC 5652 §5.3, §6.2.1)."""

from dataclasses import dataclass

from asn1crypto import cms, core
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from enrollment.cms.errors import Malformed
from issuers.x509 import der, raw
from issuers.x509.reading import UNREADABLE

MAX_CERTIFICATES = 16
_SKI = bytes.fromhex("551d0e")  # the contents of the OID 2.5.29.14
_VERSION = 0xA0


@dataclass(frozen=True, slots=True)
class Identifier:
    """An issuer's name in DER with a serial number; or, where it is not empty, a key identifier.

    The name is compared as it stands.
    """

    issuer: bytes
    serial: int
    key_identifier: bytes = b""

    def names(self, certificate: x509.Certificate) -> bool:
        """Whether it names `certificate`."""
        if not self.key_identifier:
            same_serial = self.serial == serial_of(certificate)
            return same_serial and self.issuer == raw.issuer(certificate)
        value = raw.extension(certificate, _SKI)
        return value is not None and der.read(value).contents == self.key_identifier


def read(choice: core.Choice) -> Identifier:
    """Return what a SignerIdentifier or RecipientIdentifier says; raises what asn1crypto does."""
    chosen = choice.chosen
    if choice.name != "issuer_and_serial_number":
        if not bytes(chosen):
            raise Malformed("A key identifier is empty.")
        return Identifier(b"", 0, bytes(chosen))
    return Identifier(chosen["issuer"].dump(), chosen["serial_number"].native)


def named(certificate: x509.Certificate) -> cms.IssuerAndSerialNumber:
    """Return the IssuerAndSerialNumber of a certificate, its issuer as it stands there."""
    issuer = cms.Name.load(raw.issuer(certificate))
    return cms.IssuerAndSerialNumber({"issuer": issuer, "serial_number": serial_of(certificate)})


def serial_of(certificate: x509.Certificate) -> int:
    """Return the serial number as it stands: the library warns of those that are not positive."""
    parts = list(der.read(certificate.tbs_certificate_bytes))
    return der.integer_of(parts[1] if parts[0].tag == _VERSION else parts[0])


def der_of(certificate: x509.Certificate) -> bytes:
    """Return a certificate's DER."""
    return certificate.public_bytes(serialization.Encoding.DER)


def certificates(values: core.SetOf) -> tuple[x509.Certificate, ...]:
    """Return the certificates of a CertificateSet, or of none; Malformed for any that is none."""
    if isinstance(values, core.Void):
        return ()
    if len(values) > MAX_CERTIFICATES:
        raise Malformed(f"A message may carry {MAX_CERTIFICATES} certificates.")
    return tuple(_certificate(value.dump()) for value in values)


def _certificate(data: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(data)
        # All that is asked of it later, so that nothing fails on it then.
        _ = raw.issuer(certificate), raw.subject(certificate), serial_of(certificate)
        _ = certificate.public_key(), raw.extension(certificate, _SKI)
        _ = certificate.subject.public_bytes(), list(certificate.extensions)
    except UNREADABLE as error:
        words = str(error).split("\n", maxsplit=1)[0][:120].rstrip(".")
        raise Malformed(f"A certificate cannot be read: {words}.") from None
    return certificate
