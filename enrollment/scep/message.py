"""SCEP requests (RFC 8894 §3): a PKIOperation's body is read, checked, and opened.

In this order, so that whoever can be answered is answered in SCEP's own form: `parse` reads enough
to address a CertRep, `Message.check` says whether signature and algorithms will do, `Message.open`
decrypts and reads what is asked for. Whose certificate signed, whether it may, and what the
challenge is worth, is for the caller.
"""

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from asn1crypto import cms, core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from enrollment import csr_attributes
from enrollment.cms import algorithms, asn1, ber, enveloped, signed
from enrollment.cms.errors import BadAlgorithm, CannotDecrypt, CMSError
from issuers.x509 import raw
from issuers.x509.reading import UNREADABLE

MAX_BYTES = ber.MAX_BYTES
MAX_TRANSACTION_ID = 255
# RFC 8894 §3.2.1.5 has 16 octets; those of others are repeated all the same, within reason.
MIN_NONCE, NONCE, MAX_NONCE = 1, 16, 64
_MAX_SERIAL_BYTES = 21

_VERISIGN = "2.16.840.1.113733.1.9."
MESSAGE_TYPE, PKI_STATUS, FAIL_INFO = f"{_VERISIGN}2", f"{_VERISIGN}3", f"{_VERISIGN}4"
SENDER_NONCE, RECIPIENT_NONCE, TRANSACTION_ID = f"{_VERISIGN}5", f"{_VERISIGN}6", f"{_VERISIGN}7"
FAIL_INFO_TEXT = "1.3.6.1.5.5.7.24.1"
_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,./:=?-]+")  # X.680 §41.4
_DIGITS = re.compile(r"\d{1,3}", re.ASCII)


class MessageType(IntEnum):
    """What a message is (RFC 8894 §3.2.1.2)."""

    CERT_REP = 3
    RENEWAL_REQ = 17
    PKCS_REQ = 19
    CERT_POLL = 20
    GET_CERT = 21
    GET_CRL = 22


class FailInfo(IntEnum):
    """Why a request failed (RFC 8894 §3.2.1.4)."""

    BAD_ALG = 0
    BAD_MESSAGE_CHECK = 1
    BAD_REQUEST = 2
    BAD_TIME = 3
    BAD_CERT_ID = 4


class NotAMessage(ValueError):
    """There is nobody to send a CertRep to: HTTP 400, in these words."""


class Refused(ValueError):
    """A readable message that fails: a CertRep with `fail_info` and these words."""

    def __init__(self, fail_info: FailInfo, words: str) -> None:
        super().__init__(words)
        self.fail_info = fail_info


@dataclass(frozen=True, slots=True)
class Enrollment:
    """PKCSReq and RenewalReq: a PKCS #10 request in DER, as it was sent; see `issuers.x509.csr`.

    The challenge is a secret, and so is the request that holds it: neither is shown.
    """

    request: bytes = field(repr=False)
    challenge: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class IssuerAndSubject:
    """CertPoll (RFC 8894 §3.3.3): names in DER."""

    issuer: bytes
    subject: bytes


@dataclass(frozen=True, slots=True)
class IssuerAndSerial:
    """GetCert and GetCRL (RFC 8894 §3.3.4, §3.3.5): a certificate by its issuer's name in DER."""

    issuer: bytes
    serial: int


Content = Enrollment | IssuerAndSubject | IssuerAndSerial


