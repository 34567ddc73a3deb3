"""What a CA may be: checked before one is made or taken over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from django.utils import timezone

from foundation.errors import FieldError, Invalid
from issuers.models import Issuer
from issuers.x509 import certs, chains, constraints, names, path, raw, reading

CA_ALGORITHMS = ("ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "rsa-4096", "ed25519")
MAX_ATTRIBUTE = 64  # RFC 5280 appendix A.1, ub-common-name and ub-organization-name
MIN_CA_LIFETIME, MAX_CA_LIFETIME = timedelta(hours=1), timedelta(days=10_950)
MIN_RSA_BITS = 2048


class CannotImport(Invalid):
    """The certificate and key are none that an issuer can be made of."""

    code = "cannot_import"
    message = "This is no CA certificate with its key."


def wrong(field: str, detail: str) -> Invalid:
    """Return the error that says what is wrong with one field."""
    return Invalid(detail, errors=[FieldError(field, "invalid", detail)])


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCA:
    """A local CA to be made: a root, or one that `parent` signs."""

    slug: str
    name: str = ""
    common_name: str
    organization: str = ""
    key_algorithm: str = "ecdsa-p256"
    lifetime: timedelta
    parent: Issuer | None = None
    path_length: int | None = None
    name_constraints: Sequence[str] = ()
    pki_prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingCA:
    """A CA to be taken over, with its key; it is in no text form, since the key is a secret.

    `crls` are those that it published last, in DER or PEM: what they list is stated from now on,
    and ours go on from their number (RFC 5280 §5.2.3: they only ever rise), or from `crl_number`
    where that is higher. `has_no_crl` says that it never published one; with neither it awaits
    them.
    """

    slug: str
    name: str = ""
    certificate_pem: str
    key_pem: bytes = field(repr=False)
    key_password: bytes | None = field(default=None, repr=False)
    chain_pem: str = ""
    crl_number: int = 0
    crls: Sequence[bytes | str] = ()
    has_no_crl: bool = False
    pki_prefix: str = ""


def checked_subject(ca: NewCA) -> x509.Name:
    """Return the subject of a CA that can be made; raises Invalid, naming all that is wrong."""
    errors = []
    if ca.key_algorithm not in CA_ALGORITHMS:
        detail = f"Use one of {', '.join(CA_ALGORITHMS)}."
        errors.append(FieldError("key_algorithm", "invalid", detail))
    if not MIN_CA_LIFETIME <= ca.lifetime <= MAX_CA_LIFETIME:
        detail = f"A CA is valid for 1 hour to {MAX_CA_LIFETIME.days} days."
        errors.append(FieldError("lifetime_days", "invalid", detail))
    if ca.parent is not None and not ca.parent.enabled:
        errors.append(FieldError("parent", "issuer_disabled", f"{ca.parent} is disabled."))
    errors.extend(_path_length_errors(ca.parent, ca.path_length))
    errors.extend(_validity_errors(ca.parent))
    errors.extend(_constraint_errors(ca.name_constraints, ca.parent))
    attributes: list[x509.NameAttribute[str | bytes]] = []
    if ca.organization:
        attributes += _attributes("organization", "O", ca.organization, errors)
    attributes += _attributes("common_name", "CN", ca.common_name, errors)
    if errors:
        raise Invalid(" ".join(error["detail"] for error in errors), errors=errors)
    return x509.Name(attributes)


def new_key(algorithm: str) -> CertificateIssuerPrivateKeyTypes:
    """Make a key for a CA; `algorithm` is one of CA_ALGORITHMS."""
    if algorithm.startswith("rsa-"):
        return rsa.generate_private_key(65537, int(algorithm.removeprefix("rsa-")))
    if algorithm == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP384R1() if algorithm == "ecdsa-p384" else ec.SECP256R1())


def load_chain(
    certificate_pem: str, chain_pem: str
) -> tuple[x509.Certificate, list[x509.Certificate]]:
    """Return a CA's certificate and those above it, in order and without doubles.

    Raises CannotImport where something cannot be read, or has signed nothing that is there.
    """
    try:
        certificates = reading.certificates(f"{certificate_pem}\n{chain_pem}")
    except reading.Unreadable as error:
        raise CannotImport(f"There is no readable PEM certificate: {error}.") from None
    arranged = chains.arrange(certificates, leaf=certificates[0])
    if arranged.extra:
        strangers = ", ".join(chains.name_of(one.subject) for one in arranged.extra)
        raise CannotImport(f"The chain holds what signed none of the others: {strangers}.")
    return arranged.leaf, list(arranged.chain)


def check_import(
    certificate: x509.Certificate, key: object, chain: Sequence[x509.Certificate]
) -> None:
    """Raise CannotImport, naming all that stands against it."""
    kinds = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    if not isinstance(key, kinds):
        raise CannotImport("Keys of this kind cannot sign here.")
    problems = [
        *_key_problems(certificate, key),
        *_certificate_problems(certificate),
        *path.ca_problems(certificate, chain),
    ]
    if problems:
        raise CannotImport(" ".join(problems))


def check_new(certificate: x509.Certificate, chain_pem: str) -> None:
    """Raise Invalid where nothing that a new CA signs could verify below `chain_pem`."""
    above = reading.certificates(chain_pem) if chain_pem else []
    if problems := path.ca_problems(certificate, above):
        raise wrong("parent", " ".join(problems))


def _path_length_errors(parent: Issuer | None, path_length: int | None) -> Iterator[FieldError]:
    """RFC 5280 §4.2.1.9: a path length is how many CAs may stand between a CA and a subscriber."""
    if path_length is not None and path_length < 0:
        yield FieldError("path_length", "invalid", "It must be 0 or more.")
    if parent is None or parent.certificate is None:
        return
    room = path.room(*_chain_of(parent))
    if room is None:
        return
    if room == 0:
        detail = f"{parent} may sign no CA: the path length is 0, its own or above it."
        yield FieldError("parent", "no_room", detail)
    elif (path_length or 0) >= room:
        detail = f"It must be under {room}, which is what {parent} leaves."
        yield FieldError("path_length", "no_room", detail)


def _validity_errors(parent: Issuer | None) -> Iterator[FieldError]:
    if parent is None or not parent.certificate_pem:
        return
    begins, ends = path.window(*_chain_of(parent))
    if not begins <= timezone.now() <= ends - MIN_CA_LIFETIME:
        detail = f"{parent}, or a CA above it, is not valid for another hour."
        yield FieldError("parent", "not_valid", detail)


def _constraint_errors(
    name_constraints: Sequence[str], parent: Issuer | None
) -> Iterator[FieldError]:
    above: list[x509.Certificate] = []
    if parent is not None and parent.certificate_pem:
        own, rest = _chain_of(parent)
        above = [own, *rest]
    for text in name_constraints:
        try:
            subtree = certs.subtree(text)
        except ValueError:
            detail = f"{text[:80]!r} is none, such as dns:example.com or ip:10.0.0.0/8."
            yield FieldError("name_constraints", "invalid", detail)
            continue
        for ca in above:
            if constraints.leaves_nothing(ca, subtree):
                detail = f"{chains.name_of(ca.subject)} permits nothing of {text[:80]!r}."
                yield FieldError("name_constraints", "leaves_nothing", detail)


def _chain_of(issuer: Issuer) -> tuple[x509.Certificate, list[x509.Certificate]]:
    own, *above = reading.certificates(f"{issuer.certificate_pem}\n{issuer.chain_pem}")
    return own, above


def _attributes(
    field: str, kind: str, value: str, errors: list[FieldError]
) -> list[x509.NameAttribute[str | bytes]]:
    if len(value) > MAX_ATTRIBUTE:
        errors.append(FieldError(field, "bad_name", f"Use up to {MAX_ATTRIBUTE} characters."))
        return []
    try:
        return list(names.subject_of([(kind, value)]))
    except names.BadName as error:
        errors.append(FieldError(field, "bad_name", str(error)))
        return []


def _key_problems(
    certificate: x509.Certificate,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
) -> Iterator[str]:
    public = key.public_key()
    if public != certificate.public_key():
        yield "The private key is not that of the certificate."
    if raw.is_pss(certificate):
        # RFC 4055 §1.2: such a key signs PSS alone, and all that we sign with RSA is PKCS #1 v1.5.
        yield "A CA whose key is bound to RSASSA-PSS cannot sign here; it must be rsaEncryption."
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < MIN_RSA_BITS:
        yield f"RSA keys under {MIN_RSA_BITS} bits are not accepted."
    known = Issuer.objects.exclude(certificate_pem="")
    if any(one.certificate.public_key() == public for one in known if one.certificate):
        # RFC 5280 §5: a CRL speaks for one key, so two rows would number the same CRL twice.
        yield "Another issuer has this key."


def _certificate_problems(certificate: x509.Certificate) -> Iterator[str]:
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        yield "The certificate lacks basicConstraints or keyUsage."
    else:
        if not basic.ca or not usage.key_cert_sign:
            yield "The certificate is not that of a CA (cA, keyCertSign)."
        if not usage.crl_sign:
            yield "The CA may not sign CRLs (cRLSign)."
    now = timezone.now()
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        yield "The certificate is not valid now."
