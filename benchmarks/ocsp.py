"""OCSP: answers from memory against nginx with the same bytes, and signed ahead against signing.

Besides: cfssl's responder with the same answer, first questions, and half-sent requests beside.
"""

import base64
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from django.utils import timezone

from benchmarks import ocsp_anchors, ocsp_cold, wrk
from certctl.demo.programs import NGINX
from tests import servers
from tools.served import Served

SIGNED = 2000
ANCHOR = "anchor: nginx static, the same bytes"


def measure(installation: Served, *, rounds: int) -> list[str]:
    """Measure in rounds that take turns; return lines to print. Needs wrk."""
    if wrk.program() is None:
        return ["  OCSP: not measured, for there is no wrk (apt-get install wrk)"]
    question, paths, body, serial = _asked()
    base = f"http://127.0.0.1:{installation.port}"
    folder = installation.folder
    cold = ocsp_cold.first_questions(base, folder, rounds)
    with (
        _nginx(folder, body) as static,
        ocsp_anchors.other_responder(folder, body, serial) as (other, other_port),
    ):
        script = folder / "post.lua"
        script.write_text(_post(question))
        runs: dict[str, list[str]] = {
            ANCHOR: [f"http://127.0.0.1:{static}/answer"],
            other: ["-s", str(script), f"http://127.0.0.1:{other_port}/"],
            "OCSP GET, warm": [base + paths[0]],
            "OCSP POST, warm": ["-s", str(script), base + paths[1]],
            "OCSP by serial, warm": [base + paths[2]],
        }
        figures: dict[str, list[wrk.Run]] = {name: [] for name in runs}
        for number in range(rounds + 1):
            for name, arguments in runs.items():
                taken = wrk.run(arguments)
                if number:  # processes have warmed up in the first
                    figures[name].append(taken)
    raw, signing = _signing(rounds)
    lines = [
        *_table(figures, other),
        f"  {'OCSP by serial, cold: first questions':<44} {_tail(cold):8.1f} {_rate(cold):9.0f}",
        f"  cold of signing alone: {_rate(cold) / raw:.2f}",
        *signing,
    ]
    for name, port in (
        ("web server", installation.port),
        ("nginx before it", installation.plain_port),
    ):
        address = f"http://127.0.0.1:{port}{paths[0]}"
        beside = ocsp_cold.beside_half_sent(address, port, paths[1], rounds)
        lines.append(f"  {name}: {beside}")
    return lines


def _table(figures: dict[str, list[wrk.Run]], other: str) -> list[str]:
    nginx, theirs = _rate(figures[ANCHOR]), _rate(figures[other])
    lines = [f"  {'':<44} {'p99 ms':>8} {'per s':>9} {'of nginx':>9} {'of other':>9}"]
    for name, runs in figures.items():
        rate = _rate(runs)
        lines.append(
            f"  {name:<44} {_tail(runs):8.1f} {rate:9.0f} {rate / nginx:9.2f} {rate / theirs:9.2f}"
        )
    return lines


def _rate(runs: list[wrk.Run]) -> float:
    return statistics.median(one.rate for one in runs)


def _tail(runs: list[wrk.Run]) -> float:
    return statistics.median(one.tail for one in runs)


def _asked() -> tuple[bytes, list[str], bytes, str]:
    """Return a question about a certificate of the demo's, its addresses, answer and serial."""
    from certificates import ocsp as responder
    from certificates.models import Version
    from issuers.x509.ocsp import parse

    version = Version.objects.filter(issuer__isnull=False, short_lived=False).first()
    if version is None or version.issuer is None or version.issuer.certificate is None:
        raise RuntimeError("The demo has no certificate.")
    certificate = x509.load_pem_x509_certificate(version.pem.encode())
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        certificate, version.issuer.certificate, hashes.SHA256()
    )
    question = builder.build().public_bytes(serialization.Encoding.DER)
    slug = version.issuer.slug
    answer = responder.response_for(slug, parse(question).cert_id)
    if answer is None:
        raise RuntimeError("The demo's certificate is not answered for.")
    address = f"/.well-known/pki/ocsp/{slug}"
    encoded = quote(base64.b64encode(question), safe="")
    paths = [f"{address}/{encoded}", address, f"{address}/{version.serial}"]
    return question, paths, bytes(answer.der), version.serial


