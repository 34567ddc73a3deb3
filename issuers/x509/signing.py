"""What all signed objects share: the hash that goes with a key, the signature, and who signed."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    PublicKeyTypes,
)
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from issuers.x509 import der, raw

# Each EC curve goes with the hash of its own strength (RFC 5480 §4; BR 7.1.3.2.2).
_CURVE_HASHES: dict[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "secp256r1": hashes.SHA256,
    "secp384r1": hashes.SHA384,
    "secp521r1": hashes.SHA512,
}
_ALGORITHMS: dict[tuple[type, str], bytes] = {  # RFC 4055 §5, RFC 5758 §3.2; contents of OIDs
    (rsa.RSAPrivateKey, "sha256"): bytes.fromhex("2a864886f70d01010b"),
    (rsa.RSAPrivateKey, "sha384"): bytes.fromhex("2a864886f70d01010c"),
    (rsa.RSAPrivateKey, "sha512"): bytes.fromhex("2a864886f70d01010d"),
    (ec.EllipticCurvePrivateKey, "sha256"): bytes.fromhex("2a8648ce3d040302"),
    (ec.EllipticCurvePrivateKey, "sha384"): bytes.fromhex("2a8648ce3d040303"),
    (ec.EllipticCurvePrivateKey, "sha512"): bytes.fromhex("2a8648ce3d040304"),
    (ed25519.Ed25519PrivateKey, ""): bytes.fromhex("2b6570"),  # RFC 8410 §3
    (ed448.Ed448PrivateKey, ""): bytes.fromhex("2b6571"),
}


Hash = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
_HASHES: dict[str, type[Hash]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
_KINDS: dict[str, type[rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey]] = {
    "rsa": rsa.RSAPrivateKey,
    "ecdsa": ec.EllipticCurvePrivateKey,
}


def hash_for(
    key: CertificateIssuerPrivateKeyTypes | PublicKeyTypes,
) -> Hash | None:
    """Return the hash to sign with; None for Ed25519 and Ed448, which hash by themselves."""
    if isinstance(
        key,
        ed25519.Ed25519PrivateKey
        | ed25519.Ed25519PublicKey
        | ed448.Ed448PrivateKey
        | ed448.Ed448PublicKey,
    ):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return _CURVE_HASHES.get(key.curve.name, hashes.SHA256)()
    return hashes.SHA256()


def hash_of_first(algorithms: Iterable[str], key: CertificateIssuerPrivateKeyTypes) -> Hash | None:
    """Return the hash of the first of `algorithms` ("sha384_rsa", …) that `key` can sign with.

    That of `hash_for` where there is none: no other key is had for the asking, and no weaker hash.
    """
    for name in algorithms:
        digest, _, kind = name.partition("_")
        if digest in _HASHES and isinstance(key, _KINDS.get(kind, ())):
            return _HASHES[digest]()
    return hash_for(key)


def signature_algorithm(key: CertificateIssuerPrivateKeyTypes, digest: Hash | None = None) -> bytes:
    """Return the AlgorithmIdentifier of what `sign` makes; raises TypeError for other keys."""
    digest = digest or hash_for(key)
    return _algorithm(type(key), digest.name if digest else "")


@lru_cache(16)
def _algorithm(kind_of_key: type, digest: str) -> bytes:
    for (kind, name), oid in _ALGORITHMS.items():
        if issubclass(kind_of_key, kind) and name == digest:
            # RFC 4055 §5: with NULL for RSA; RFC 5758 §3.2, RFC 8410 §3: with nothing for others.
            null = der.encode(der.NULL) if kind is rsa.RSAPrivateKey else b""
            return der.encode(der.SEQUENCE, der.encode(der.OID, oid), null)
    raise TypeError("keys of this kind do not sign here")


def sign_pieces(key: CertificateIssuerPrivateKeyTypes, pieces: Sequence[bytes]) -> bytes:
    """Return the BIT STRING of a signature over `pieces`, one after the other.

    They are hashed one by one and the digest is signed, so that nothing is copied. Ed25519 and
    Ed448 go over the whole twice (RFC 8032 §5.1.6): for them it is joined.
    """
    digest = hash_for(key)
    if digest is None:
        return sign(key, b"".join(pieces))
    state = hashes.Hash(digest)
    for piece in pieces:
        state.update(piece)
    hashed, how = state.finalize(), Prehashed(digest)
    if isinstance(key, rsa.RSAPrivateKey):
        made = key.sign(hashed, padding.PKCS1v15(), how)
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        made = key.sign(hashed, ec.ECDSA(how))
    else:
        raise TypeError("keys of this kind do not sign here")
    return der.encode(der.BIT_STRING, b"\x00", made)


def sign(
    key: CertificateIssuerPrivateKeyTypes, data: bytes | bytearray, digest: Hash | None = None
) -> bytes:
    """Return the BIT STRING of a signature over `data`, without a copy of it.

    With another `digest` than that of `hash_for` where the key takes any.
    """
    digest = digest or hash_for(key)
    if isinstance(key, rsa.RSAPrivateKey):
        made = key.sign(data, padding.PKCS1v15(), digest or hashes.SHA256())  # type: ignore[arg-type]  # any buffer will do
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        made = key.sign(data, ec.ECDSA(digest or hashes.SHA256()))
    elif isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        made = key.sign(data)
    else:
        raise TypeError("keys of this kind do not sign here")
    return der.encode(der.BIT_STRING, b"\x00", made)


class _Signed(Protocol):
    """What tells how it was signed: a certificate, a request, a CRL."""

    @property
    def signature_hash_algorithm(self) -> hashes.HashAlgorithm | None: ...

    @property
    def signature_algorithm_parameters(
        self,
    ) -> padding.PSS | padding.PKCS1v15 | ec.ECDSA | None: ...


def verify(key: PublicKeyTypes, signed: _Signed, signature: bytes, data: bytes) -> None:
    """Verify a signature over `data`, made as `signed` tells.

    Raises InvalidSignature, UnsupportedAlgorithm, or TypeError for another kind of key.
    """
    how, digest = signed.signature_algorithm_parameters, signed.signature_hash_algorithm
    if isinstance(key, rsa.RSAPublicKey) and isinstance(how, padding.AsymmetricPadding) and digest:
        key.verify(signature, data, how, digest)
    elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(how, ec.ECDSA):
        key.verify(signature, data, how)
    elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey) and how is None:
        key.verify(signature, data)
    else:
        raise TypeError("a signature of another kind than the key's")


def authority_key_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Return the extension that names `issuer` by its own SKI (RFC 5280 §4.2.1.1)."""
    try:
        ski = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        # A foreign CA without an SKI: RFC 5280 §4.2.1.2 method (1) is what others derive too.
        # From the bytes that stand there: written anew, a compressed point is another key.
        identifier = raw.key_identifier(raw.key(issuer))
        return x509.AuthorityKeyIdentifier(identifier, None, None)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski)