@dataclass(frozen=True, slots=True)
class Message:
    """A request that can be answered; nothing that it says holds before `check` returned.

    `message_type` may be a number that SCEP does not have. `digest` and `cipher` are names such as
    "sha256" and "aes128_cbc", or OIDs that are not known here; `cipher` is None without a readable
    envelope.
    """

    message_type: int
    transaction_id: str
    sender_nonce: bytes
    signer: x509.Certificate
    digest: str
    cipher: str | None
    _signed: signed.Signed
    _envelope: enveloped.Enveloped | str

    @property
    def weak(self) -> list[str]:
        """The algorithms of the message that only `legacy` lets pass, for a warning."""
        return [name for name in (self.digest, self.cipher) if name in algorithms.LEGACY]

    @property
    def is_self_signed(self) -> bool:
        """Whether the signer's certificate names itself as its issuer, as a first request's does.

        That it signed itself is not checked: a certificate that proves nothing need not.
        """
        return raw.subject(self.signer) == raw.issuer(self.signer)

    @property
    def carried(self) -> tuple[x509.Certificate, ...]:
        """The certificates that came with the message: material for paths, and nothing more."""
        return self._signed.certificates

    def is_for(self, certificate: x509.Certificate) -> bool:
        """Whether the envelope names `certificate` as one of its recipients."""
        envelope = self._envelope
        return not isinstance(envelope, str) and any(
            one.identifier.names(certificate) for one in envelope.recipients
        )

    def signing_time(self) -> datetime | None:
        """Return when the client says that it signed, in UTC; raises Refused for no time."""
        try:
            return self._signed.signing_time()
        except CMSError as error:
            raise Refused(FailInfo.BAD_TIME, str(error)) from None

    def check(self, *, legacy: bool = False) -> None:
        """Raise Refused unless this is a request, signed by its signer, with fitting algorithms.

        badAlg where an algorithm is unknown or weak (SHA-1, 3DES and short keys pass with
        `legacy`), or where the signer's key is not RSA, to which no answer could be encrypted;
        badMessageCheck where the signature does not hold or there is no envelope; badRequest where
        it is no request of SCEP's.
        """
        if self.message_type not in _READERS:
            words = f"Messages of type {self.message_type} are no requests of RFC 8894."
            raise Refused(FailInfo.BAD_REQUEST, words)
        if not isinstance(self.signer.public_key(), rsa.RSAPublicKey):
            words = "SCEP answers are encrypted to RSA keys; use EST for keys of other kinds."
            raise Refused(FailInfo.BAD_ALG, words)
        with_words = self._envelope
        try:
            if not isinstance(with_words, str):
                algorithms.allow(with_words.cipher, legacy=legacy)
                algorithms.cipher_of(with_words.cipher)
            self._signed.verify(legacy=legacy)
        except CMSError as error:
            raise _refused(error) from None
        if isinstance(with_words, str):
            raise Refused(FailInfo.BAD_MESSAGE_CHECK, with_words)

    def open(
        self, *, key: rsa.RSAPrivateKey, certificate: x509.Certificate, legacy: bool = False
    ) -> Content:
        """Check the message, decrypt it for the RA `certificate` and return what is asked for.

        Raises Refused, as `check` does; with badMessageCheck and the same words for whatever is
        wrong inside the envelope before it reads as what it should be, so that nobody learns from
        the answer how far decryption came. A PKCSReq that is signed by nobody's certificate must be
        for the key that signed it (RFC 8894 §2.3); where one that somebody issued signed it, as on
        RenewalReq, the new key proves itself in its request.
        """
        self.check(legacy=legacy)
        if isinstance(self._envelope, str):
            raise Refused(FailInfo.BAD_MESSAGE_CHECK, self._envelope)
        try:
            inside = self._envelope.open(key, certificate, legacy=legacy)
            content = _READERS[MessageType(self.message_type)](inside)
        except BadAlgorithm as error:
            raise Refused(FailInfo.BAD_ALG, str(error)) from None
        except (CMSError, csr_attributes.BadAttribute):
            raise Refused(FailInfo.BAD_MESSAGE_CHECK, _UNOPENED) from None
        is_first = self.message_type == MessageType.PKCS_REQ and self.is_self_signed
        if is_first and isinstance(content, Enrollment):
            self._check_key(content.request)
        return content

    def _check_key(self, request: bytes) -> None:
        try:
            key = load_der_public_key(csr_attributes.public_key(request))
        except UNREADABLE:
            raise Refused(FailInfo.BAD_ALG, "The key of the request cannot be read.") from None
        if key != self.signer.public_key():
            words = "The key in the request is not the one that signed the message."
            raise Refused(FailInfo.BAD_REQUEST, words)


_UNOPENED = "The envelope cannot be opened, or what is in it is not what the message says."


def parse(body: bytes) -> Message:
    """Read a pkiMessage (RFC 8894 §3.2); raises NotAMessage where no CertRep could answer it."""
    try:
        message = signed.parse(body)
        return asn1.reading("message", lambda: _message(message))
    except CMSError as error:
        raise NotAMessage(str(error)) from None


