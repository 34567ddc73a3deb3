"""EnvelopedData for RSA recipients by key transport (RFC 5652 §6.2.1): opened and made.

Opening tells a stranger nothing of the key (RFC 3218, Bleichenbacher): a content key whose padding
is wrong is replaced by one that hangs on the key and on the message, and the content is decrypted
with that. What comes out is garbage, and is refused with the words for garbage. OpenSSL does the
first half for wrong padding ("implicit rejection"); a key of a wrong length is replaced here.
"""

import hashlib
import secrets
from dataclasses import dataclass

from asn1crypto import cms, core
from cryptography import x509
from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC

from enrollment.cms import algorithms, asn1, naming
from enrollment.cms.errors import BadAlgorithm, CannotDecrypt, Malformed
from issuers.x509 import der

MAX_RECIPIENTS = 8
_WORDS = "The envelope cannot be opened with the key that it should be for."


@dataclass(frozen=True, slots=True)
class Recipient:
    """A content key encrypted to somebody's RSA key."""

    identifier: naming.Identifier
    algorithm: core.Sequence
    encrypted_key: bytes


@dataclass(frozen=True, slots=True)
class Enveloped:
    """An EnvelopedData as it was read; `cipher` is a name, or an OID that is not known here."""

    cipher: str
    recipients: tuple[Recipient, ...]
    _iv: bytes
    _ciphertext: bytes

    def open(
        self, key: rsa.RSAPrivateKey, certificate: x509.Certificate, *, legacy: bool = False
    ) -> bytes:
        """Return what is inside, for the recipient `certificate`, whose key is `key`.

        Raises BadAlgorithm for what is unknown or weak (3DES passes with `legacy`), and
        CannotDecrypt, always in the same words, where it is not for this recipient or anything
        in it is wrong. Now and then, one time in 256, a wrong key yields garbage instead: callers
        must not answer garbage in other words than CannotDecrypt's.
        """
        algorithms.allow(self.cipher, legacy=legacy)
        cipher = algorithms.cipher_of(self.cipher)
        if len(self._iv) != cipher.block_size or len(self._ciphertext) % cipher.block_size:
            raise Malformed("The encrypted content has no whole blocks, or no fitting IV.")
        mine = [one for one in self.recipients if one.identifier.names(certificate)]
        if not mine:
            raise CannotDecrypt(_WORDS)
        content_key = _content_key(mine[0], key, cipher.key_size)
        decryptor = Cipher(cipher.keyed(content_key), CBC(self._iv)).decryptor()
        padded = decryptor.update(self._ciphertext) + decryptor.finalize()
        unpadder = block_padding.PKCS7(cipher.block_size * 8).unpadder()
        try:
            return unpadder.update(padded) + unpadder.finalize()
        except ValueError:
            raise CannotDecrypt(_WORDS) from None


def parse(data: bytes) -> Enveloped:
    """Read an EnvelopedData; raises Malformed.

    Recipients by other means than key transport are passed over: there is no key of ours for them.
    """
    return asn1.reading("envelope", lambda: _parse(data))


