"""Certs-only messages: a SignedData without signers that carries certificates (RFC 5652 §5.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from asn1crypto import core
from cryptography import x509

from enrollment.cms import asn1, naming
from enrollment.cms.errors import Malformed

MAX_CRLS = 4


@dataclass(frozen=True, slots=True)
class Bag:
    """What a certs-only message carries: certificates, and CRLs in DER."""

    certificates: tuple[x509.Certificate, ...]
    crls: tuple[bytes, ...] = ()


def build(certificates: Sequence[x509.Certificate], *, crl: bytes | None = None) -> bytes:
    """Return the DER of a certs-only message.

    The certificates are a SET, which DER sorts: their order says nothing, and whoever wants one of
    them looks for its name or key.
    """
    content: dict[str, object] = {
        "version": 1,
        "digest_algorithms": [],
        "encap_content_info": {"content_type": asn1.DATA},
        "signer_infos": [],
    }
    if certificates:
        unique = dict.fromkeys(naming.der_of(one) for one in certificates)
        content["certificates"] = asn1.Anything([asn1.raw(one) for one in unique])
    if crl is not None:
        content["crls"] = asn1.Anything([asn1.raw(crl)])
    info = asn1.SignedContentInfo({"content_type": asn1.SIGNED_DATA, "content": content})
    return bytes(info.dump())


def parse(data: bytes) -> Bag:
    """Read a certs-only message; raises Malformed, also for one that somebody signed."""
    return asn1.reading("certs-only message", lambda: _parse(data))


def _parse(data: bytes) -> Bag:
    content = asn1.content_of(data, asn1.SignedContentInfo, asn1.SIGNED_DATA, "certs-only message")
    if len(content["signer_infos"]) or not isinstance(
        content["encap_content_info"]["content"], core.Void
    ):
        raise Malformed("A certs-only message has no signers and no content.")
    lists = content["crls"]
    crls = () if isinstance(lists, core.Void) else tuple(one.dump() for one in lists)
    if len(crls) > MAX_CRLS:
        raise Malformed(f"A message may carry {MAX_CRLS} CRLs.")
    return Bag(naming.certificates(content["certificates"]), crls)
