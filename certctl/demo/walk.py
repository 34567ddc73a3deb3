"""Walk one certificate through its whole life: real HTTP, the real worker, real openssl.

Every step says what was done and shows the evidence; the first that does not hold raises Failed.
"""

import ssl
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certctl.demo.steps import Failed, Steps
from certctl.embedded import BASE, python, write_private
from issuers.pointers import WELL_KNOWN

NAME = "web.demo.internal"
# More than the demo lets one administrator revoke alone (certctl.demo.bootstrap: ALONE).
BATCH = 4
# Who must stand in the trail with what, at the walk's end.
EXPECTED = {
    ("alice", "certificate.register"),
    ("alice", "job.request"),
    ("alice", "job.approve.refuse"),
    ("bob", "job.approve"),
    ("system", "job.claim"),
    ("system", "certificate.issue"),
    ("system", "job.complete"),
    ("bob", "job.request"),
    ("bob", "certificate.bulk_revoke.refuse"),
    ("carol", "certificate.bulk_revoke"),
    ("carol", "certificate.revoke"),
    ("carol", "revocation_plan.create"),
    ("carol", "revocation_plan.confirm.refuse"),
    ("dave", "revocation_plan.confirm"),
    ("dave", "certificate.revoke"),
    ("system", "revocation_plan.complete"),
    ("system", "deployment.deploy"),
    ("system", "deployment.validate"),
    ("system", "crl.publish"),
}


