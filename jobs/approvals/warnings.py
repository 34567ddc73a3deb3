"""What whoever asks for a signature should know before it is made; nothing is refused for it."""

from collections.abc import Iterator

from certificates.models import Certificate, CertificateStatus, Version
from issuers.x509 import certs, csr
from jobs.models import Job

LACKS_DECIDER = (
    "Nobody could approve this as things stand: whoever decides on jobs asked for it, brought its "
    "key or answers for the certificate. Have somebody else made an operator, or it times out."
)


def of_asking(certificate: Certificate, csr_pem: str) -> Iterator[str]:
    """Yield the warnings of asking for a version of `certificate`, with `csr_pem` where there is.

    A CSR that a renewal takes over by itself is not meant: give the one that somebody brought.
    """
    current = certificate.current
    if current is not None and hasattr(current, "revocation"):
        yield f"The certificate is revoked ({current.revocation.reason}): this brings it back."
    alike = (
        Certificate.objects.filter(name=certificate.name)
        .exclude(pk=certificate.pk)
        .exclude(status=CertificateStatus.ARCHIVED)
    )
    if alike.exists():
        yield f"There is another certificate of the name {certificate.name}."
    if csr_pem and _is_used(csr_pem):
        yield "The same CSR was signed before: its key is used again."


def of_job(job: Job) -> Iterator[str]:
    """Yield the warnings of the job itself, as it was just asked for."""
    if job.lacks_decider:
        yield LACKS_DECIDER


def _is_used(csr_pem: str) -> bool:
    key = certs.key_fingerprint(csr.parse(csr_pem).public_key())
    return Version.objects.filter(key_fingerprint=key, csr_pem=csr_pem).exists()
