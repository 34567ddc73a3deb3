"""What a connector to an issuer can do; optional abilities are Protocols of their own.

Signing is an order. It goes out under a key of ours that is committed before the call, and the
answer is a certificate or the CA's own word for the order, to be asked again. Whatever is not
answered leaves the outcome unknown, also an error that says that trying again is of no use: then
the order is looked up (`FindsOrders`), and never placed again blindly. Only `OrderRefused` says
for certain that there is none.

A call has its own time limit, below CERTCTL_JOB_LEASE_SECONDS: who looks for an order does so when
the call that placed it has long ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol, runtime_checkable

from cryptography import x509

from foundation.errors import ConnectorError
from issuers.x509.crl import COMPLETE, Scope
from issuers.x509.ocsp import Answer, CertID, Question

# Clocks of relying parties are seldom exact; a minute is what certificates, CRLs and OCSP answers
# are dated back for them.
BACKDATE = timedelta(minutes=1)


class OrderRefused(ConnectorError):
    """The CA said no: for certain nothing was and nothing will be issued under this order.

    `permanent` says whether another order, under another key, may fare better later.
    """

    code = "order_refused"
    message = "The issuer refused the order."


class UnknownOutcome(ConnectorError):
    """Nobody can tell whether the CA issued something: a person must look there."""

    code = "unknown_outcome"
    message = "Whether the issuer has the order cannot be told."

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, permanent=True)


class OrderUnanswered(ConnectorError):
    """The CA has the order, and did not answer in the time that such an order may take."""

    code = "order_unanswered"
    message = "The issuer did not answer the order in time."

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, permanent=True)


class WrongCertificate(ConnectorError):
    """What came back is not what was asked for."""

    code = "wrong_certificate"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, permanent=True)


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
    is_responder: bool = False
    shard: int | None = None  # the part of the issuer's CRL that it names


@dataclass(frozen=True, slots=True)
class Signed:
    """What an issuer gave back: the certificate, and the chain from its signer up, as PEM."""

    certificate_pem: str
    chain_pem: str


@dataclass(frozen=True, slots=True)
class Order:
    """What the CA calls an order that it has not carried out yet, and when to ask for it again."""

    ref: str
    ask_again_at: datetime


class Connector(Protocol):
    """What every issuer can do. Errors are ConnectorError, which says whether to try again."""

    # Whether the CA keeps what it is asked for, so that asking twice may make two certificates.
    # What a local CA signs is nobody's until certctl keeps it.
    keeps_orders: ClassVar[bool]
    # How long an order may stay unanswered; then it fails.
    longest_order: ClassVar[timedelta]

    def place(self, request: SigningRequest, order_key: str) -> Signed | Order:
        """Order a certificate under our key for the order.

        Raises OrderRefused where the CA has no such order for certain; any other error leaves the
        outcome unknown.
        """

    def check(self) -> str:
        """Say in a sentence that the issuer can sign; raises ConnectorError where it cannot."""

    def chain(self) -> list[str]:
        """Return the issuer's certificates as PEM, its own first, the root last."""


@runtime_checkable
class PollsOrders(Protocol):
    """An issuer that may answer later."""

    def collect(self, ref: str) -> Signed | Order:
        """Ask for an order again; raises OrderRefused where it was turned down."""


@runtime_checkable
class FindsOrders(Protocol):
    """An issuer that can be asked whether it has an order."""

    def find(self, order_key: str, csr: x509.CertificateSigningRequest) -> Signed | Order | None:
        """Look for an order by our key, or by its CSR if the CA does not know keys of ours.

        None says that there is none for certain, and lets it be placed. A CSR that was used before
        must not find the earlier order. Raises UnknownOutcome where the CA cannot tell.
        """


class SignsAnswers(Protocol):
    """What signs OCSP answers: a CA, or the responder that it delegates to."""

    def sign_ocsp(self, *, cert_id: CertID, answer: Answer) -> bytes:
        """Return a signed OCSPResponse as DER, to be kept for all who ask."""

    def sign_live(
        self,
        *,
        question: Question,
        answers: Sequence[tuple[CertID, Answer]],
        produced_at: datetime,
        echo: bool,
    ) -> bytes:
        """Return one for who asked `question` alone, with its nonce where `echo` says so."""


@runtime_checkable
class SignsRevocation(SignsAnswers, Protocol):
    """An issuer whose CRLs and OCSP answers certctl signs itself."""

    def sign_crl(
        self,
        *,
        number: int,
        this_update: datetime,
        next_update: datetime,
        entries: Sequence[bytes],
        scope: Scope = COMPLETE,
    ) -> list[bytes]:
        """Return a signed CRL as DER, in pieces; those of `entries` (DER, cut anywhere) are in it.

        It is called with the issuer's lock held: it signs, and does nothing besides.
        """
