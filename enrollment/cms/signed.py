"""SignedData with one signer and signed attributes (RFC 5652 §5): read, verified, built."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import cms, core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from enrollment.cms import algorithms, asn1, naming
from enrollment.cms.errors import BadAlgorithm, BadSignature, Malformed
from issuers.x509 import der

MAX_ATTRIBUTES = 32
MIN_RSA_BITS, MIN_RSA_BITS_OF_LEGACY, MAX_RSA_BITS = 2048, 1024, 8192

_FIRST_YEAR_WITH_FOUR_DIGITS = 2050  # RFC 5652 §11.3


@dataclass(frozen=True, slots=True)
class HeldElsewhere:
    """A key that its holder alone uses: `sign` hands over the signed attributes' DER and a hash."""

    is_rsa: bool
    sign: Callable[[bytes, hashes.HashAlgorithm], bytes]


SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | HeldElsewhere


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: a certificate, and its key."""

    certificate: x509.Certificate
    key: SigningKey


@dataclass(frozen=True, slots=True)
class Signed:
    """A SignedData as it was read: nothing in it holds before `verify` returned.

    `content` is None where it is left out; `attributes` has the one value of each signed attribute
    in DER by its OID; `digest` is a name such as "sha256", or an OID that is not known here.
    """

    content_type: str
    content: bytes | None
    certificates: tuple[x509.Certificate, ...]
    signer: x509.Certificate
    digest: str
    attributes: Mapping[str, bytes]
    _to_be_signed: bytes
    _signature_algorithm: core.Sequence
    _signature: bytes

    def verify(self, *, legacy: bool = False) -> None:
        """Raise unless the signer's key signed just this.

        That the signer is somebody, is for the caller to say. Raises BadAlgorithm for what is
        unknown or weak (SHA-1 and short RSA keys pass with `legacy`), BadSignature for the rest.
        """
        algorithms.allow(self.digest, legacy=legacy)
        digest = algorithms.hash_of(self.digest)
        how = asn1.reading(
            "signature algorithm",
            lambda: algorithms.signature_padding(self._signature_algorithm, self.digest),
        )
        if _oid_in(self.attributes[asn1.CONTENT_TYPE]) != self.content_type:
            raise BadSignature("The type of the content is not the one that was signed.")
        stated = _octets_in(self.attributes[asn1.MESSAGE_DIGEST])
        if not hmac.compare_digest(stated, _hashed(digest, self.content or b"")):
            raise BadSignature("The content is not the one that was signed.")
        key = self.signer.public_key()
        try:
            if isinstance(key, rsa.RSAPublicKey) and how is not None:
                _check_size(key, legacy=legacy)
                key.verify(self._signature, self._to_be_signed, how, digest)
            elif isinstance(key, ec.EllipticCurvePublicKey) and how is None:
                key.verify(self._signature, self._to_be_signed, ec.ECDSA(digest))
            else:
                raise BadAlgorithm("The signature is not of the kind of the signer's key.")
        except (InvalidSignature, ValueError, UnsupportedAlgorithm) as error:
            if isinstance(error, BadAlgorithm):
                raise
            raise BadSignature("The signature of the message is not valid.") from None

    def signing_time(self) -> datetime | None:
        """Return when the signer says that it signed, in UTC; raises Malformed for no time."""
        value = self.attributes.get(asn1.SIGNING_TIME)
        try:
            return der.time_of(der.read(value)) if value is not None else None
        except der.NotDER:
            raise Malformed("The signing time is no time.") from None


def parse(data: bytes) -> Signed:
    """Read a SignedData that carries its signer's certificate; raises Malformed.

    Refused are none or several signers, a signer whose certificate is not there, no signed
    attributes, any of them twice or without just one value, and no content type or message digest
    among them (RFC 5652 §5.3, §11.1, §11.2).
    """
    return asn1.reading("signed message", lambda: _parse(data))


def sign(
    content: bytes | None,
    by: Signer,
    *,
    attributes: Mapping[str, bytes],
    signing_time: datetime | None = None,
    digest: str = algorithms.SHA256,
) -> bytes:
    """Build a SignedData over `content` (id-data) and return its DER.

    `attributes` are signed besides content type, message digest and signing time: values in DER by
    OID. The signer's certificate is carried. With None for content it is left out, and the digest
    is that of nothing.
    """
    algorithm = algorithms.hash_of(digest)
    values = {
        asn1.CONTENT_TYPE: asn1.oid(asn1.DATA).dump(),
        asn1.MESSAGE_DIGEST: core.OctetString(_hashed(algorithm, content or b"")).dump(),
        **attributes,
    }
    if signing_time is not None:
        values[asn1.SIGNING_TIME] = _time(signing_time)
    signed_attributes = attribute_set(values)
    signature, is_rsa = _signature(by.key, signed_attributes.dump(), algorithm)
    identifier = algorithms.digest_identifier(digest)
    signer_info = asn1.SignerInfo(
        {
            "version": 1,
            "sid": cms.SignerIdentifier({"issuer_and_serial_number": naming.named(by.certificate)}),
            "digest_algorithm": identifier,
            "signed_attrs": signed_attributes,
            "signature_algorithm": algorithms.signature_identifier(digest, is_rsa=is_rsa),
            "signature": signature,
        }
    )
    encapsulated: dict[str, object] = {"content_type": asn1.DATA}
    if content is not None:
        encapsulated["content"] = content
    info = asn1.SignedContentInfo(
        {
            "content_type": asn1.SIGNED_DATA,
            "content": {
                "version": 1,
                "digest_algorithms": [identifier],
                "encap_content_info": encapsulated,
                "certificates": asn1.Anything([asn1.raw(naming.der_of(by.certificate))]),
                "signer_infos": [signer_info],
            },
        }
    )
    return bytes(info.dump())


def _signature(
    key: SigningKey, attributes: bytes, algorithm: hashes.HashAlgorithm
) -> tuple[bytes, bool]:
    """Return the signature, and whether it is RSA's."""
    if isinstance(key, HeldElsewhere):
        return key.sign(attributes, algorithm), key.is_rsa
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(attributes, padding.PKCS1v15(), algorithm), True
    return key.sign(attributes, ec.ECDSA(algorithm)), False


