"""Rules of the CA certificate that is published, and of what certificates say of addresses."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import AuthorityInformationAccessOID as Access

from issuers.x509 import raw
from issuers.x509.der import NotDER
from pki_wellknown.conformance import structures
from pki_wellknown.conformance.evidence import Evidence, Fails, NotApplicable, same
from pki_wellknown.conformance.headers import check_head, check_methods, check_quiet
from pki_wellknown.conformance.rules import rule

TYPES = {"application/pkix-cert", "application/pkcs7-mime"}
NO_REV_AVAIL = x509.ObjectIdentifier("2.5.29.56")


@rule("ca.status", "RFC 5280 §4.2.2.1", "the CA certificate is served without credentials")
def _status(seen: Evidence) -> None:
    if seen.ca_answer.status != 200:  # noqa: PLR2004
        raise Fails(f"HTTP {seen.ca_answer.status}")


@rule("ca.type", "RFC 5280 §4.2.2.1", "its media type is application/pkix-cert or pkcs7-mime")
def _type(seen: Evidence) -> None:
    _answered(seen)
    if seen.ca_answer.content_type not in TYPES:
        raise Fails(f"Content-Type is {seen.ca_answer.content_type or 'missing'}")


@rule("ca.der", "RFC 5280 §4.2.2.1", "it is one DER certificate, or certs-only CMS")
def _der(seen: Evidence) -> None:
    _answered(seen)
    if seen.served_ca is None:
        raise Fails("it can be read as neither")


@rule("ca.signs", "RFC 5280 §4.2.1.3, §4.2.1.9", "it is a CA's, for certificates and CRLs")
def _signs(seen: Evidence) -> None:
    extensions = seen.ca.extensions
    try:
        basic = extensions.get_extension_for_class(x509.BasicConstraints)
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as error:
        raise Fails(str(error)) from None
    if not basic.value.ca or not basic.critical:
        raise Fails("basicConstraints does not say, critically, that it is a CA")
    if not (usage.key_cert_sign and usage.crl_sign):
        raise Fails("its key usage lacks keyCertSign or cRLSign")


@rule("ca.same", "RFC 5280 §4.2.2.1", "what is served is the CA certificate that was given")
def _same(seen: Evidence) -> None:
    given = seen.target.ca
    if given is None:
        raise NotApplicable("none was given to compare with")
    if seen.served_ca is None:
        raise NotApplicable("what is served cannot be read")
    if not same(given, seen.served_ca):
        raise Fails("it is another certificate")


@rule("ca.quiet", "RFC 9919 §6", "no cookie, no Vary by cookie, no compression")
def _quiet(seen: Evidence) -> None:
    _answered(seen)
    check_quiet(seen.ca_answer)


@rule("ca.head", "RFC 9110 §9.3.2", "HEAD has the headers of GET")
def _head(seen: Evidence) -> None:
    _answered(seen)
    check_head(seen, seen.ca_url, seen.ca_answer)


@rule("ca.methods", "RFC 9110 §15.5.6", "other methods are 405 with Allow")
def _methods(seen: Evidence) -> None:
    check_methods(seen, seen.ca_url, ("POST", "PUT", "DELETE"))


@rule("ca.unknown", "RFC 9110 §15.5.5", "an issuer that there is none of is 404")
def _unknown(seen: Evidence) -> None:
    status = seen.get(seen.aside("ca")).status
    if status != 404:  # noqa: PLR2004
        raise Fails(f"HTTP {status}")


@rule("certificate.issuer", "RFC 5280 §6.1.3", "the certificates given are signed by the CA")
def _issuer(seen: Evidence) -> None:
    for one in _certificates(seen):
        try:
            one.verify_directly_issued_by(seen.ca)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise Fails(
                f"{one.serial_number:x} is not: {str(error) or type(error).__name__}"
            ) from None


@rule("certificate.http", "RFC 5280 §8, BR 7.1.2", "their CDP and AIA are absolute http URLs")
def _http(seen: Evidence) -> None:
    for one in _certificates(seen):
        for url in (*_cdp(one), *_aia(one, Access.OCSP), *_aia(one, Access.CA_ISSUERS)):
            parts = urlsplit(url)
            if parts.scheme != "http" or not parts.hostname:
                raise Fails(f"{one.serial_number:x} points to {url[:200]}")


@rule("certificate.no-rev-avail", "RFC 9608 §3", "noRevAvail never stands beside a CDP or OCSP")
def _no_rev_avail(seen: Evidence) -> None:
    for one in _certificates(seen):
        oids = {extension.oid for extension in one.extensions}
        if NO_REV_AVAIL in oids and (list(_cdp(one)) or list(_aia(one, Access.OCSP))):
            raise Fails(f"{one.serial_number:x} has both")


@rule("certificate.cdp", "RFC 5280 §4.2.1.13", "their CDP leads to a CRL of the same CA")
def _leads_to_crl(seen: Evidence) -> None:
    urls = {url for one in _certificates(seen) for url in _cdp(one)}
    if not urls:
        raise NotApplicable("they have none")
    for url in sorted(urls - {seen.target.crl_url}):  # which has rules of its own
        try:
            issuer = structures.crl_of(seen.get(url).body).issuer
        except NotDER:
            raise Fails(f"there is no CRL at {url[:200]}") from None
        if issuer != raw.subject(seen.ca):
            raise Fails(f"the CRL at {url[:200]} is another CA's")


def _answered(seen: Evidence) -> None:
    if seen.ca_answer.status != 200:  # noqa: PLR2004
        raise NotApplicable("the CA certificate is not served")


def _certificates(seen: Evidence) -> tuple[x509.Certificate, ...]:
    given = (*seen.target.good, *seen.target.revoked)
    if not given:
        raise NotApplicable("no certificate was given")
    return given


def _cdp(certificate: x509.Certificate) -> Iterator[str]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return
    for point in points:
        yield from (str(name.value) for name in point.full_name or ())


def _aia(certificate: x509.Certificate, method: x509.ObjectIdentifier) -> Iterator[str]:
    try:
        access = certificate.extensions.get_extension_for_class(
            x509.AuthorityInformationAccess
        ).value
    except x509.ExtensionNotFound:
        return
    yield from (str(one.access_location.value) for one in access if one.access_method == method)
