"""Algorithms of CMS messages (RFC 3370, 3565, 5754, 4056): which are known, and which are weak."""

from dataclasses import dataclass

from asn1crypto import algos, core
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import CipherAlgorithm
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from enrollment.cms import asn1
from enrollment.cms.errors import BadAlgorithm

SHA256, AES128 = "sha256", "aes128_cbc"

_Hash = hashes.SHA1 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512
HASHES: dict[str, type[_Hash]] = {
    "sha1": hashes.SHA1,
    SHA256: hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
_DIGESTS = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": SHA256,
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_RSA, _PSS, _OAEP = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.7"
# Signature algorithms that say their digest: it must be the signer's (RFC 5754 §3).
_RSA_WITH = {
    "1.2.840.113549.1.1.5": "sha1",
    "1.2.840.113549.1.1.11": SHA256,
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_ECDSA_WITH = {
    "1.2.840.10045.4.1": "sha1",
    "1.2.840.10045.4.3.2": SHA256,
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}
_MGF1 = "1.2.840.113549.1.1.8"
LEGACY = frozenset({"sha1", "des_ede3_cbc"})
_MAX_SALT = 512


@dataclass(frozen=True, slots=True)
class ContentCipher:
    """A block cipher in CBC mode; sizes in octets."""

    name: str
    oid: str
    algorithm: type[AES | TripleDES]
    key_size: int
    block_size: int

    def keyed(self, key: bytes) -> CipherAlgorithm:
        """Return the primitive."""
        return self.algorithm(key)


CIPHERS = {
    cipher.name: cipher
    for cipher in (
        ContentCipher(AES128, "2.16.840.1.101.3.4.1.2", AES, 16, 16),
        ContentCipher("aes192_cbc", "2.16.840.1.101.3.4.1.22", AES, 24, 16),
        ContentCipher("aes256_cbc", "2.16.840.1.101.3.4.1.42", AES, 32, 16),
        ContentCipher("des_ede3_cbc", "1.2.840.113549.3.7", TripleDES, 24, 8),
    )
}
_CIPHERS_BY_OID = {cipher.oid: cipher for cipher in CIPHERS.values()}


def allow(name: str, *, legacy: bool) -> None:
    """Raise BadAlgorithm for one that is only for old gear, unless `legacy` allows those."""
    if name in LEGACY and not legacy:
        raise BadAlgorithm(f"{name} is too weak to be accepted here.")


def hash_of(name: str) -> _Hash:
    """Return the hash that a name such as "sha256" means; raises BadAlgorithm."""
    if name not in HASHES:
        raise BadAlgorithm(f"The digest {name[:60]} is not known here.")
    return HASHES[name]()


def digest_name(algorithm: core.Sequence) -> str:
    """Return the name of a digest algorithm, or its OID where it is not known."""
    dotted: str = algorithm["algorithm"].dotted
    return _DIGESTS.get(dotted, dotted)


def digest_identifier(name: str) -> asn1.Algorithm:
    """Return the AlgorithmIdentifier of a digest, without parameters (RFC 5754 §2)."""
    [oid] = [oid for oid, known in _DIGESTS.items() if known == name]
    return asn1.Algorithm({"algorithm": oid})


def cipher_name(algorithm: core.Sequence) -> str:
    """Return the name of a content encryption algorithm, or its OID where it is not known."""
    dotted: str = algorithm["algorithm"].dotted
    known = _CIPHERS_BY_OID.get(dotted)
    return known.name if known else dotted


def cipher_of(name: str) -> ContentCipher:
    """Return the cipher of a name such as "aes128_cbc"; raises BadAlgorithm."""
    if name not in CIPHERS:
        raise BadAlgorithm(f"The content encryption {name[:60]} is not known here.")
    return CIPHERS[name]


# --- Signatures -----------------------------------------------------------------------------


def signature_padding(algorithm: core.Sequence, digest: str) -> padding.AsymmetricPadding | None:
    """Return the padding that an RSA signature has; None for ECDSA. Raises BadAlgorithm.

    The algorithm must not speak of another digest than `digest`.
    """
    dotted = algorithm["algorithm"].dotted
    if dotted == _RSA:
        return padding.PKCS1v15()
    if dotted == _PSS:
        return _pss(algorithm, digest)
    said = _RSA_WITH.get(dotted) or _ECDSA_WITH.get(dotted)
    if said is None:
        raise BadAlgorithm(f"The signature algorithm {dotted[:60]} is not known here.")
    if said != digest:
        raise BadAlgorithm(f"It is signed with {said}, but its digest is {digest}.")
    return padding.PKCS1v15() if dotted in _RSA_WITH else None


def _pss(algorithm: core.Sequence, digest: str) -> padding.PSS:
    """RSASSA-PSS (RFC 4056): one hash throughout, as RFC 4055 §3.1 recommends."""
    parameters = algos.RSASSAPSSParams.load(algorithm["parameters"].dump(), strict=True)
    mask = parameters["mask_gen_algorithm"]
    names = (
        parameters["hash_algorithm"]["algorithm"].native,
        mask["parameters"]["algorithm"].native,
    )
    salt = parameters["salt_length"].native
    if mask["algorithm"].dotted != _MGF1 or names != (digest, digest):
        raise BadAlgorithm("RSASSA-PSS is accepted with one digest for all of its parts.")
    if not 0 <= salt <= _MAX_SALT or parameters["trailer_field"].native != "trailer_field_bc":
        raise BadAlgorithm("RSASSA-PSS has a salt or a trailer of another kind.")
    return padding.PSS(mgf=padding.MGF1(hash_of(digest)), salt_length=salt)


def signature_identifier(digest: str, *, is_rsa: bool) -> asn1.Algorithm:
    """Return the AlgorithmIdentifier of what is signed here.

    rsaEncryption with NULL is what every client knows (RFC 3370 §3.2); ECDSA says its digest and
    has no parameters (RFC 5754 §3.3).
    """
    if is_rsa:
        return asn1.Algorithm({"algorithm": _RSA, "parameters": core.Null()})
    [oid] = [oid for oid, known in _ECDSA_WITH.items() if known == digest]
    return asn1.Algorithm({"algorithm": oid})


# --- Key transport --------------------------------------------------------------------------


def transport_padding(algorithm: core.Sequence) -> padding.AsymmetricPadding:
    """Return how a content key is encrypted to an RSA key; raises BadAlgorithm.

    The default of OAEP, SHA-1 throughout (RFC 4055 §4.1), is not weakened by SHA-1's collisions,
    and is accepted from everybody.
    """
    dotted = algorithm["algorithm"].dotted
    if dotted == _RSA:
        return padding.PKCS1v15()
    if dotted != _OAEP:
        raise BadAlgorithm(f"The key encryption {dotted[:60]} is not known here.")
    der = algorithm["parameters"].dump() if len(algorithm) > 1 else b""
    parameters = algos.RSAESOAEPParams.load(der or b"\x30\x00", strict=True)
    mask = parameters["mask_gen_algorithm"]
    source = parameters["p_source_algorithm"]["parameters"].native
    if mask["algorithm"].dotted != _MGF1 or source not in {b"", None}:
        raise BadAlgorithm("RSAES-OAEP is accepted with MGF1 and without a label.")
    return padding.OAEP(
        mgf=padding.MGF1(hash_of(mask["parameters"]["algorithm"].native)),
        algorithm=hash_of(parameters["hash_algorithm"]["algorithm"].native),
        label=None,
    )


def transport_identifier(*, oaep: bool) -> asn1.Algorithm:
    """Return the AlgorithmIdentifier of RSAES-PKCS1-v1_5, or of RSAES-OAEP with SHA-256."""
    if not oaep:
        return asn1.Algorithm({"algorithm": _RSA, "parameters": core.Null()})
    mask = {"algorithm": "mgf1", "parameters": {"algorithm": SHA256}}
    parameters = algos.RSAESOAEPParams(
        {"hash_algorithm": {"algorithm": SHA256}, "mask_gen_algorithm": mask}
    )
    return asn1.Algorithm({"algorithm": _OAEP, "parameters": parameters})