def seal(
    content: bytes,
    *,
    recipient: x509.Certificate,
    cipher: str = algorithms.AES128,
    oaep: bool = False,
) -> bytes:
    """Encrypt `content` (id-data) to the RSA key of `recipient` and return an EnvelopedData's DER.

    The content key and the IV come from the operating system's random numbers. Raises BadAlgorithm
    for a recipient without an RSA key.
    """
    public_key = recipient.public_key()
    if not isinstance(public_key, rsa.RSAPublicKey):
        raise BadAlgorithm("An envelope is for RSA keys alone, and the recipient's is of another.")
    block_cipher = algorithms.cipher_of(cipher)
    content_key = secrets.token_bytes(block_cipher.key_size)
    iv = secrets.token_bytes(block_cipher.block_size)
    padder = block_padding.PKCS7(block_cipher.block_size * 8).padder()
    encryptor = Cipher(block_cipher.keyed(content_key), CBC(iv)).encryptor()
    ciphertext = encryptor.update(padder.update(content) + padder.finalize())
    transport = algorithms.transport_identifier(oaep=oaep)
    info = asn1.Recipient(
        {
            "version": 0,
            "rid": cms.RecipientIdentifier({"issuer_and_serial_number": naming.named(recipient)}),
            "key_encryption_algorithm": transport,
            "encrypted_key": public_key.encrypt(
                content_key, algorithms.transport_padding(transport)
            ),
        }
    )
    encryption = {"algorithm": block_cipher.oid, "parameters": core.OctetString(iv)}
    envelope = asn1.EnvelopedContentInfo(
        {
            "content_type": asn1.ENVELOPED_DATA,
            "content": {
                "version": 0,
                "recipient_infos": asn1.Anything([asn1.raw(info.dump())]),
                "encrypted_content_info": {
                    "content_type": asn1.DATA,
                    "content_encryption_algorithm": encryption,
                    "encrypted_content": ciphertext + encryptor.finalize(),
                },
            },
        }
    )
    return bytes(envelope.dump())


def _parse(data: bytes) -> Enveloped:
    enveloped = asn1.content_of(data, asn1.EnvelopedContentInfo, asn1.ENVELOPED_DATA, "envelope")
    values = enveloped["recipient_infos"]
    if not 1 <= len(values) <= MAX_RECIPIENTS:
        raise Malformed(f"An envelope must have 1 to {MAX_RECIPIENTS} recipients.")
    content = enveloped["encrypted_content_info"]
    asn1.check_shape(content)
    encryption = content["content_encryption_algorithm"]
    if content["content_type"].dotted != asn1.DATA:
        raise Malformed("What is in the envelope must be of the type id-data.")
    if isinstance(content["encrypted_content"], core.Void):
        raise Malformed("There is nothing in the envelope.")
    cipher = algorithms.cipher_name(encryption)
    return Enveloped(
        cipher=cipher,
        recipients=tuple(_recipient(value.dump()) for value in values if _is_by_transport(value)),
        _iv=_iv(encryption) if cipher in algorithms.CIPHERS else b"",
        _ciphertext=bytes(content["encrypted_content"]),
    )


def _is_by_transport(value: core.Any) -> bool:
    # KeyTransRecipientInfo alone has no tag of its own in the CHOICE (RFC 5652 §6.2).
    return bool(value.dump()[0] == der.SEQUENCE)


def _recipient(data: bytes) -> Recipient:
    info = asn1.Recipient.load(data, strict=True)
    asn1.check_shape(info)
    algorithm = info["key_encryption_algorithm"]
    _ = algorithm["algorithm"].dotted
    return Recipient(naming.read(info["rid"]), algorithm, bytes(info["encrypted_key"]))


def _iv(encryption: core.Sequence) -> bytes:
    return bytes(core.OctetString.load(encryption["parameters"].dump(), strict=True))


def _content_key(recipient: Recipient, key: rsa.RSAPrivateKey, size: int) -> bytes:
    """Return the content key, or another of its size that a stranger cannot know."""
    how = asn1.reading(
        "key encryption algorithm", lambda: algorithms.transport_padding(recipient.algorithm)
    )
    try:
        decrypted = key.decrypt(recipient.encrypted_key, how)
    except ValueError:
        # A ciphertext of no fitting size, which whoever sees it can see; or OAEP, which nobody can
        # make by chance, so that no key is needed to go on with.
        raise CannotDecrypt(_WORDS) from None
    # Always made, so that its time says nothing. It hangs on what came out: a stranger who did not
    # encrypt it knows neither; and it is the same for the same message, as the true key is.
    substitute = hashlib.sha256(b"content key of a wrong length" + decrypted).digest()[:size]
    return decrypted if len(decrypted) == size else substitute
