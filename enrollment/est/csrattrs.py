"""csrattrs: what a request should look like (RFC 7030 §4.5, RFC 8951 §3.5, RFC 9908).

Said twice, since clients of before RFC 9908 read the one and those of after it the other: as plain
attributes (RFC 9908 §3.2), and as one certificationRequestInfoTemplate (§3.4), in which what has no
value is for the client to fill in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from asn1crypto import algos, core
from asn1crypto import x509 as asn1_x509

from enrollment.cms import asn1

EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7"  # an OID  # noqa: S105
TEMPLATE = "1.2.840.113549.1.9.16.2.61"  # id-aa-certificationRequestInfoTemplate
EXTENSION_TEMPLATE = "1.2.840.113549.1.9.16.2.62"  # id-aa-extensionReqTemplate
_RSA, _EC = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1"
_SAN, _KEY_USAGE, _EKU = "2.5.29.17", "2.5.29.15", "2.5.29.37"

CURVES = {
    "secp256r1": "1.2.840.10045.3.1.7",
    "secp384r1": "1.3.132.0.34",
    "secp521r1": "1.3.132.0.35",
}
# The bits of KeyUsage (RFC 5280 §4.2.1.3), by their names there.
KEY_USAGES = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
DIGESTS = ("sha256", "sha384", "sha512")
SUBJECT_PARTS = {
    "CN": "2.5.4.3",
    "serialNumber": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
}
_PRINTABLE_PARTS = {"C", "serialNumber"}  # RFC 5280 appendix A.1
PUBLIC_EXPONENT = 65537
_MIN_RSA_BITS, _MAX_RSA_BITS = 1024, 16384


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request should have; what is left empty is not spoken of.

    A key is RSA of `rsa_bits`, or EC on `curve` ("secp256r1", …), or neither is said. `subject`
    has (part, value), in order: a value that is None is the client's to fill in. `wants_san` says
    that there must be names, which the client fills in. `key_usages` are RFC 5280's names, `ekus`
    OIDs. `digest` is the signature's ("sha256", …), said where the kind of key is.
    `wants_challenge` asks for a challengePassword.
    """

    rsa_bits: int | None = None
    curve: str | None = None
    subject: Sequence[tuple[str, str | None]] = ()
    wants_san: bool = False
    key_usages: Sequence[str] = ()
    ekus: Sequence[str] = ()
    digest: str | None = None
    wants_challenge: bool = False

    def __post_init__(self) -> None:
        if self.rsa_bits is not None and self.curve is not None:
            raise ValueError("a key is either RSA or EC")
        if self.rsa_bits is not None and not _MIN_RSA_BITS <= self.rsa_bits <= _MAX_RSA_BITS:
            raise ValueError("an RSA key has 1024 to 16384 bits")
        if self.curve is not None and self.curve not in CURVES:
            raise ValueError(f"{self.curve} is no curve that is known here")
        unknown = {part for part, _ in self.subject} - set(SUBJECT_PARTS)
        unknown |= set(self.key_usages) - set(KEY_USAGES)
        unknown |= {self.digest or "sha256"} - set(DIGESTS)
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))} is not known here")


def build(wanted: Wanted) -> bytes:
    """Return the DER of CsrAttrs; an empty SEQUENCE where nothing is wanted (RFC 8951 §3.5)."""
    items: list[core.Asn1Value] = []
    if wanted.wants_challenge:
        items.append(asn1.oid(CHALLENGE_PASSWORD))
    if wanted.rsa_bits is not None:
        items.append(_attribute(_RSA, core.Integer(wanted.rsa_bits)))
    if wanted.curve is not None:
        items.append(_attribute(_EC, asn1.oid(CURVES[wanted.curve])))
    if wanted.digest is not None and (wanted.rsa_bits or wanted.curve):
        kind = "rsa" if wanted.rsa_bits else "ecdsa"
        items.append(asn1.oid(algos.SignedDigestAlgorithmId(f"{wanted.digest}_{kind}").dotted))
    extensions = _extensions(wanted)
    if extensions:
        items.append(_attribute(EXTENSION_REQUEST, _sequence(extensions)))
    if wanted.subject or wanted.wants_san or extensions or wanted.rsa_bits or wanted.curve:
        items.append(_attribute(TEMPLATE, _template(wanted)))
    return bytes(_sequence(items).dump())


