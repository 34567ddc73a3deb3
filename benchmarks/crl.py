"""CRLs: building them from the database, and giving them away.

The anchors are of the same run: `openssl ca -gencrl` over as many entries, and nginx with the
bytes that we serve, as a file.
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

from django.db import connection
from typing_extensions import override

from benchmarks.crl_build import peak
from certctl.demo.bootstrap import ISSUING as SLUG
from certctl.demo.programs import NGINX, OPENSSL
from certificates import crl
from certificates.models import Revocation
from issuers.models import Issuer
from owners.models import Principal
from tests import servers
from tools.served import ROOT, Served

MIB = 1024.0
FULL_SECONDS = 3.0
READ = 1 << 20
WATCHED_EVERY = 0.02  # seconds

OPENSSL_CONFIG = """
[ca]
default_ca = bench
[bench]
database = {folder}/index.txt
crlnumber = {folder}/crlnumber
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
default_md = sha256
default_crl_days = 7
crl_extensions = of_crl
[of_crl]
authorityKeyIdentifier = keyid:always
"""


@dataclass(slots=True)
class Builds:
    """One way of building, by round: seconds and the most memory in KiB."""

    name: str
    took: list[float] = field(default_factory=list)
    peak: list[int] = field(default_factory=list)

    def seconds(self) -> float:
        """Return the median."""
        return statistics.median(self.took)

    def line(self) -> str:
        """Return it as a row of a table: the median, the extremes, and the most memory."""
        span = f"{min(self.took):.2f}-{max(self.took):.2f}"
        peak = max(self.peak) / MIB
        return f"  {self.name:<44} {self.seconds():8.2f} s {span:>12} {peak:8.0f} MiB"


def measure(installation: Served, *, rounds: int, sizes: list[int]) -> Iterator[str]:
    """Build at each size and download the CRL of each; give the lines of the tables."""
    issuer = Issuer.objects.get(slug=SLUG)
    last = 0
    for size in sizes:
        seed_up_to(issuer, size, last)
        last = size
        yield from builds(installation.folder, issuer, size, rounds)
        yield from downloads(installation, rounds)


def seed_up_to(issuer: Issuer, size: int, last: int) -> None:
    """Have as many entries, all of which a CRL lists already."""
    from benchmarks.crl_seed import seed

    crl.publish(issuer_id=issuer.pk, actor=Principal.objects.system())
    issuer.refresh_from_db()
    seed(issuer, size - last, listed_in=issuer.crl_number)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # as it would by itself, in the midst of a round
            cursor.execute("VACUUM (ANALYZE) certificates_revocation")


def builds(folder: Path, issuer: Issuer, size: int, rounds: int) -> list[str]:
    """Measure both, in turn."""
    theirs_in = prepare_openssl(folder / f"openssl-{size}", size)
    ours, one = Builds(f"{size:,} entries"), Builds("  one of them new")
    theirs = Builds("  openssl ca -gencrl")
    for _ in range(rounds):
        _ours(ours, issuer)
        newest = Revocation.objects.filter(issuer=issuer).order_by("serial")[:1]
        Revocation.objects.filter(pk__in=newest.values("pk")).update(listed_in=None)
        _ours(one, issuer)
        _theirs(theirs, theirs_in)
    ratio = ours.seconds() / theirs.seconds()
    return [*(each.line() for each in (ours, one, theirs)), f"  ratio to openssl: {ratio:.2f}"]


def _ours(series: Builds, issuer: Issuer) -> None:
    done = subprocess.run(  # noqa: S603 - an argument list of our own
        [sys.executable, "-m", "benchmarks.crl_build", issuer.slug],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    series.took.append(told["took"])
    series.peak.append(told["peak"])


def _theirs(series: Builds, folder: Path) -> None:
    openssl, config, out = OPENSSL.get(), folder / "ca.cnf", folder / "crl"
    command = [str(part) for part in (openssl, "ca", "-gencrl", "-config", config, "-out", out)]
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - an argument list of our own
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    watch = _Watch(process.pid)
    watch.start()
    status = process.wait()
    series.took.append(time.perf_counter() - began)
    watch.join()
    if status:
        raise servers.NoServer("openssl ca -gencrl failed")
    series.peak.append(watch.most)


class _Watch(threading.Thread):
    """Looks at the memory of a process until it is gone: its peak is not told afterwards."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.most = pid, 0

    @override
    def run(self) -> None:
        while now := peak(self.pid):
            self.most = max(self.most, now)
            time.sleep(WATCHED_EVERY)