def _post(question: bytes) -> str:
    text = "".join(f"\\{octet:03d}" for octet in question)
    return (
        f'wrk.method = "POST"\nwrk.body = "{text}"\n'
        'wrk.headers["Content-Type"] = "application/ocsp-request"\n'
    )


@contextmanager
def _nginx(folder: Path, body: bytes) -> Iterator[int]:
    """Serve the bytes from a file by an nginx of one process; gives its port."""
    port, place = servers.free_port(), folder / "static-nginx"
    place.mkdir()
    (place / "answer").write_bytes(body)
    config = place / "nginx.conf"
    config.write_text(
        # As root it would become another, who may not look into our folder.
        f"{'user root;' if os.geteuid() == 0 else ''} worker_processes 1; daemon off;"
        f" pid {place}/pid; error_log {place}/error.log;"
        "events { worker_connections 1024; } http { access_log off; keepalive_requests 1000000;"
        f" client_body_temp_path {place}/a; proxy_temp_path {place}/b; fastcgi_temp_path {place}/c;"
        f" uwsgi_temp_path {place}/d; scgi_temp_path {place}/e; open_file_cache max=10;"
        f" default_type application/ocsp-response; server {{ listen 127.0.0.1:{port};"
        f" root {place}; }} }}"
    )
    with servers.process(
        [str(NGINX.get()), "-p", str(place), "-e", str(place / "error.log"), "-c", str(config)],
        owner=servers.Account(os.geteuid(), os.getegid()),
        log=place / "log",
        ready=lambda: servers.listens(port),
    ):
        yield port


def _signing(rounds: int) -> tuple[float, list[str]]:
    """Measure batches signed ahead against cryptography's own building and signing, in turns.

    Return how many a second the latter signs, and lines.
    """
    from certificates import ocsp_ahead
    from certificates.models import Version
    from issuers.models import Issuer

    version = Version.objects.filter(issuer__isnull=False, short_lived=False).first()
    if version is None or version.issuer_id is None:
        raise RuntimeError("The demo has no certificate.")
    issuer = Issuer.objects.get(pk=version.issuer_id)
    ready: Any = ocsp_ahead._responder(issuer)  # noqa: SLF001 - what a sweep makes
    copies = _copies(version)
    ahead, raw = [], []
    sign = _raw(x509.load_pem_x509_certificate(version.pem.encode()))
    for _ in range(rounds):
        began = time.perf_counter()
        for begin in range(0, SIGNED, ocsp_ahead.BATCH):
            some = copies[begin : begin + ocsp_ahead.BATCH]
            ocsp_ahead.sign_batch(ready, [(serial, "sha256") for serial in some])
        ahead.append(SIGNED / (time.perf_counter() - began))
        began = time.perf_counter()
        for _ in range(SIGNED):
            sign()
        raw.append(SIGNED / (time.perf_counter() - began))
    alone = statistics.median(raw)
    return alone, [
        f"  {'OCSP signed ahead, batches of 500':<44} {'':>8} {statistics.median(ahead):9.0f}",
        f"  {'anchor: cryptography builds and signs':<44} {'':>8} {alone:9.0f}",
        f"  signed ahead of signing alone: {statistics.median(ahead) / alone:.2f}",
    ]


def _copies(version: Any) -> list[str]:
    """Make many versions beside one, with other serials; return those."""
    from certificates.models import Version

    fields = {
        field.attname: getattr(version, field.attname)
        for field in Version._meta.concrete_fields  # noqa: SLF001 - Django's public name for it
        if not field.primary_key and not field.unique
    }
    serials = [f"{2**100 + number:x}" for number in range(SIGNED)]
    Version.objects.bulk_create(
        Version(**fields | {"serial": serial, "number": 1000 + n, "fingerprint": f"{n:064x}"})
        for n, serial in enumerate(serials)
    )
    return serials


def _raw(certificate: x509.Certificate) -> Any:
    """Return what builds and signs an answer by a responder of its own, with a P-256 key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), timezone.now()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "anchor")])
    responder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )

    def sign() -> None:
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=certificate,
            issuer=responder,
            algorithm=hashes.SHA256(),
            cert_status=ocsp.OCSPCertStatus.GOOD,
            this_update=now,
            next_update=now + timedelta(hours=12),
            revocation_time=None,
            revocation_reason=None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, responder)
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    return sign