def body_of_query(text: str) -> bytes:
    """Return the message of a GET's `message=` after unquoting (RFC 8894 §4.1); or NotAMessage.

    A plus sign that was not quoted came out as a blank, and is one again; line breaks do no harm.
    """
    if len(text) > 2 * MAX_BYTES:
        raise NotAMessage(f"A message may have {MAX_BYTES} bytes.")
    kept = text.strip().replace("\r", "").replace("\n", "").replace(" ", "+")
    try:
        return b64decode(kept.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise NotAMessage("The message is not in base64.") from None


# --- Reading --------------------------------------------------------------------------------


def _message(message: signed.Signed) -> Message:
    transaction_id = _printable(message, TRANSACTION_ID, "transactionID")
    if len(transaction_id) > MAX_TRANSACTION_ID:
        raise NotAMessage(f"A transactionID may have {MAX_TRANSACTION_ID} characters.")
    message_type = _printable(message, MESSAGE_TYPE, "messageType")
    if not _DIGITS.fullmatch(message_type):
        raise NotAMessage("The messageType is no number.")
    nonce = bytes(core.OctetString.load(_value(message, SENDER_NONCE, "senderNonce"), strict=True))
    if not MIN_NONCE <= len(nonce) <= MAX_NONCE:
        raise NotAMessage(f"A senderNonce has {NONCE} octets.")
    envelope = _envelope(message.content)
    return Message(
        message_type=int(message_type),
        transaction_id=transaction_id,
        sender_nonce=nonce,
        signer=message.signer,
        digest=message.digest,
        cipher=None if isinstance(envelope, str) else envelope.cipher,
        _signed=message,
        _envelope=envelope,
    )


def _envelope(content: bytes | None) -> enveloped.Enveloped | str:
    """Return the envelope, or in words why there is none."""
    if content is None:
        return "The message has no envelope (RFC 8894 §3.2.2)."
    try:
        return enveloped.parse(content)
    except CMSError as error:
        return str(error)


def _value(message: signed.Signed, oid: str, name: str) -> bytes:
    if oid not in message.attributes:
        raise NotAMessage(f"The message has no {name} (RFC 8894 §3.2.1).")
    return message.attributes[oid]


def _printable(message: signed.Signed, oid: str, name: str) -> str:
    text = str(core.PrintableString.load(_value(message, oid, name), strict=True).native)
    if not _PRINTABLE.fullmatch(text):
        raise NotAMessage(f"The {name} is no PrintableString (RFC 8894 §3.2.1).")
    return text


class _IssuerAndSubject(core.Sequence):
    _fields = [("issuer", asn1_x509.Name), ("subject", asn1_x509.Name)]


def _enrollment(inside: bytes) -> Content:
    csr_attributes.public_key(inside)
    return Enrollment(inside, csr_attributes.challenge_password(inside))


def _issuer_and_subject(inside: bytes) -> Content:
    ber.check(inside)
    value = asn1.reading("names", lambda: _both(_IssuerAndSubject, inside))
    return IssuerAndSubject(value["issuer"].dump(), value["subject"].dump())


def _issuer_and_serial(inside: bytes) -> Content:
    ber.check(inside)
    value = asn1.reading("certificate's name", lambda: _both(cms.IssuerAndSerialNumber, inside))
    if len(value["serial_number"].contents) > _MAX_SERIAL_BYTES:
        raise CannotDecrypt(_UNOPENED)
    return IssuerAndSerial(value["issuer"].dump(), value["serial_number"].native)


def _both(kind: type[core.Sequence], inside: bytes) -> core.Sequence:
    value = kind.load(inside, strict=True)
    _ = value.native  # reads all of it: else what is wrong would come to light later
    return value


_READERS = {
    MessageType.PKCS_REQ: _enrollment,
    MessageType.RENEWAL_REQ: _enrollment,
    MessageType.CERT_POLL: _issuer_and_subject,
    MessageType.GET_CERT: _issuer_and_serial,
    MessageType.GET_CRL: _issuer_and_serial,
}


def _refused(error: CMSError) -> Refused:
    is_algorithm = isinstance(error, BadAlgorithm)
    return Refused(FailInfo.BAD_ALG if is_algorithm else FailInfo.BAD_MESSAGE_CHECK, str(error))
