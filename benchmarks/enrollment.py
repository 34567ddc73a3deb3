"""Devices enroll over EST: from the request to the certificate, ten at a time.

Through the TLS front, a new connection each, as devices come. The anchors are of the same run: the
same certificate signed by `cryptography` alone, and `GET cacerts` the same way.
"""

import base64
import http.client
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone

from benchmarks.measure import Series, Work, take
from tools.served import Served

OK = 200
LABEL = "bench"
BASE = f"/.well-known/est/{LABEL}"
PKCS10 = {"Content-Type": "application/pkcs10"}


@dataclass(slots=True)
class Device:
    """A device with its credential and its request, and what it got."""

    name: str
    secret: str
    request: x509.CertificateSigningRequest

    def headers(self) -> dict[str, str]:
        """Return what it sends besides the request."""
        user = base64.b64encode(f"{self.name}:{self.secret}".encode()).decode()
        return {**PKCS10, "Authorization": f"Basic {user}"}

    def body(self) -> bytes:
        """Return the request as RFC 8951 sends it."""
        return base64.encodebytes(self.request.public_bytes(serialization.Encoding.DER))


def measure(installation: Served, *, rounds: int, devices: int, parallel: int) -> list[Series]:
    """Measure `rounds` rounds of `devices` new devices, `parallel` at a time; the first is dropped.

    Returns the series: enrolling, the same request again, the CA's certificates, signing alone.
    """
    label = make_label()
    tls = ssl.create_default_context(cafile=str(installation.front_ca))
    tls.check_hostname = False  # its name leads nowhere here; its chain is verified
    ask = partial(_ask, installation.devices_port, tls)
    series = [
        Series(name)
        for name in (
            "EST simpleenroll, request to certificate",
            "EST simpleenroll, the same again",
            "anchor: EST cacerts, the same way",
            "anchor: the same signature alone, one core",
        )
    ]
    sign = _signature()
    for number in range(rounds + 1):
        asked: list[Work] = [
            _enrolling(ask, device) for device in make_devices(label, number, devices)
        ]
        cacerts: list[Work] = [partial(ask, "GET", f"{BASE}/cacerts", b"", {})] * devices
        turns: list[tuple[list[Work], int]] = [
            *((asked, parallel), (asked, parallel), (cacerts, parallel), ([sign] * devices, 1)),
        ]
        for one, (work, at_once) in zip(series, turns, strict=True):
            take(one, work, at_once)
    for one in series:
        del one.rounds[0], one.took[0]  # processes and connections have warmed up
    return series


def verdict(series: list[Series]) -> list[str]:
    """Return the ratios to the anchors."""
    enrolled, again, cacerts, signed = series
    return [
        f"  enrolling against cacerts, p50: {_ratio(enrolled, cacerts):.1f} x",
        f"  the same again against cacerts, p50: {_ratio(again, cacerts):.1f} x",
        f"  enrolled per signature alone: {enrolled.rate() / signed.rate():.4f}",
    ]


def _ratio(one: Series, anchor: Series) -> float:
    return one.percentile(50) / anchor.percentile(50)


def make_label(protocol: str = "est") -> Any:
    """Make the label as an administrator does: no approval, so that nothing waits."""
    from enrollment import services
    from issuers.models import Issuer
    from issuers.services import save_profile
    from owners.models import Owner, Principal

    profile = save_profile(
        actor=Principal.objects.get(username="carol"),
        changes={
            "slug": f"bench-{protocol}",
            "name": "Devices of the benchmark",
            "key_algorithms": ["ecdsa-p256", "rsa-2048"],
            "key_usage": ["digitalSignature"],
            "extended_key_usage": ["clientAuth"],
            "allowed_sans": ["dns:*.demo.internal"],
            "subject_attributes": ["CN"],
            "max_lifetime": timedelta(days=47),
            "approval_required_for": [],
        },
    )
    return services.create_label(
        actor=Principal.objects.get(username="carol"),
        protocol=protocol,
        path=LABEL,
        issuer=Issuer.objects.get(slug="demo-issuing"),
        profile=profile,
        owner=Owner.objects.get(name="Web platform"),
    )


def make_devices(label: Any, number: int, count: int) -> list[Device]:
    """Make devices with a one-time credential and a request each."""
    made = make_secrets(label, f"dev-{number}", count)
    return [Device(name, text, make_request(name)) for name, text in made]


def make_secrets(label: Any, prefix: str, count: int) -> list[tuple[str, str]]:
    """Make one-time credentials of new devices: names and texts."""
    from enrollment import services
    from enrollment.services import NewCredential
    from owners.models import Principal

    names = [f"{prefix}-{one}.demo.internal" for one in range(count)]
    made = services.create_credentials(
        actor=Principal.objects.get(username="alice"),
        label_id=label.pk,
        wanted=[NewCredential(device=name, names=[f"dns:{name}"]) for name in names],
    )
    return [(name, one.text) for name, one in zip(names, made, strict=True)]


def make_request(name: str) -> x509.CertificateSigningRequest:
    """Return a request for a new P-256 key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    return builder.add_extension(names, critical=False).sign(
        ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()
    )


def _enrolling(ask: Callable[..., None], device: Device) -> Callable[[], None]:
    return partial(ask, "POST", f"{BASE}/simpleenroll", device.body(), device.headers())


def _ask(  # noqa: PLR0913, PLR0917 - what a request is made of
    port: int, tls: ssl.SSLContext, method: str, path: str, body: bytes, headers: dict[str, str]
) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=tls, timeout=60)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != OK:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
    finally:
        connection.close()


def _signature() -> Callable[[], None]:
    """Return what signs a device's certificate with a key of the same kind as the CA's."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = make_request("anchor.demo.internal")
    now = timezone.now()

    def sign() -> None:
        builder = (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(request.subject)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + timedelta(days=47))
        )
        for extension in request.extensions:
            builder = builder.add_extension(extension.value, extension.critical)
        builder.sign(key, hashes.SHA256())

    return sign