class Walk(Steps):
    """The life of one certificate, from the request to its revocation."""

    def __init__(self, told: dict[str, Any], site: Path, say: Callable[[str], None]) -> None:
        super().__init__(told, say)
        self.tls_port = int(told["tls_port"])
        self.site = site

    def request(self) -> tuple[str, str]:
        """Alice makes a key on the host, and asks for a certificate."""
        self.step(f"alice requests {NAME} under a profile that needs approval")
        csr, key = make_csr(NAME)
        write_private(self.site / "key.pem", key)
        job = self.expect(
            self.people["alice"].post(
                "/api/v1/certificates/",
                {
                    "name": NAME,
                    "csr": csr,
                    "issuer": self.issuer,
                    "profile": "tls-server",
                    "owner": "Web platform",
                    "renewal_policy": "standard",
                    "environment": "demo",
                    "targets": ["demo-web"],
                },
                Idempotency_Key=str(uuid.uuid4()),
            ),
            201,
        )
        self.show(f"201, job {job['id']} is {job['status']}; the private key stays in the site")
        return str(job["id"]), str(job["certificate"])

    def decide(self, job: str) -> None:
        """Alice may not approve; bob, who owns nothing of it, may."""
        self.step("her own approval is refused")
        refused = self.people["alice"].post(f"/api/v1/jobs/{job}/approve/", {"reason": "mine"})
        body = self.expect(refused, 403, "self_approval")
        self.show(f"403 {body['code']}: {body['detail']}")
        self.step("bob looks at what would be signed, and approves exactly that")
        self.approve(job, reason="known host")

    def served(self, certificate: str, version: int) -> str:
        """Wait until that version is validated at the endpoint; return its PEM."""
        victor = self.people["victor"]

        def validated() -> Any:
            jobs = self.expect(
                victor.get(f"/api/v1/jobs/?certificate={certificate}&kind=Validation&page_size=50"),
                200,
            )["results"]
            done = [job for job in jobs if job["verification"] == "success"]
            return done if len(done) >= version else None

        self.until("validation", validated)
        pem = ssl.get_server_certificate(("127.0.0.1", self.tls_port))
        served = x509.load_pem_x509_certificate(pem.encode())
        versions = self.expect(victor.get(f"/api/v1/certificates/{certificate}/versions/"), 200)
        newest = max(versions["results"], key=lambda row: row["number"])
        fingerprint = served.fingerprint(hashes.SHA256()).hex()
        if newest["number"] != version or newest["fingerprint"] != fingerprint:
            raise Failed(f"version {version} is not what https://127.0.0.1:{self.tls_port} serves")
        self.show(
            f"version {version}, serial {newest['serial']}, until {newest['not_after']}\n"
            f"https://127.0.0.1:{self.tls_port}/ serves SHA-256 {fingerprint[:32]}…"
        )
        return pem

    def relying_party(self, pem: str, *, expected: str) -> None:
        """Check chain, CRL and OCSP as a relying party does: with openssl, without credentials."""
        self.fetch_trust(pem)
        pki = f"{self.base_url}{WELL_KNOWN}"
        verified = self.openssl(
            "verify", "-crl_check", "-CAfile", "root.pem", "-untrusted", "issuing.pem",
            "-CRLfile", "issuing.crl.pem", "leaf.pem",
        )  # fmt: skip
        ocsp = self.openssl(
            "ocsp", "-issuer", "issuing.pem", "-cert", "leaf.pem", "-CAfile", "root.pem",
            "-VAfile", "issuing.pem", "-no_nonce", "-url", f"{pki}/ocsp/{self.issuer}",
        )  # fmt: skip
        by_crl = "certificate revoked" if expected == "revoked" else "leaf.pem: OK"
        if by_crl not in verified or f"leaf.pem: {expected}" not in ocsp:
            raise Failed(f"expected {expected}; openssl verify: {verified} openssl ocsp: {ocsp}")
        self.show(f"openssl verify -crl_check: {by_crl}")
        self.show("\n".join(f"openssl ocsp: {line.strip()}" for line in ocsp.splitlines()[:4]))

    def fetch_trust(self, pem: str) -> None:
        """Fetch CA certificates and the CRL into files, and have openssl check the CRL."""
        (self.folder / "leaf.pem").write_text(pem)
        root = self.issuer.replace("issuing", "root")
        for slug, file in ((root, "root"), (self.issuer, "issuing")):
            der = self.fetch(f"ca/{slug}")
            certificate = x509.load_der_x509_certificate(der)
            (self.folder / f"{file}.pem").write_bytes(
                certificate.public_bytes(serialization.Encoding.PEM)
            )
        (self.folder / "issuing.crl").write_bytes(self.fetch(f"crl/{self.issuer}"))
        said = self.openssl(
            "crl", "-inform", "DER", "-in", "issuing.crl", "-CAfile", "issuing.pem",
            "-out", "issuing.crl.pem", "-crlnumber", "-nextupdate",
        )  # fmt: skip
        if "verify OK" not in said:
            raise Failed(f"openssl crl: {said}")
        self.show(f"openssl crl: {' '.join(said.split())}")

    def renew(self, certificate: str) -> str:
        """Bob renews; version 2 is issued, deployed and validated."""
        self.step("a renewal makes version 2, deployed and validated")
        job = self.expect(
            self.people["bob"].post(
                f"/api/v1/certificates/{certificate}/renew/", {}, Idempotency_Key=str(uuid.uuid4())
            ),
            202,
        )
        self.job_done(job["id"])
        return self.served(certificate, 2)

    def revoke(self, certificate: str, pem: str) -> None:
        """Bob is refused bulk revocation; carol previews it and executes what she saw."""
        self.step("operator bob is refused bulk revocation")
        criteria: dict[str, Any] = {
            "criteria": {"ids": [certificate]},
            "reason": "cessationOfOperation",
        }
        url = "/api/v1/certificates/bulk-revoke/"
        body = self.expect(self.people["bob"].post(url, criteria), 403, "missing_permission")
        self.show(f"403 {body['code']}: {body['detail']}")
        self.step("administrator carol previews it, then executes exactly what she saw")
        carol = self.people["carol"]
        preview = self.expect(carol.post(url, {**criteria, "dry_run": True}), 200)
        self.show(f"dry run: {preview['count']} version(s) would be revoked, nothing changed")
        done = self.expect(carol.post(url, {**criteria, "plan": preview["plan"]}), 200)
        self.show(f"executed: {done['revoked']} revoked")
        self.step("CRL and OCSP say revoked")
        serial = x509.load_pem_x509_certificate(pem.encode()).serial_number

        def listed() -> bool:
            crl = x509.load_der_x509_crl(self.fetch(f"crl/{self.issuer}"))
            return crl.get_revoked_certificate_by_serial_number(serial) is not None

        self.until("the CRL", listed)
        self.relying_party(pem, expected="revoked")

    def conform(self, revoked: str) -> None:
        """Have our checker ask as relying parties do; raises Failed where a rule is broken."""
        self.step("pki_conformance: every rule for relying parties that applies here holds")
        file = self.folder / "revoked.pem"
        file.write_text(revoked)
        done = subprocess.run(  # noqa: S603 - an argument list of our own
            python(
                "-m", "pki_wellknown.conformance", f"{self.base_url}{WELL_KNOWN}",
                "--issuer", self.issuer, "--revoked", str(file),
            ),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=BASE,
        )  # fmt: skip
        if done.returncode:
            broken = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
            raise Failed("\n".join(broken) or done.stderr)
        self.show(done.stdout.splitlines()[-1])

    def revoke_many(self) -> None:
        """Carol plans more than one administrator revokes alone; dave confirms it."""
        carol, dave = self.people["carol"], self.people["dave"]
        self.step(f"alice gets {BATCH} short-lived certificates, and carol plans their end")
        batch = f"batch-{uuid.uuid4().hex[:8]}"
        jobs = [self._ask_short(f"{batch}-{number}", batch) for number in range(BATCH)]
        for job in jobs:
            self.approve(job, reason="one of a batch", show=False)
        for job in jobs:
            self.job_done(job)
        url = "/api/v1/revocation-plans/"
        wanted = {"criteria": {"environment": batch}, "reason": "superseded", "wave_size": 2}
        plan = self.expect(carol.post(url, wanted), 201)
        facts = plan["preview"]
        self.show(
            f"201, {plan['status']}: {plan['count']} versions of {facts['owners_count']} owner, "
            f"{facts['short_lived']} of them short-lived; digest {plan['digest'][:16]}…"
        )
        self.step("its maker cannot confirm so many; the second administrator dave can")
        address, seen = f"{url}{plan['id']}/", {"digest": plan["digest"]}
        body = self.expect(carol.post(f"{address}confirm/", seen), 403, "second_administrator")
        self.show(f"403 {body['code']}: {body['detail']}")
        self.expect(dave.post(f"{address}confirm/", seen), 200)

        def ended() -> Any:
            now = self.expect(carol.get(address), 200)
            return now if now["status"] == "Completed" else None

        done = self.until("the plan", ended)
        self.show(
            f"{done['status']} in {done['waves']} waves: {done['revoked']} revoked, made by "
            f"{done['made_by']}, confirmed by {done['confirmed_by']}"
        )

    def _ask_short(self, name: str, environment: str) -> str:
        """Have alice ask for a short-lived certificate; return its job."""
        csr, _ = make_csr(f"{name}.demo.internal")
        wanted = {
            "csr": csr,
            "issuer": self.issuer,
            "profile": "tls-short",
            "owner": "Web platform",
            "environment": environment,
        }
        job = self.expect(self.people["alice"].post("/api/v1/certificates/", wanted), 201)
        return str(job["id"])

    def audit(self, certificate: str) -> None:
        """Show who did what, and prove that nobody edited it."""
        victor = self.people["victor"]
        about = victor.get(f"/api/v1/audit/?subject_id={certificate}&sort=sequence&page_size=1")
        first = int(self.expect(about, 200)["results"][0]["sequence"])
        # All that came since alice asked, whatever row it was about.
        self.trail(first - 1, EXPECTED)


def make_csr(name: str) -> tuple[str, str]:
    """Make a key and a request for a DNS name; return both as PEM, the request first."""
    key = ec.generate_private_key(ec.SECP256R1())
    csr = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pkcs8 = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return csr.public_bytes(serialization.Encoding.PEM).decode(), pkcs8.decode()


def walk(told: dict[str, Any], site: Path, *, say: Callable[[str], None]) -> None:
    """Do the whole walk; raises Failed at the first step that does not hold."""
    life = Walk(told, site, say)
    try:
        job, certificate = life.request()
        life.decide(job)
        life.step("the worker issues and deploys it, and a handshake proves what is served")
        life.job_done(job)
        first = life.served(certificate, 1)
        life.step("openssl verifies chain, CRL and OCSP: good")
        life.relying_party(first, expected="good")
        second = life.renew(certificate)
        life.revoke(certificate, second)
        life.conform(second)
        life.revoke_many()
        life.audit(certificate)
    finally:
        life.close()
