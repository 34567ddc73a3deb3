"""Devices enroll over SCEP, by plain http through the front: EST's work, and the RSA of SCEP."""

import http.client
from functools import partial
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.enrollment import LABEL, OK, make_label, make_secrets
from benchmarks.measure import Series, Work, take
from tools.served import Served


def measure(installation: Served, *, rounds: int, devices: int, parallel: int) -> list[Series]:
    """Measure as EST's is; a quarter of the devices, for an RSA key of each has to be made."""
    from certificates.models import Version

    label = make_label("scep")
    label.refresh_from_db()
    ra = x509.load_pem_x509_certificate(label.ra_certificate.current.pem.encode())
    count = max(devices // 4, parallel)
    series = Series("SCEP PKCSReq, request to certificate")
    for number in range(rounds + 1):
        made = make_secrets(label, f"scep-{number}", count)
        asked: list[Work] = [
            partial(_ask, installation.plain_port, _message(ra, name, text)) for name, text in made
        ]
        take(series, asked, parallel)
    del series.rounds[0], series.took[0]
    given = Version.objects.filter(device__startswith=f"scep/{LABEL}/").count()
    if given != count * (rounds + 1):
        raise RuntimeError(f"{count * (rounds + 1)} devices asked, {given} were given one.")
    return [series]


def _message(ra: x509.Certificate, name: str, challenge: str) -> bytes:
    """Return a PKCSReq of a new RSA key."""
    from enrollment.scep.message import MessageType
    from tests.enrollment import scep_client

    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_attribute(x509.oid.AttributeOID.CHALLENGE_PASSWORD, challenge.encode())
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    device: Any = scep_client.Device(ra, key=key, transaction_id=name)
    message: bytes = device.message(MessageType.PKCS_REQ, request)
    return message


def _ask(port: int, message: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        path = f"/scep/{LABEL}?operation=PKIOperation"
        connection.request("POST", path, message, {"Content-Type": "application/x-pki-message"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != OK:
            raise RuntimeError(f"{answer.status} {text[:300]!r}")
    finally:
        connection.close()
