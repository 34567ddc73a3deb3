"""A device that speaks EST: TLS sockets of its own, and nothing of the server's insides.

The standard library's TLS shows the certificate; the answers are read with enrollment's CMS, and
openssl verifies in the walk what came.
"""

import base64
import http.client
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certctl.demo.walk import make_csr
from certctl.embedded import write_private
from enrollment.cms import bags


@dataclass(frozen=True)
class Reply:
    """What the server said."""

    status: int
    retry_after: str
    body: bytes

    def certificates(self) -> list[x509.Certificate]:
        """Return what a certs-only message in base64 carries (RFC 7030 §4.1.3, §4.2.3)."""
        return list(bags.parse(base64.b64decode(self.body)).certificates)


@dataclass
class EstDevice:
    """A device by the name `name`, which keeps key and certificate in `folder`."""

    url: str
    ca: Path
    folder: Path
    name: str
    requests: dict[str, str] = field(default_factory=dict)

    def make_key(self, file: str) -> None:
        """Make a key of that name, and a request for it."""
        csr, key = make_csr(self.name)
        write_private(self.folder / f"{file}.key", key)
        der = x509.load_pem_x509_csr(csr.encode()).public_bytes(serialization.Encoding.DER)
        self.requests[file] = base64.b64encode(der).decode()

    def keep(self, file: str, certificate: x509.Certificate) -> str:
        """Keep the certificate beside its key; return it as PEM."""
        pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
        write_private(self.folder / f"{file}.crt", pem)
        return pem

    def cacerts(self) -> list[x509.Certificate]:
        """Return the CA's certificates, which anybody may have."""
        return self._ask("GET", "cacerts").certificates()

    def enroll(self, file: str, secret: str) -> Reply:
        """Ask for a first certificate by HTTP Basic (RFC 7030 §3.2.3)."""
        text = base64.b64encode(f"{self.name}:{secret}".encode()).decode()
        return self._ask(
            "POST", "simpleenroll", self.requests[file], {"Authorization": f"Basic {text}"}
        )

    def renew(self, file: str, shown: str) -> Reply:
        """Ask for the next one, showing the certificate `shown` (RFC 7030 §4.2.2)."""
        return self._ask("POST", "simplereenroll", self.requests[file], shown=shown)

    def _ask(
        self,
        method: str,
        operation: str,
        body: str | None = None,
        headers: dict[str, str] | None = None,
        shown: str = "",
    ) -> Reply:
        context = ssl.create_default_context(cafile=self.ca)
        if shown:
            context.load_cert_chain(self.folder / f"{shown}.crt", self.folder / f"{shown}.key")
        at = urlsplit(self.url)
        line = http.client.HTTPSConnection(at.hostname or "", at.port, context=context, timeout=30)
        said = {"Content-Type": "application/pkcs10"} if body else {}
        try:
            line.request(method, f"{at.path}/{operation}", body, {**said, **(headers or {})})
            answer = line.getresponse()
            return Reply(answer.status, answer.headers.get("Retry-After", ""), answer.read())
        finally:
            line.close()
