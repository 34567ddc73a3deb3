"""Four certificates of one CA, of each standing, as relying parties get to see them.

Two CAs, in fact: one that signs its OCSP answers itself, and one that delegates them.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tools.interop.people import DOMAIN, PATIENCE, person

if TYPE_CHECKING:
    from certificates.models import Version
    from issuers.models import Issuer

GOOD, REVOKED, HOLD, NEVER = "good", "revoked", "hold", "never"
STANDINGS = (GOOD, REVOKED, HOLD, NEVER)
ITSELF, DELEGATES = "demo-issuing", "delegating"
PROFILE = "relying"


@dataclass(frozen=True, slots=True)
class Subject:
    """A certificate of some standing, in files: PEM, with its chain, and its key."""

    standing: str
    name: str
    certificate: Path
    served: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA below the demo's root, in files, with one certificate of each standing."""

    slug: str
    root: Path
    issuing: Path
    ocsp_url: str
    subjects: Sequence[Subject]

    def of(self, standing: str) -> Subject:
        """Return its certificate of that standing."""
        return next(one for one in self.subjects if one.standing == standing)


@cache
def authorities(folder: Path) -> Sequence[Authority]:
    """Make both CAs' certificates, once, below the installation's folder."""
    _make_profile()
    _make_delegating()
    place = folder / "relying"
    place.mkdir()
    return [_authority(place, slug) for slug in (ITSELF, DELEGATES)]


def _make_profile() -> None:
    from issuers.services import save_profile

    save_profile(
        actor=person("carol"),
        changes={
            "slug": PROFILE,
            "name": PROFILE,
            "extended_key_usage": ["serverAuth", "clientAuth"],
            "allowed_sans": [f"dns:*.{DOMAIN}"],
        },
    )


def _make_delegating() -> None:
    """Make a CA beside the demo's, whose responder has its certificate when this returns."""
    import certificates.services
    import jobs.services
    from certificates import responders
    from foundation.clock import database_clock
    from issuers.models import Issuer
    from issuers.services import NewCA, update_issuer
    from jobs import runner
    from owners.models import Principal

    issuer = certificates.services.make_ca(
        actor=person("carol"),
        ca=NewCA(
            slug=DELEGATES,
            common_name="Delegating CA",
            key_algorithm="rsa-2048",
            lifetime=timedelta(days=400),
            parent=Issuer.objects.get(slug="demo-root"),
        ),
    )
    update_issuer(actor=person("carol"), issuer_id=issuer.pk, changes={"ocsp_delegated": True})
    jobs.services.tend_responders(actor=Principal.objects.system())
    issuer = Issuer.objects.get(pk=issuer.pk)
    ends = time.monotonic() + PATIENCE
    # Here or by the installation's worker, whoever claims the job.
    while responders.delegate_of(issuer, database_clock.now()) is None:
        if time.monotonic() > ends:
            raise AssertionError("The delegated responder has no certificate.")
        runner.run_pending()
        time.sleep(0.2)


def _authority(place: Path, slug: str) -> Authority:
    from issuers.models import Issuer
    from issuers.pointers import pointers_of
    from issuers.x509 import certs

    issuer = Issuer.objects.get(slug=slug)
    folder = place / slug
    folder.mkdir()
    root, issuing = folder / "root.pem", folder / "issuing.pem"
    root.write_text(certs.pem(certs.load_all(issuer.chain_pem)[-1]))
    issuing.write_text(issuer.certificate_pem)
    subjects = [_subject(folder, issuer, standing) for standing in STANDINGS]
    return Authority(slug, root, issuing, pointers_of(issuer).ocsp, subjects)


def _subject(folder: Path, issuer: "Issuer", standing: str) -> Subject:
    """Have a certificate signed; the one that was never issued is signed, and nowhere written."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    from issuers.models import Profile
    from issuers.services import Waiting, sign

    name = f"{standing}.{issuer.slug}.{DOMAIN}"
    key = ec.generate_private_key(ec.SECP256R1())
    csr = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    signed = sign(
        issuer=issuer,
        profile=Profile.objects.get(slug=PROFILE),
        csr_pem=csr.public_bytes(serialization.Encoding.PEM).decode(),
    )
    if isinstance(signed, Waiting):
        raise AssertionError(f"{issuer.slug} did not sign at once.")  # noqa: TRY004 - a check's
    if standing != NEVER:
        version = _take_in(signed.certificate_pem + signed.chain_pem, name)
        _bring_to(version, standing)
    subject = Subject(
        standing,
        name,
        *(folder / f"{standing}{end}" for end in (".pem", "-chain.pem", ".key")),
    )
    subject.certificate.write_text(signed.certificate_pem)
    subject.served.write_text(signed.certificate_pem + issuer.certificate_pem)
    subject.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return subject


def _take_in(pem: str, name: str) -> "Version":
    import certificates.services
    from certificates.details import Details
    from issuers.models import Issuer, Profile
    from owners.models import Owner

    certificate = certificates.services.import_pem(
        actor=person("alice"),
        pem=pem,
        details=Details(
            name=name,
            owner=Owner.objects.get(name="Web platform"),
            issuer=Issuer.objects.get(slug=ITSELF),
            profile=Profile.objects.get(slug=PROFILE),
        ),
    )
    version = certificate.current
    if version is None or version.issuer is None:
        raise AssertionError(f"{name} was not taken in as one of our CA's.")
    return version


def _bring_to(version: "Version", standing: str) -> None:
    import certificates.services

    reason = {REVOKED: "superseded", HOLD: "certificateHold"}.get(standing)
    if reason is not None:
        certificates.services.revoke(version_id=version.pk, actor=person("bob"), reason=reason)
