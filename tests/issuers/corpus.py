"""Certification paths, good and bad, and three programs to ask what they think of them."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import PathError, ValidationError

from issuers.x509 import certs
from tests.ca import KEYS, openssl, write

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass
class Made:
    """A certificate, its key, and that of its issuer."""

    certificate: x509.Certificate
    key: object = field(repr=False)


def name(common_name, **others):
    pairs = [(getattr(NameOID, oid), text) for oid, text in others.items()]
    return x509.Name(
        [
            x509.NameAttribute(oid, text)
            for oid, text in [*pairs, (NameOID.COMMON_NAME, common_name)]
        ]
    )


def make(
    subject, *extensions, parent=None, key=None, begins=BEGINS, days=1000, sign_with=None,
    algorithm="ecdsa-p256", issuer_name=None, identifiers=True,
):  # fmt: skip
    """Make any certificate at all; extensions are values, or (value, critical)."""
    key = key or KEYS[algorithm]()
    signer = sign_with or (parent.key if parent else key)
    above = parent.certificate.subject if parent else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name or above)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
    )
    if identifiers:
        ski = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        above_key = (parent.key if parent else key).public_key()
        aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(above_key)
        builder = builder.add_extension(ski, critical=False).add_extension(aki, critical=False)
    for one in extensions:
        value, critical = one if isinstance(one, tuple) else (one, False)
        builder = builder.add_extension(value, critical=critical)
    digest = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    if isinstance(signer, ec.EllipticCurvePrivateKey) and signer.curve.key_size > 256:
        digest = hashes.SHA384()
    return Made(builder.sign(signer, digest), key)


def ca(common_name, *extensions, path_length=None, usage=("keyCertSign", "cRLSign"), **options):
    """Make a CA; `usage` None leaves the extension out."""
    basic = (x509.BasicConstraints(ca=True, path_length=path_length), True)
    usages = [(certs.key_usage(usage), True)] if usage else []
    subject = options.pop("subject", None) or name(common_name)
    return make(subject, basic, *usages, *extensions, **options)


def leaf(parent, *extensions, subject=None, names=("dns:a.example.com",), purposes=(SERVER,),
         usage=("digitalSignature",), days=100, **options):  # fmt: skip
    """Make a subscriber's certificate as ours are; names are texts or general names."""
    general = [certs_name(one) for one in names]
    wanted = [(x509.BasicConstraints(ca=False, path_length=None), True)]
    if usage:
        wanted.append((certs.key_usage(usage), True))
    if purposes:
        wanted.append(x509.ExtendedKeyUsage(purposes))
    if general:
        san = x509.SubjectAlternativeName(general)
        wanted.append((san, subject is not None and not list(subject)))
    # A common name that is no host: constraints on hosts are not about it.
    chosen = name("subscriber") if subject is None else subject
    return make(chosen, *wanted, *extensions, parent=parent, days=days, **options)


def certs_name(text):
    from issuers.x509 import names as texts  # noqa: PLC0415

    return texts.general_names([text])[0] if isinstance(text, str) else text


def permits(*names):
    return x509.NameConstraints(permitted_subtrees=list(names), excluded_subtrees=None), True


def excludes(*names):
    return x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=list(names)), True


# --- The others -----------------------------------------------------------------------------


def openssl_accepts(end, above, *, purpose, at, folder):
    """Ask `openssl verify`, with the last of `above` as what is trusted."""
    *middle, root = above
    untrusted = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in middle)
    given = ["-untrusted", write(folder / "untrusted", untrusted)] if middle else []
    said = openssl(
        "verify", "-CAfile", write(folder / "root", root), *given, "-purpose", purpose,
        "-attime", int(at.timestamp()), write(folder / "leaf", end), check=False,
    )  # fmt: skip
    return said.strip().endswith(": OK")


def pyhanko_accepts(end, above, *, at):
    """Ask pyhanko-certvalidator, with the last of `above` as what is trusted; None: no opinion."""
    *middle, root = [_asn1(one) for one in above]
    context = ValidationContext(
        trust_roots=[root], moment=at, allow_fetching=False, revocation_mode="soft-fail"
    )
    validator = CertificateValidator(_asn1(end), middle, validation_context=context)
    try:
        # In a thread: a browser's test before us may have left an event loop in this one.
        with ThreadPoolExecutor(1) as other:
            other.submit(asyncio.run, validator.async_validate_path()).result()
    except (NotImplementedError, TypeError):
        return None  # it compares neither addresses with networks, nor names of other kinds
    except (PathError, ValidationError):
        return False
    return True


def library_accepts(end, above, *, at, purpose):
    """Ask cryptography's own verifier about a server or a client; None where it has no opinion."""
    *middle, root = above
    if any(isinstance(one.public_key(), ed25519.Ed25519PublicKey) for one in (end, *above)):
        return None
    try:
        found = end.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    builder = verification.PolicyBuilder().store(verification.Store([root])).time(at)
    try:
        if purpose == "sslserver":
            hosts = found.get_values_for_type(x509.DNSName)
            if not hosts:
                return None
            asked = verification.DNSName(hosts[0].replace("*", "x"))
            builder.build_server_verifier(asked).verify(end, list(middle))
        else:
            builder.build_client_verifier().verify(end, list(middle))
    except verification.VerificationError:
        return False
    return True


def _asn1(certificate):
    return asn1.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
