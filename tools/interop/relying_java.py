"""Java's PKIX validation, as every Java client of TLS has it."""

from pathlib import Path

from tools.interop.checks import Check
from tools.interop.running import run
from tools.interop.standing import DELEGATES, GOOD, HOLD, NEVER, REVOKED, authorities
from tools.served import Served

PROGRAM = Path(__file__).with_name("Relying.java")
BY_OCSP = {
    GOOD: "GOOD",
    REVOKED: "REVOKED SUPERSEDED",
    HOLD: "REVOKED CERTIFICATE_HOLD",
    NEVER: "UNSPECIFIED OCSP response error: UNAUTHORIZED",
}
# A CRL says nothing of what was never issued.
BY_CRL = {**BY_OCSP, NEVER: "GOOD"}


def java_agrees(installation: Served, folder: Path) -> None:
    """Validate by OCSP alone and by CRL alone; of one CA with nonces, where this Java has them."""
    for authority in authorities(installation.folder):
        files = [subject.certificate for subject in authority.subjects]
        nonce = str(authority.slug == DELEGATES).lower()
        ended = run(
            *("java", "-Dcom.sun.security.enableCRLDP=true"),
            f"-Djdk.security.certpath.ocspNonce={nonce}",
            *(PROGRAM, authority.root, authority.issuing, *files),
            folder=folder,
        ).expect(0)
        lines = set(ended.out.decode().splitlines())
        expected = {
            line
            for subject in authority.subjects
            for line in (
                f"{subject.certificate} ocsp {BY_OCSP[subject.standing]}",
                f"{subject.certificate} crl {BY_CRL[subject.standing]}",
            )
        }
        if lines != expected:
            raise AssertionError(f"other than expected: {sorted(lines ^ expected)}")


CHECKS = [Check("Java PKIX", "agrees on four standings, by OCSP and by CRL", java_agrees)]
