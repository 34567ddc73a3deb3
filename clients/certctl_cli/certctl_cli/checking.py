"""Whether a certificate is good, as a relying party sees it: its path, its CRL, its OCSP answer."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from certctl_cli import __version__
from certctl_cli.certificates import has_signed

TIMEOUT = 15.0  # seconds
MAX_SIZE = 64 * 1024 * 1024  # bytes, of a CRL
MAX_PATH = 10  # certificates
SLACK = timedelta(minutes=5)  # of this machine's clock


class Bad(Exception):
    """It is not good; the text says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: `ok` is None where there was nothing to look at."""

    name: str
    ok: bool | None
    detail: str


def all_of(
    certificate: x509.Certificate,
    above: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    *,
    now: datetime | None = None,
) -> list[Check]:
    """Check dates, path, CRL (RFC 5280 section 5) and OCSP (RFC 6960) of a certificate.

    Of RFC 5280 section 6 the path's names, signatures, dates and CA bits are looked at.
    `roots` are trusted; `above` may lead to them; what is missing is fetched by AIA caIssuers.
    """
    now = now or datetime.now(UTC)  # noqa: TID251 - no Django here
    with httpx.Client(
        timeout=TIMEOUT,
        follow_redirects=True,
        headers={"User-Agent": f"certctl-cli/{__version__}"},
    ) as http:
        path: list[x509.Certificate] = [certificate]
        checks = [_run("dates", lambda: _dates(certificate, now))]
        checks.append(_run("chain", lambda: _path(http, path, above, roots, now)))
        issuer = path[1] if len(path) > 1 else None
        checks.append(_run("CRL", lambda: _crl(http, certificate, issuer, now)))
        checks.append(_run("OCSP", lambda: _ocsp(http, certificate, issuer, now)))
    return checks


def _run(name: str, look: Callable[[], tuple[bool | None, str]]) -> Check:
    try:
        ok, detail = look()
    except Bad as bad:
        return Check(name, ok=False, detail=str(bad))
    except httpx.HTTPError as error:
        return Check(name, ok=False, detail=f"no answer: {str(error) or type(error).__name__}")
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        return Check(name, ok=False, detail=f"cannot be read: {error}")
    return Check(name, ok=ok, detail=detail)


def _dates(certificate: x509.Certificate, now: datetime) -> tuple[bool, str]:
    starts, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < starts - SLACK:
        raise Bad(f"not valid before {starts:%Y-%m-%d %H:%M} UTC")
    if now > ends:
        raise Bad(f"ended {ends:%Y-%m-%d %H:%M} UTC")
    return True, f"ends {ends:%Y-%m-%d %H:%M} UTC, in {(ends - now).days} days"


def _path(
    http: httpx.Client,
    path: list[x509.Certificate],
    above: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    now: datetime,
) -> tuple[bool, str]:
    """Lengthen `path` up to a root."""
    while path[-1] not in roots:
        last = path[-1]
        if len(path) > MAX_PATH:
            raise Bad(f"no root after {MAX_PATH} certificates")
        known = [one for one in (*roots, *above) if has_signed(one, last) and one not in path]
        issuer = known[0] if known else _fetched(http, last)
        if issuer is None or issuer in path:
            ends_at = last.subject.rfc4514_string()
            raise Bad(f"no trusted certificate above {ends_at}")
        _dates(issuer, now)
        _is_ca(issuer, below=len(path) - 1)
        path.append(issuer)
    return True, " < ".join(one.subject.rfc4514_string() for one in path[1:]) or "trusted itself"


def _is_ca(certificate: x509.Certificate, *, below: int) -> None:
    name = certificate.subject.rfc4514_string()
    extensions = certificate.extensions
    try:
        basic = extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        raise Bad(f"{name} is no CA") from None
    if not basic.ca:
        raise Bad(f"{name} is no CA")
    if basic.path_length is not None and below > basic.path_length:
        raise Bad(f"{name} may have no more than {basic.path_length} CAs below it")
    with suppress(x509.ExtensionNotFound):
        if not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign:
            raise Bad(f"{name} may not sign certificates")


def _fetched(http: httpx.Client, certificate: x509.Certificate) -> x509.Certificate | None:
    for url in _aia(certificate, AuthorityInformationAccessOID.CA_ISSUERS):
        content = _get(http, url)
        issuer = (
            x509.load_pem_x509_certificate(content)
            if content.startswith(b"-----")
            else x509.load_der_x509_certificate(content)
        )
        if has_signed(issuer, certificate):
            return issuer
    return None


def _aia(certificate: x509.Certificate, method: x509.ObjectIdentifier) -> list[str]:
    try:
        aia = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return []
    return [
        one.access_location.value
        for one in aia
        if one.access_method == method
        and isinstance(one.access_location, x509.UniformResourceIdentifier)
        and one.access_location.value.startswith("http")
    ]


def _get(http: httpx.Client, url: str) -> bytes:
    with http.stream("GET", url) as answer:
        if not answer.is_success:
            raise Bad(f"{url} answers {answer.status_code}")
        return _bounded(answer, url)


def _bounded(answer: httpx.Response, url: str) -> bytes:
    content = b""
    for piece in answer.iter_bytes():
        content += piece
        if len(content) > MAX_SIZE:
            raise Bad(f"{url} is longer than {MAX_SIZE} bytes")
    return content


def _crl(
    http: httpx.Client,
    certificate: x509.Certificate,
    issuer: x509.Certificate | None,
    now: datetime,
) -> tuple[bool | None, str]:
    urls = _crl_urls(certificate)
    if not urls:
        return None, "the certificate names none"
    if issuer is None:
        raise Bad("who signed it is not known")
    crl = x509.load_der_x509_crl(_get(http, urls[0]))
    if not crl.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
        raise Bad(f"{urls[0]} is not signed by the issuer")
    ends = crl.next_update_utc
    if ends is None or now > ends + SLACK or now < crl.last_update_utc - SLACK:
        raise Bad(f"{urls[0]} is not of now: {crl.last_update_utc} to {ends}")
    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if entry is not None:
        raise Bad(f"revoked {entry.revocation_date_utc:%Y-%m-%d %H:%M} UTC{_reason(entry)}")
    return True, f"not in it; of {crl.last_update_utc:%Y-%m-%d %H:%M} UTC"


def _crl_urls(certificate: x509.Certificate) -> list[str]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return []
    return [
        name.value
        for point in points
        for name in point.full_name or []
        if isinstance(name, x509.UniformResourceIdentifier) and name.value.startswith("http")
    ]


def _reason(entry: x509.RevokedCertificate) -> str:
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return ""
    return f", {reason.value}"


def _ocsp(
    http: httpx.Client,
    certificate: x509.Certificate,
    issuer: x509.Certificate | None,
    now: datetime,
) -> tuple[bool | None, str]:
    urls = _aia(certificate, AuthorityInformationAccessOID.OCSP)
    if not urls:
        return None, "the certificate names no responder"
    if issuer is None:
        raise Bad("who signed it is not known")
    asked = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1()).build()  # noqa: S303 - RFC 5019 section 2.1.1
    with http.stream(
        "POST",
        urls[0],
        content=asked.public_bytes(serialization.Encoding.DER),
        headers={"Content-Type": "application/ocsp-request"},
    ) as got:
        content = _bounded(got, urls[0])
    answer = ocsp.load_der_ocsp_response(content)
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise Bad(f"the responder says {answer.response_status.name.lower()}")
    _is_signed_for(answer, issuer, now)
    if answer.serial_number != certificate.serial_number:
        raise Bad("the answer is about another certificate")
    ends = answer.next_update_utc
    if now < answer.this_update_utc - SLACK or (ends is not None and now > ends + SLACK):
        raise Bad(f"the answer is not of now: {answer.this_update_utc} to {ends}")
    if answer.certificate_status is not ocsp.OCSPCertStatus.GOOD:
        raise Bad(answer.certificate_status.name.lower())
    return True, f"good; of {answer.this_update_utc:%Y-%m-%d %H:%M} UTC"


def _is_signed_for(answer: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> None:
    """By the issuer itself, or by whom it named for that (RFC 6960 section 4.2.2.2)."""
    for signer in (issuer, *answer.certificates):
        if signer != issuer and not _is_delegate(signer, issuer, now):
            continue
        key, digest = signer.public_key(), answer.signature_hash_algorithm
        try:
            _verify(key, answer.signature, answer.tbs_response_bytes, digest)
        except (InvalidSignature, TypeError, ValueError):
            continue
        return
    raise Bad("the answer is not signed by the issuer, nor by a responder of it")


def _is_delegate(signer: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool:
    if not has_signed(issuer, signer):
        return False
    if not signer.not_valid_before_utc - SLACK <= now <= signer.not_valid_after_utc:
        return False
    try:
        usages = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in usages


def _verify(
    key: object, signature: bytes, data: bytes, digest: hashes.HashAlgorithm | None
) -> None:
    match key:
        case ec.EllipticCurvePublicKey() if digest is not None:
            key.verify(signature, data, ec.ECDSA(digest))
        case rsa.RSAPublicKey() if digest is not None:
            key.verify(signature, data, padding.PKCS1v15(), digest)
        case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
            key.verify(signature, data)
        case _:
            raise TypeError