def prepare_openssl(folder: Path, size: int) -> Path:
    """Make a CA of openssl's with as many revoked entries."""
    folder.mkdir()
    (folder / "ca.cnf").write_text(OPENSSL_CONFIG.format(folder=folder))
    (folder / "crlnumber").write_text("01\n")
    subprocess.run(  # noqa: S603 - an argument list of our own
        [OPENSSL.get(), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", "/CN=bench", "-days", "30", "-keyout", folder / "ca.key",
         "-out", folder / "ca.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    with (folder / "index.txt").open("w") as index:
        for at in range(size):
            serial = f"{(1 << 157) + at * 0x9E3779B97F4A7C15:040X}"
            index.write(f"R\t401231000000Z\t261126000000Z,superseded\t{serial}\tunknown\t/CN=x\n")
    return folder


# --- Downloads ------------------------------------------------------------------------------


def downloads(installation: Served, rounds: int, parallel: int = 2) -> list[str]:
    """Fetch the newest CRL whole and as 304, from ours and from nginx, in turn."""
    newest = crl.current(SLUG)
    if newest is None:
        raise servers.NoServer("there is no CRL")
    folder = installation.folder / "static"
    (folder / "crl.der").write_bytes(newest.der)
    port = servers.free_port()
    config = installation.folder / "nginx.conf"
    # As root its workers would be somebody who may not read the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(
        f"{user} daemon off; worker_processes 2; pid {installation.folder}/nginx.pid;"
        f" error_log {installation.folder}/nginx.log; events {{}}"
        " http { access_log off; sendfile on; keepalive_requests 1000000;"
        f" server {{ listen 127.0.0.1:{port}; root {folder}; }} }}"
    )
    ourselves = servers.Account(os.geteuid(), os.getegid())
    lines = []
    with servers.process(
        [NGINX.get(), "-c", config], owner=ourselves, log=installation.folder / "nginx.out",
        ready=lambda: servers.listens(port),
    ):  # fmt: skip
        ours = (installation.port, f"/.well-known/pki/crl/{SLUG}")
        theirs = (port, "/crl.der")
        for name, is_conditional in (("whole", False), ("304", True)):
            rates: dict[str, list[float]] = {"ours": [], "nginx": []}
            for _ in range(rounds):
                rates["ours"].append(_rate(*ours, parallel, is_conditional=is_conditional))
                rates["nginx"].append(_rate(*theirs, parallel, is_conditional=is_conditional))
            us, them = (statistics.median(rates[who]) for who in ("ours", "nginx"))
            lines.append(
                f"  {name}, {newest.size:,} octets: {us:.1f} a second, nginx {them:.1f},"
                f" ratio {us / them:.2f}"
            )
    return lines


def _rate(port: int, path: str, parallel: int, *, is_conditional: bool) -> float:
    headers = {}
    if is_conditional:
        connection = HTTPConnection("127.0.0.1", port)
        connection.request("HEAD", path)
        headers = {"If-None-Match": connection.getresponse().headers["ETag"]}
        connection.close()
    counts: list[int] = []
    end = time.perf_counter() + FULL_SECONDS
    work: Callable[[], None] = lambda: counts.append(_fetch(port, path, headers, end))  # noqa: E731
    threads = [threading.Thread(target=work) for _ in range(parallel)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - began)


def _fetch(port: int, path: str, headers: dict[str, str], end: float) -> int:
    connection, count, room = HTTPConnection("127.0.0.1", port), 0, bytearray(READ)
    while time.perf_counter() < end:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        while response.readinto(room):
            pass
        if response.status != (304 if headers else 200):
            raise servers.NoServer(f"{path} gave {response.status}")
        count += 1
    connection.close()
    return count