class _Anything(core.SequenceOf):
    _child_spec = core.Any


class _Template(core.Sequence):
    """CertificationRequestInfoTemplate (RFC 9908 §3.4)."""

    _fields = [
        ("version", core.Integer),
        ("subject", _Anything, {"optional": True}),
        ("key", _Anything, {"implicit": 0, "optional": True}),
        ("attributes", asn1.Attributes, {"implicit": 1}),
    ]


def _sequence(values: Sequence[core.Asn1Value]) -> core.Asn1Value:
    """Return a SEQUENCE of any values."""
    return _Anything([asn1.raw(value.dump()) for value in values])


def _attribute(oid: str, value: core.Asn1Value) -> asn1.Attribute:
    return asn1.Attribute({"type": oid, "values": asn1.Anything([asn1.raw(value.dump())])})


def _extensions(wanted: Wanted) -> list[core.Asn1Value]:
    """Return the extensions whose values are known before the request."""
    extensions: list[core.Asn1Value] = []
    if wanted.key_usages:
        bits = tuple(int(name in wanted.key_usages) for name in KEY_USAGES)
        usage = asn1_x509.KeyUsage(bits)
        extensions.append(_extension(_KEY_USAGE, usage, critical=True))
    if wanted.ekus:
        extensions.append(_extension(_EKU, asn1_x509.ExtKeyUsageSyntax(list(wanted.ekus))))
    return extensions


def _extension(oid: str, value: core.Asn1Value | None, *, critical: bool = False) -> core.Asn1Value:
    """Return an Extension, or, without a value, an ExtensionTemplate (RFC 9908 §3.4)."""
    parts: list[core.Asn1Value] = [asn1.oid(oid)]
    if critical:
        parts.append(core.Boolean(True))
    if value is not None:
        parts.append(core.OctetString(value.dump()))
    return _sequence(parts)


def _template(wanted: Wanted) -> core.Asn1Value:
    extensions = _extensions(wanted)
    if wanted.wants_san:
        extensions.append(_extension(_SAN, None))
    # `attributes` are there even where they are none: the field is not OPTIONAL.
    attributes = [_attribute(EXTENSION_TEMPLATE, _sequence(extensions))] if extensions else []
    template: dict[str, object] = {"version": 0, "attributes": asn1.Attributes(attributes)}
    if wanted.subject:
        template["subject"] = _sequence([_relative_name(*part) for part in wanted.subject])
    if wanted.rsa_bits or wanted.curve:
        template["key"] = _key(wanted)
    return _Template(template)


def _relative_name(part: str, value: str | None) -> core.Asn1Value:
    """Return a RelativeDistinguishedNameTemplate of one SingleAttributeTemplate."""
    kind = core.PrintableString if part in _PRINTABLE_PARTS else core.UTF8String
    single = [asn1.oid(SUBJECT_PARTS[part]), *([] if value is None else [kind(value)])]
    return asn1.Anything([asn1.raw(_sequence(single).dump())])


def _key(wanted: Wanted) -> core.Asn1Value:
    """Return a SubjectPublicKeyInfoTemplate.

    The size of an RSA key is said by a key of that size in its place, which is nobody's: a modulus
    of ones (RFC 9908 §3.4).
    """
    if wanted.rsa_bits is None:
        curve = asn1.oid(CURVES[wanted.curve or ""])
        return _sequence([_sequence([asn1.oid(_EC), curve])])
    modulus = core.Integer((1 << wanted.rsa_bits) - 1)
    placeholder = _sequence([modulus, core.Integer(PUBLIC_EXPONENT)])
    algorithm = _sequence([asn1.oid(_RSA), core.Null()])
    return _sequence([algorithm, core.OctetBitString(placeholder.dump())])
