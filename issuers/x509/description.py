"""What a certificate says, read once: for whoever signs, imports or shows one."""

import contextlib
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from issuers.x509 import certs, names

MAX_COMMON_NAME = 64  # RFC 5280 appendix A.1, ub-common-name


@dataclass(frozen=True, slots=True)
class SignedCertificate:
    """A signed certificate and what the inventory says of it.

    `short_lived` is whether it carries noRevAvail (RFC 9608): how long it lives says nothing
    about whether its issuer answers for it.
    """

    certificate_pem: str
    chain_pem: str
    serial_hex: str
    not_before: datetime
    not_after: datetime
    fingerprint: str
    key_fingerprint: str
    key_algorithm: str
    key_size: int | None
    subject: str
    common_name: str
    sans: list[str]
    short_lived: bool
    crl_urls: tuple[str, ...] = ()

    @property
    def key_algorithm_text(self) -> str:
        """The algorithm of its key as profiles name it: "ecdsa-p256", "rsa-3072"."""
        return f"rsa-{self.key_size}" if self.key_algorithm == "rsa" else self.key_algorithm


def describe(certificate: x509.Certificate | str, chain_pem: str) -> SignedCertificate:
    """Return what the inventory says of a certificate, parsed or as PEM."""
    if isinstance(certificate, str):
        certificate = certs.load(certificate)
    algorithm, size = certs.key_algorithm_of(certificate.public_key())
    return SignedCertificate(
        certificate_pem=certs.pem(certificate),
        chain_pem=chain_pem,
        serial_hex=certs.serial_hex(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        fingerprint=certs.fingerprint(certificate),
        key_fingerprint=certs.key_fingerprint(certificate.public_key()),
        key_algorithm=algorithm,
        key_size=size,
        subject=certificate.subject.rfc4514_string(),
        common_name=_common_name(certificate),
        sans=_sans(certificate),
        short_lived=any(one.oid == certs.NO_REV_AVAIL for one in certificate.extensions),
        crl_urls=_crl_urls(certificate),
    )


def _crl_urls(certificate: x509.Certificate) -> tuple[str, ...]:
    with contextlib.suppress(x509.ExtensionNotFound):
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        return tuple(
            name.value
            for point in points
            for name in point.full_name or ()
            if isinstance(name, x509.UniformResourceIdentifier)
        )
    return ()


def _sans(certificate: x509.Certificate) -> list[str]:
    known: dict[str, None] = {}
    with contextlib.suppress(x509.ExtensionNotFound):
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        for name in extension.value:
            # Forms that certctl does not issue (otherName, an underscore) are shown as they are.
            try:
                known |= dict.fromkeys(names.san_strings([name]))
            except names.BadName:
                known[names.shown(name)] = None
    return list(known)


def _common_name(certificate: x509.Certificate) -> str:
    attributes = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    text = str(attributes[0].value)[:MAX_COMMON_NAME] if attributes else ""
    # Somebody else's certificate may say anything; what hides something is shown as a hole.
    return "".join(one if one.isprintable() else "\ufffd" for one in text)
