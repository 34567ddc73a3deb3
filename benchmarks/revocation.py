"""Bulk revocation: from the confirmation of a plan until the last answer says revoked.

By the installation's own worker, with its CRLs. The anchor is of the same run: the same rows
inserted in the same batches, without a rule, a lock or a trail.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from http.client import HTTPConnection
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from django.db import transaction
from django.utils import timezone

WAVE = 1000
PATIENCE = 600.0  # seconds for one plan


def measure(*, port: int, revocations: int, rounds: int) -> list[str]:
    """Measure `rounds` plans of `revocations` versions each; return the lines that tell of them.

    `port` is the web server's, which is asked for the last answer.
    """
    took, telling, making, inserting = [], [], [], []
    for number in range(rounds):
        _make_versions(revocations, f"r{number}")
        made, done, answered = _one_plan(f"r{number}", port)
        making.append(made)
        took.append(done)
        telling.append(answered)
        _make_versions(revocations, f"a{number}")
        inserting.append(_insert(f"a{number}"))
    middle = rounds // 2
    plan, last, preview, anchor = (
        sorted(each)[middle] for each in (took, telling, making, inserting)
    )
    return [
        f"  bulk revocation of {revocations} in waves of {WAVE}: {plan:.1f} s",
        f"  until the last answer says so: {last:.1f} s",
        f"  its preview, frozen: {preview:.1f} s",
        f"  anchor: the same revocations inserted and nothing else: {anchor:.2f} s",
    ]


def _one_plan(environment: str, port: int) -> tuple[float, float, float]:
    """Make a plan and have it carried out; return the seconds of either, and to the last answer."""
    from owners.models import Principal
    from revocation import services
    from revocation.models import Plan
    from revocation.states import ENDED, Status

    carol, dave = (Principal.objects.get(username=name) for name in ("carol", "dave"))
    began = time.perf_counter()
    plan = services.create_plan(
        actor=carol, criteria={"environment": environment}, reason="superseded", wave_size=WAVE
    )
    made = time.perf_counter() - began
    began = time.perf_counter()
    services.confirm_plan(plan_id=plan.pk, actor=dave, digest=plan.digest)
    while Plan.objects.values_list("status", flat=True).get(pk=plan.pk) not in ENDED:
        if time.perf_counter() - began > PATIENCE:
            raise TimeoutError("the worker did not carry the plan out")
        time.sleep(0.1)
    took = time.perf_counter() - began
    _await_revoked(environment, port)
    answered = time.perf_counter() - began
    plan.refresh_from_db()
    if plan.status != Status.COMPLETED or plan.revoked != plan.count:
        raise AssertionError(f"{plan}: {plan.revoked} of {plan.count} revoked")
    return made, took, answered


def _await_revoked(environment: str, port: int) -> None:
    """Ask the web server about the last of them until it says revoked."""
    from certificates.models import Revocation

    last = Revocation.objects.filter(version__certificate__environment=environment).latest(
        "recorded_at"
    )
    path = f"/.well-known/pki/ocsp/demo-issuing/{last.serial}"
    until = time.perf_counter() + PATIENCE
    while time.perf_counter() < until:
        http = HTTPConnection("127.0.0.1", port)
        http.request("GET", path)
        answer = ocsp.load_der_ocsp_response(http.getresponse().read())
        http.close()
        if answer.certificate_status == ocsp.OCSPCertStatus.REVOKED:
            return
        time.sleep(0.05)
    raise TimeoutError(f"{path} does not say revoked")


def _insert(environment: str) -> float:
    """Insert revocations of these versions in the same batches; return the seconds."""
    from certificates.models import Revocation, Version
    from owners.models import Principal

    carol, now = Principal.objects.get(username="carol"), timezone.now()
    keys: Sequence[UUID] = list(
        Version.objects.filter(certificate__environment=environment).values_list("pk", flat=True)
    )
    began = time.perf_counter()
    for start in range(0, len(keys), WAVE):
        with transaction.atomic():
            Revocation.objects.bulk_create(
                Revocation(version_id=key, reason="superseded", revoked_at=now, revoked_by=carol)
                for key in keys[start : start + WAVE]
            )
    return time.perf_counter() - began


def _make_versions(count: int, environment: str) -> None:
    """Make certificates of the demo's issuer with a version each, as many as `count`."""
    from certificates.models import Certificate, Version
    from issuers.models import Issuer, Profile
    from owners.models import Owner

    issuer = Issuer.objects.get(slug="demo-issuing")
    profile, owner = Profile.objects.get(slug="tls-server"), Owner.objects.get(name="Web platform")
    now, pem = timezone.now(), leaf()
    for start in range(0, count, WAVE):
        numbers = range(start, min(start + WAVE, count))
        certificates = Certificate.objects.bulk_create(
            Certificate(
                name=f"{environment}-{number}.demo.internal",
                owner=owner,
                issuer=issuer,
                profile=profile,
                environment=environment,
                status="Active",
            )
            for number in numbers
        )
        versions = Version.objects.bulk_create(
            Version(
                certificate=certificate,
                issuer=issuer,
                number=1,
                serial=f"{certificate.pk.int >> 2:x}",
                subject="CN=bench",
                not_before=now - timedelta(hours=1),
                not_after=now + timedelta(days=40),
                fingerprint=certificate.pk.hex * 2,
                key_fingerprint=certificate.pk.hex * 2,
                key_algorithm="ecdsa-p256",
                pem=pem,
            )
            for certificate in certificates
        )
        for version in versions:
            version.certificate.current = version
        Certificate.objects.bulk_update([one.certificate for one in versions], ["current"])


def leaf() -> str:
    """Return a certificate that is no CA's, to be read as often as the worker reads one."""
    key, now = ec.generate_private_key(ec.SECP256R1()), timezone.now()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench.demo.internal")])
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now,
        not_valid_after=now + timedelta(days=40),
    ).add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    signed = builder.sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()
