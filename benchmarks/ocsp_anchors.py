"""Other people's OCSP responders, to measure ours against: cfssl's, or openssl's where it is not.

cfssl's (Debian has it as golang-cfssl) gives answers from memory that were signed before, so it is
given ours. openssl's signs each anew.
"""

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from certctl.demo.programs import OPENSSL
from tests import servers

OPENSSL_NAME = "anchor: openssl ocsp, signs each"
CFSSL_NAME = "anchor: cfssl ocspserve, the same answer"


@contextmanager
def other_responder(folder: Path, answer: bytes, serial: str) -> Iterator[tuple[str, int]]:
    """Run it; gives what it is called and its port.

    `answer` is what cfssl gives; `serial` is known to openssl's.
    """
    port, place = servers.free_port(), folder / "other-responder"
    place.mkdir()
    cfssl = shutil.which("cfssl")
    if cfssl is None:
        name, command = OPENSSL_NAME, _openssl(place, serial, port)
    else:
        answers = place / "answers"
        answers.write_bytes(base64.b64encode(answer) + b"\n")
        name = CFSSL_NAME
        # It logs each request at the lower levels.
        command = [cfssl, "ocspserve", "-address=127.0.0.1", f"-port={port}",
                   f"-responses={answers}", "-loglevel=4"]  # fmt: skip
    with servers.process(
        [*command],
        owner=servers.Account(os.geteuid(), os.getegid()),
        log=place / "log",
        ready=lambda: servers.listens(port),
    ):
        yield name, port


def _openssl(place: Path, serial: str, port: int) -> list[str | Path]:
    """Make a CA and an index with that serial; return the command of a responder over it."""
    openssl = OPENSSL.get()
    subprocess.run(  # noqa: S603 - an argument list of our own
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-subj", "/CN=bench", "-days", "30", "-keyout", place / "ca.key",
         "-out", place / "ca.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    (place / "index").write_text(f"V\t401231000000Z\t\t{serial.upper()}\tunknown\t/CN=x\n")
    return [openssl, "ocsp", "-index", place / "index", "-port", str(port), "-CA", place / "ca.pem",
            "-rsigner", place / "ca.pem", "-rkey", place / "ca.key", "-ndays", "1"]  # fmt: skip
