"""OCSP where nothing helps: the first question for a serial, and questions that stop half way."""

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from socket import create_connection
from typing import Any
from uuid import uuid4

from benchmarks import wrk
from benchmarks.rows import insert
from certificates.models import Version
from issuers.models import Issuer

ASKED = 20_000  # first questions that a round has at hand; it must not come to their end
HALF_SENT = 100
_numbers = count(1)


def first_questions(base: str, folder: Path, rounds: int) -> list[wrk.Run]:
    """Ask for answers that nobody signed ahead, each for the first time, in rounds.

    By serial, which needs no request to be made for each; what it costs is the signature, the
    transaction around it and the look at the version.
    """
    version = Version.objects.filter(issuer__isnull=False, short_lived=False).order_by("pk")[0]
    issuer = Issuer.objects.get(versions=version)
    ahead, issuer.ocsp_ahead = issuer.ocsp_ahead, Issuer.Ahead.OFF
    issuer.save(update_fields=["ocsp_ahead"])
    runs = []
    for number in range(rounds):
        serials = _more_versions(version)
        script = folder / f"cold-{number}.lua"
        script.write_text(_each_once(f"/.well-known/pki/ocsp/{issuer.slug}", serials))
        run = wrk.run(["-s", str(script), base])
        if run.requests >= ASKED:
            raise RuntimeError("the first questions were asked twice: make more of them")
        runs.append(run)
    issuer.ocsp_ahead = ahead
    issuer.save(update_fields=["ocsp_ahead"])
    return runs


def beside_half_sent(address: str, port: int, path: str, rounds: int) -> str:
    """Compare the tail of honest questions to `address` with and without half-sent ones beside."""
    with_, without = [], []
    for _ in range(rounds):
        without.append(wrk.run([address]).tail)
        with _half_sent(port, path):
            with_.append(wrk.run([address]).tail)
    beside, alone = statistics.median(with_), statistics.median(without)
    return (
        f"p99 beside {HALF_SENT} half-sent requests {beside:.1f} ms, without {alone:.1f} ms,"
        f" ratio {beside / alone:.2f}"
    )


@contextmanager
def _half_sent(port: int, path: str) -> Iterator[None]:
    """Hold requests open that stop half way: in the head, and in the body, by turns."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
    whole = f"{head}Content-Type: application/ocsp-request\r\nContent-Length: 80\r\n\r\n0"
    with ExitStack() as stack:
        for number in range(HALF_SENT):
            line = stack.enter_context(create_connection(("127.0.0.1", port), timeout=10))
            line.sendall((head if number % 2 else whole).encode())
        time.sleep(0.2)  # until they have been taken in
        yield


def _more_versions(like: Version) -> list[str]:
    """Make many versions beside one, with other serials; return those."""
    begin = next(_numbers) * ASKED
    serials = [f"{2**120 + begin + number:x}" for number in range(ASKED)]
    rows: Iterator[dict[str, Any]] = (
        {
            "id": uuid4(), "serial": serial, "number": 10_000 + begin + number,
            "fingerprint": f"{2**200 + begin + number:064x}", "job_id": uuid4(),
        }
        for number, serial in enumerate(serials)
    )  # fmt: skip
    insert(like, rows)
    return serials


def _each_once(address: str, serials: list[str]) -> str:
    paths = ",\n".join(f'"{address}/{serial}"' for serial in serials)
    return (
        f"local paths = {{{paths}}}\nlocal at = 0\n"
        "request = function()\n  at = at % #paths + 1\n  return wrk.format('GET', paths[at])\nend\n"
    )
