"""What was seen of an installation: each thing is fetched once, when a rule first asks for it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from issuers.x509 import raw
from issuers.x509.der import NotDER
from issuers.x509.ocsp import CertID
from pki_wellknown.conformance import questions, structures
from pki_wellknown.conformance.fetching import Answer, Fetcher
from pki_wellknown.conformance.structures import Crl, Response, Single

REQUEST_TYPE, RESPONSE_TYPE = "application/ocsp-request", "application/ocsp-response"
NO_CERTIFICATE = "no certificate of this CA is known: give one with --good or --revoked"


class Fails(Exception):
    """The rule does not hold; says how."""


class NotApplicable(Exception):
    """There is nothing here for the rule to hold for; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is looked at. Addresses may be "", where there is no such thing."""

    ca_url: str = ""
    crl_url: str = ""
    ocsp_url: str = ""
    ca: x509.Certificate | None = None
    # Certificates of this CA that are known to be good, or revoked; serials never issued.
    good: tuple[x509.Certificate, ...] = ()
    revoked: tuple[x509.Certificate, ...] = ()
    never_issued: tuple[int, ...] = ()
    previous_crl: bytes = b""
    # The prefix of certctl's layout, where it is one, and whose addresses must not be there.
    prefix: str = ""
    legacy: tuple[str, ...] = ()
    # Whether the Baseline Requirements hold where they forbid what RFC 5280 allows.
    is_public: bool = False


@dataclass
class Evidence:
    """The target, whoever asks it, and what came back."""

    target: Target
    fetcher: Fetcher
    began: datetime = field(default_factory=lambda: datetime.now(UTC))  # noqa: TID251 - no Django

    # --- The CA --------------------------------------------------------------------------------

    @cached_property
    def ca_answer(self) -> Answer:
        """What is at the address of the CA certificate."""
        return self.get(self.ca_url)

    @property
    def ca_url(self) -> str:
        """Where the CA certificate is."""
        return _given(self.target.ca_url, "no address of the CA certificate is known")

    @cached_property
    def served_ca(self) -> x509.Certificate | None:
        """The certificate that is served: DER, or certs-only CMS; None where it is neither."""
        body = self.ca_answer.body
        try:
            return x509.load_der_x509_certificate(body)
        except ValueError:
            pass
        try:
            return pkcs7.load_der_pkcs7_certificates(body)[0]
        except (ValueError, IndexError):
            return None

    @cached_property
    def ca(self) -> x509.Certificate:
        """The CA that all is held against: as given, else as served; NotApplicable without one."""
        found = self.target.ca or (self.served_ca if self.target.ca_url else None)
        if found is None:
            raise NotApplicable("no CA certificate could be read")
        return found

    # --- The CRL -------------------------------------------------------------------------------

    @property
    def crl_url(self) -> str:
        """Where the CRL is."""
        return _given(self.target.crl_url, "no address of a CRL is known")

    @cached_property
    def crl_answer(self) -> Answer:
        """What is at the address of the CRL."""
        return self.get(self.crl_url)

    @cached_property
    def crl(self) -> Crl:
        """The CRL that is served; NotApplicable where that is none (crl.der says so)."""
        try:
            return structures.crl_of(self.crl_answer.body)
        except NotDER as error:
            raise NotApplicable(f"there is no readable CRL: {error}") from None

    @cached_property
    def listed(self) -> set[int]:
        """The serials on the CRL."""
        return {entry.serial for entry in self.crl.entries}

    # --- OCSP ----------------------------------------------------------------------------------

    @property
    def ocsp_url(self) -> str:
        """Where the responder is."""
        return _given(self.target.ocsp_url, "no address of a responder is known")

    @cached_property
    def known_serial(self) -> int:
        """A serial that the responder must speak for; NotApplicable where none is known."""
        for one in (*self.target.good, *self.target.revoked):
            return one.serial_number
        if self.target.crl_url:
            for entry in self.crl.entries:
                return entry.serial
        raise NotApplicable(NO_CERTIFICATE)

    @cached_property
    def never_issued(self) -> int:
        """A serial that nobody issued; its question has every odd character of base64."""
        for serial in self.target.never_issued:
            return serial
        for _ in range(10_000):
            serial = int.from_bytes(secrets.token_bytes(16), "big") >> 1
            text = questions.in_path(questions.request(self.cert_id(serial)))
            if "%2F" in text and "%2B" in text and "%3D" in text:
                return serial
        return serial

    @cached_property
    def algorithm(self) -> str:
        """The hash of CertIDs that the responder knows: SHA-1 if it does, as nearly all do."""
        try:
            for name in ("sha1", "sha256"):
                question = questions.request(questions.cert_id(self.ca, self.known_serial, name))
                response = self.read(self.post(question))
                if response is not None and response.singles:
                    return name
        except NotApplicable:
            pass
        return "sha1"

    def cert_id(self, serial: int, algorithm: str = "") -> CertID:
        """Return the CertID of a serial of the CA, hashed as the responder understands."""
        return questions.cert_id(self.ca, serial, algorithm or self.algorithm)

    @cached_property
    def asked(self) -> CertID:
        """How the known certificate is named in the plainest question."""
        return self.cert_id(self.known_serial)

    @cached_property
    def ocsp_answer(self) -> Answer:
        """What the plainest question by POST brings."""
        return self.post(questions.request(self.asked))

    @cached_property
    def response(self) -> Response:
        """The signed answer to it; NotApplicable where that is none (ocsp.answers says so)."""
        response = self.read(self.ocsp_answer)
        if response is None or not response.singles:
            raise NotApplicable("there is no signed answer to look at")
        return response

    @cached_property
    def single(self) -> Single:
        """What it says of the certificate that was asked about."""
        return self.response.singles[0]

    @cached_property
    def responder_key(self) -> x509.Certificate | None:
        """Whoever the answer says has signed it: the CA or one whose certificate is with it."""
        return next(
            (one for one in (self.ca, *self.response.certificates) if self._is_responder(one)),
            None,
        )

    def _is_responder(self, one: x509.Certificate) -> bool:
        responder = self.response.responder
        assert responder is not None  # noqa: S101 - a signed answer has one
        contents = bytes(responder.contents)
        if responder.tag == 0xA1:  # noqa: PLR2004 - byName
            return contents == raw.subject(one)
        return contents[2:] == raw.key_identifier(raw.key(one))

    def read(self, answer: Answer) -> Response | None:
        """Take an answer apart; None where it is no OCSPResponse."""
        try:
            return structures.response_of(answer.body)
        except NotDER:
            return None

    def status_of(self, answer: Answer) -> int:
        """Return an answer's OCSP status; Fails where it is no OCSPResponse with HTTP 200."""
        response = self.read(answer)
        if answer.status != 200 or response is None:  # noqa: PLR2004
            kind = answer.content_type or "no type"
            raise Fails(f"the answer is HTTP {answer.status} {kind}, no OCSPResponse")
        return response.status

    def said(self, answer: Answer) -> str:
        """Return what an answer says in one word: good, revoked, unknown, or its status."""
        status = self.status_of(answer)
        response = self.read(answer)
        if status or response is None or not response.singles:
            return f"status {status}"
        return response.singles[0].status

    # --- Asking --------------------------------------------------------------------------------

    def get(self, url: str, **headers: str) -> Answer:
        """GET, with headers written with underscores."""
        return self.fetcher.ask("GET", url, headers=_dashed(headers))

    def post(self, body: bytes, content_type: str = REQUEST_TYPE) -> Answer:
        """POST a question to the responder."""
        return self.fetcher.ask(
            "POST", self.ocsp_url, body=body, headers={"Content-Type": content_type}
        )

    def get_ocsp(self, encoded: str, **headers: str) -> Answer:
        """Ask the responder by GET."""
        return self.get(f"{self.ocsp_url.rstrip('/')}/{encoded}", **headers)

    def aside(self, kind: str) -> str:
        """Return the address of an issuer that there is none of, in certctl's layout."""
        if not self.target.prefix:
            raise NotApplicable("how other issuers are addressed is not known")
        return f"{self.target.prefix}/{kind}/no-{secrets.token_hex(8)}"


def same(one: x509.Certificate, other: x509.Certificate) -> bool:
    """Whether two certificates are the same bytes."""
    return one.public_bytes(Encoding.DER) == other.public_bytes(Encoding.DER)


def _given(url: str, why: str) -> str:
    if not url:
        raise NotApplicable(why)
    return url


def _dashed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