def attribute_set(values: Mapping[str, bytes]) -> asn1.Attributes:
    """Return a SET OF Attribute in DER's order, from values in DER by OID."""
    return asn1.Attributes(
        [
            asn1.Attribute({"type": oid, "values": asn1.Anything([asn1.raw(value)])})
            for oid, value in values.items()
        ]
    )


# --- Reading --------------------------------------------------------------------------------


def _parse(data: bytes) -> Signed:
    signed = asn1.content_of(data, asn1.SignedContentInfo, asn1.SIGNED_DATA, "signed message")
    if len(signed["signer_infos"]) != 1:
        raise Malformed("The message must have one signer.")
    [info] = signed["signer_infos"]
    certificates = naming.certificates(signed["certificates"])
    encapsulated = signed["encap_content_info"]
    asn1.check_shape(info, encapsulated)
    content = encapsulated["content"]
    to_be_signed, attributes = _attributes(info["signed_attrs"])
    return Signed(
        content_type=encapsulated["content_type"].dotted,
        content=None if isinstance(content, core.Void) else bytes(content),
        certificates=certificates,
        signer=_signer(naming.read(info["sid"]), certificates),
        digest=algorithms.digest_name(info["digest_algorithm"]),
        attributes=attributes,
        _to_be_signed=to_be_signed,
        _signature_algorithm=info["signature_algorithm"],
        _signature=bytes(info["signature"]),
    )


def _attributes(signed_attrs: core.SetOf) -> tuple[bytes, dict[str, bytes]]:
    """Return what the signature is over (RFC 5652 §5.4), and the attributes in it.

    Their order is the one that was sent: what is in another than DER's was signed so by signers
    that do not sort, and one that does has sent it sorted.
    """
    if isinstance(signed_attrs, core.Void):
        raise Malformed("The message has no signed attributes (RFC 5652 §5.3).")
    to_be_signed = der.header(der.SET, len(signed_attrs.contents)) + signed_attrs.contents
    attributes: dict[str, bytes] = {}
    for attribute in asn1.Attributes.load(to_be_signed, strict=True):
        oid, values = attribute["type"].dotted, attribute["values"]
        if len(values) != 1 or oid in attributes:
            raise Malformed(f"The signed attribute {oid[:60]} must be there once, with one value.")
        attributes[oid] = values[0].dump()
        if len(attributes) > MAX_ATTRIBUTES:
            raise Malformed(f"A message may have {MAX_ATTRIBUTES} signed attributes.")
    for oid, name in (
        (asn1.CONTENT_TYPE, "content type"),
        (asn1.MESSAGE_DIGEST, "message digest"),
    ):
        if oid not in attributes:
            raise Malformed(f"The {name} is not among the signed attributes (RFC 5652 §5.3).")
    _oid_in(attributes[asn1.CONTENT_TYPE])
    _octets_in(attributes[asn1.MESSAGE_DIGEST])
    return to_be_signed, attributes


def _signer(sid: naming.Identifier, certificates: tuple[x509.Certificate, ...]) -> x509.Certificate:
    for certificate in certificates:
        if sid.names(certificate):
            return certificate
    raise Malformed("The signer's certificate is not in the message.")


def _check_size(key: rsa.RSAPublicKey, *, legacy: bool) -> None:
    least = MIN_RSA_BITS_OF_LEGACY if legacy else MIN_RSA_BITS
    if not least <= key.key_size <= MAX_RSA_BITS:
        raise BadAlgorithm(f"The signer's RSA key must have {least} to {MAX_RSA_BITS} bits.")


def _hashed(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()


def _time(moment: datetime) -> bytes:
    kind = "utc_time" if moment.year < _FIRST_YEAR_WITH_FOUR_DIGITS else "general_time"
    return bytes(asn1_x509.Time({kind: moment.replace(microsecond=0)}).dump())


def _oid_in(value: bytes) -> str:
    return str(core.ObjectIdentifier.load(value, strict=True).dotted)


def _octets_in(value: bytes) -> bytes:
    return bytes(core.OctetString.load(value, strict=True))
