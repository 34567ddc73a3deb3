"""What a connector to an issuer can do; optional abilities are Protocols of their own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from cryptography import x509

from issuers.x509.crl import Entry
from issuers.x509.ocsp import Answer, CertID

# Clocks of relying parties are seldom exact; a minute is what certificates, CRLs and OCSP answers
# are dated back for them.
BACKDATE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """What is to be signed, checked against the profile already."""

    csr: x509.CertificateSigningRequest
    subject: x509.Name
    sans: Sequence[str]
    lifetime: timedelta
    key_usage: Sequence[str]
    extended_key_usage: Sequence[str]
    short_lived: bool


@dataclass(frozen=True, slots=True)
class Signed:
    """What an issuer gave back."""

    certificate_pem: str
    chain_pem: str


class Connector(Protocol):
    """What every issuer can do. Errors are ConnectorError, which says whether to try again."""

    def issue(self, request: SigningRequest) -> Signed:
        """Have a certificate signed."""

    def check(self) -> str:
        """Say in a sentence that the issuer can sign; raises ConnectorError where it cannot."""

    def chain(self) -> list[str]:
        """Return the issuer's certificates as PEM, its own first, the root last."""


@runtime_checkable
class SignsRevocation(Protocol):
    """An issuer whose CRLs and OCSP answers certctl signs itself."""

    @property
    def certificate(self) -> x509.Certificate:
        """The CA certificate that CRLs and answers are signed under."""

    def sign_crl(
        self,
        *,
        number: int,
        this_update: datetime,
        next_update: datetime,
        entries: Iterable[Entry],
    ) -> bytes:
        """Return a signed CRL as DER; the entries are taken one by one."""

    def sign_ocsp(self, *, cert_id: CertID, answer: Answer) -> bytes:
        """Return a signed OCSPResponse as DER."""
