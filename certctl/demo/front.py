"""The TLS front of the demo: the nginx.conf that production has, with other ports and folders.

Its certificate is of the demo's own CA: asked for, issued and kept as any other.
"""

import socket
import time
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from certctl.demo.nginx_conf import NoFront, Ports, arguments, config
from certctl.embedded import EVERYWHERE, bracketed, write_private
from certctl.supervisor import Program
from certificates.models import Certificate, Version
from issuers import services as issuer_services
from issuers.models import Issuer, Profile
from issuers.x509 import certs
from jobs import runner
from jobs import services as job_services
from owners.models import Owner, Principal

PROFILE, NAME = "tls-front", "demo-front"
LIFETIME = timedelta(days=47)
LEAST = timedelta(days=7)  # what a certificate that is kept must still have before it
READY_WITHIN = 15.0


@dataclass(frozen=True, kw_only=True)
class Front:
    """The demo's front: which nginx, where it keeps its files, where it listens and asks."""

    binary: Path
    folder: Path
    host: str
    port: int  # the web server's, on the same host
    ports: Ports

    @property
    def address(self) -> str:
        """Where it is reached from this machine, as its certificate has it."""
        found = socket.getaddrinfo(EVERYWHERE.get(self.host, self.host), None)
        return str(found[0][4][0])

    @property
    def ca(self) -> Path:
        """The certificates that verify the front's."""
        return self.folder / "ca.pem"

    def program(self, log: Path) -> Program:
        """Return the program to keep running."""
        command = arguments(self.binary, self.folder, errors=Path("/dev/stderr"))
        return Program("front", command, log)

    def prepare(self, *, actor: Principal, issuer: Issuer) -> dict[str, str]:
        """Write configuration, key and certificate; return what var/demo.json says of the front.

        A certificate that the last start left is kept while it is good for some days yet.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        upstream = f"{bracketed(EVERYWHERE.get(self.host, self.host))}:{self.port}"
        write_private(
            self.folder / "nginx.conf",
            config(host=self.host, upstream=upstream, ports=self.ports),
        )
        sans = ["dns:localhost", f"ip:{self.address}"]
        if not self._is_good(sans):
            self._certify(actor, issuer, sans)
        at = bracketed(self.address)
        return {
            "est": f"https://{at}:{self.ports.devices}/.well-known/est",
            "scep": f"http://{at}:{self.ports.plain}/scep",
            "ca": str(self.ca),
        }

    def wait(self, log: Path) -> None:
        """Return when it listens for devices; raises NoFront where it does not within 15 s."""
        ends = time.monotonic() + READY_WITHIN
        while time.monotonic() < ends:
            try:
                with socket.create_connection((self.address, self.ports.devices), timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        raise NoFront(f"The TLS front did not become ready; see {log}")

    def _is_good(self, sans: list[str]) -> bool:
        """Whether the files hold a certificate of ours for `sans`, with its key, for a while."""
        try:
            leaf = certs.load((self.folder / "tls.crt").read_text())
            key = serialization.load_pem_private_key(
                (self.folder / "tls.key").read_bytes(), password=None
            )
        except (OSError, ValueError):
            return False
        version = Version.objects.filter(
            fingerprint=certs.fingerprint(leaf), revocation__isnull=True
        ).first()
        return (
            version is not None
            and self.ca.exists()
            and leaf.public_key() == key.public_key()
            and set(version.sans) == set(sans)
            and version.not_after > timezone.now() + LEAST
        )

    def _certify(self, actor: Principal, issuer: Issuer, sans: list[str]) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        csr = _request(key, self.address)
        before = Certificate.objects.filter(name=NAME).order_by("-created_at").first()
        if before is not None and set(before.sans) == set(sans):
            asked = job_services.request_renewal(actor=actor, certificate_id=before.pk, csr_pem=csr)
        else:
            asked = job_services.request_issuance(
                actor=actor,
                name=NAME,
                owner=Owner.objects.get(name="Web platform"),
                issuer=issuer,
                profile=_profile(actor),
                environment="demo",
                csr_pem=csr,
            )
        runner.run_at_once(asked.job.pk)  # no worker runs yet
        asked.job.refresh_from_db()
        version = asked.job.version
        if version is None:
            raise NoFront(
                f"The front got no certificate: {asked.job.status} {asked.job.last_error}".rstrip()
            )
        write_private(
            self.folder / "tls.key",
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode(),
        )
        write_private(self.ca, version.chain_pem)
        write_private(self.folder / "tls.crt", f"{version.pem.rstrip()}\n{version.chain_pem}")


def _request(key: ec.EllipticCurvePrivateKey, address: str) -> str:
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address(address))]
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )


def _profile(actor: Principal) -> Profile:
    profile = Profile.objects.filter(slug=PROFILE).first()
    return profile or issuer_services.save_profile(
        actor=actor,
        changes={
            "slug": PROFILE,
            "name": "TLS front",
            "description": "The front that devices come through: this machine's addresses.",
            "key_algorithms": ["ecdsa-p256"],
            "key_usage": ["digitalSignature"],
            "extended_key_usage": ["serverAuth"],
            "allowed_sans": ["dns:localhost", "ip:0.0.0.0/0", "ip:::/0"],
            "subject_attributes": ["CN"],
            "max_lifetime": LIFETIME,
            "approval_required_for": [],
        },
    )
