"""Structures of CMS (RFC 5652) for asn1crypto, with all that is not looked at left as it stands.

asn1crypto's own would parse certificates and attributes into types of theirs and write them anew.
"""

from collections.abc import Callable
from typing import TypeVar

from asn1crypto import cms, core

from enrollment.cms import ber
from enrollment.cms.errors import CMSError, Malformed

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
ENVELOPED_DATA = "1.2.840.113549.1.7.3"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"

# All that asn1crypto raises for bytes that it cannot make sense of.
UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
)
_T = TypeVar("_T")


class Anything(core.SetOf):
    """A SET OF values of any type."""

    _child_spec = core.Any


class Algorithm(core.Sequence):
    """AlgorithmIdentifier."""

    _fields = [
        ("algorithm", core.ObjectIdentifier),
        ("parameters", core.Any, {"optional": True}),
    ]


class Algorithms(core.SetOf):
    """DigestAlgorithmIdentifiers."""

    _child_spec = Algorithm


class Attribute(core.Sequence):
    """Attribute (RFC 5652 §5.3)."""

    _fields = [("type", core.ObjectIdentifier), ("values", Anything)]


class Attributes(core.SetOf):
    """SignedAttributes, and the Attributes of a certification request."""

    _child_spec = Attribute


class SignerInfo(core.Sequence):
    """SignerInfo (RFC 5652 §5.3)."""

    _fields = [
        ("version", core.Integer),
        ("sid", cms.SignerIdentifier),
        ("digest_algorithm", Algorithm),
        ("signed_attrs", Attributes, {"implicit": 0, "optional": True}),
        ("signature_algorithm", Algorithm),
        ("signature", core.OctetString),
        ("unsigned_attrs", Attributes, {"implicit": 1, "optional": True}),
    ]


class SignerInfos(core.SetOf):
    """SignerInfos."""

    _child_spec = SignerInfo


class Encapsulated(core.Sequence):
    """EncapsulatedContentInfo (RFC 5652 §5.2)."""

    _fields = [
        ("content_type", core.ObjectIdentifier),
        ("content", core.OctetString, {"explicit": 0, "optional": True}),
    ]


class SignedData(core.Sequence):
    """SignedData (RFC 5652 §5.1)."""

    _fields = [
        ("version", core.Integer),
        ("digest_algorithms", Algorithms),
        ("encap_content_info", Encapsulated),
        ("certificates", Anything, {"implicit": 0, "optional": True}),
        ("crls", Anything, {"implicit": 1, "optional": True}),
        ("signer_infos", SignerInfos),
    ]


class SignedContentInfo(core.Sequence):
    """ContentInfo (RFC 5652 §3) of a SignedData."""

    _fields = [
        ("content_type", core.ObjectIdentifier),
        ("content", SignedData, {"explicit": 0}),
    ]


class Recipient(core.Sequence):
    """KeyTransRecipientInfo (RFC 5652 §6.2.1)."""

    _fields = [
        ("version", core.Integer),
        ("rid", cms.RecipientIdentifier),
        ("key_encryption_algorithm", Algorithm),
        ("encrypted_key", core.OctetString),
    ]


class EncryptedContent(core.Sequence):
    """EncryptedContentInfo (RFC 5652 §6.1)."""

    _fields = [
        ("content_type", core.ObjectIdentifier),
        ("content_encryption_algorithm", Algorithm),
        ("encrypted_content", core.OctetString, {"implicit": 0, "optional": True}),
    ]


class EnvelopedData(core.Sequence):
    """EnvelopedData (RFC 5652 §6.1); recipients other than by key transport stay as they are."""

    _fields = [
        ("version", core.Integer),
        ("originator_info", cms.OriginatorInfo, {"implicit": 0, "optional": True}),
        ("recipient_infos", Anything),
        ("encrypted_content_info", EncryptedContent),
        ("unprotected_attrs", Attributes, {"implicit": 1, "optional": True}),
    ]


class EnvelopedContentInfo(core.Sequence):
    """ContentInfo (RFC 5652 §3) of an EnvelopedData."""

    _fields = [
        ("content_type", core.ObjectIdentifier),
        ("content", EnvelopedData, {"explicit": 0}),
    ]


def reading(name: str, read: Callable[[], _T]) -> _T:
    """Return what `read` returns; whatever asn1crypto trips over becomes Malformed."""
    try:
        return read()
    except CMSError:
        raise
    except UNREADABLE as error:
        raise Malformed(f"The {name} cannot be read: {_first_line(error)}.") from None


def content_of(data: bytes, kind: type[core.Sequence], oid: str, name: str) -> core.Sequence:
    """Return the content of a ContentInfo of the given type; raises Malformed."""
    ber.check(data)
    info = core.Sequence.load(data, strict=True)
    if not len(info) or not isinstance(info[0], core.ObjectIdentifier) or info[0].dotted != oid:
        raise Malformed(f"This is no {name} (RFC 5652).")
    outer = kind.load(data, strict=True)
    check_shape(outer, outer["content"])
    return outer["content"]


def check_shape(*parts: core.Sequence) -> None:
    """Raise Malformed for elements besides a type's own, which the parser would pass over."""
    for part in parts:
        if len(part) > len(part._fields):
            raise Malformed(f"{type(part).__name__} has elements besides its own.")


def oid(value: str) -> core.ObjectIdentifier:
    """Return an OBJECT IDENTIFIER."""
    return core.ObjectIdentifier(value)


def raw(der: bytes) -> core.Any:
    """Return a value that is written as it stands."""
    return core.Any.load(der)


def _first_line(error: BaseException) -> str:
    # asn1crypto puts the stack of types that it was parsing on lines of their own.
    return str(error).split("\n", maxsplit=1)[0].rstrip(".")[:120] or type(error).__name__
