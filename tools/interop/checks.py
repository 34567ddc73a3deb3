"""What every client is driven through, and how it is told."""

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.interop.people import Enrolling, versions
from tools.served import Served


@dataclass(frozen=True, slots=True)
class Check:
    """A client and what it is driven through, in a folder of its own."""

    client: str
    name: str
    work: Callable[[Served, Path], None]


def run_all(checks: Sequence[Check], installation: Served) -> list[str]:
    """Run every check; print how each ended; return the names of those that failed."""
    failed = []
    for number, check in enumerate(checks):
        folder = installation.folder / f"client-{number}"
        folder.mkdir()
        began = time.monotonic()
        try:
            check.work(installation, folder)
        except Exception:  # noqa: BLE001 - the others are run all the same
            traceback.print_exc()
            failed.append(f"{check.client}: {check.name}")
        ended = "FAILED" if failed and failed[-1] == f"{check.client}: {check.name}" else "ok"
        print(
            f"  {ended:<7} {check.client}: {check.name} ({time.monotonic() - began:.1f} s)",
            flush=True,
        )
    return failed


def holds(device: Enrolling, count: int) -> None:
    """Raise AssertionError where the device was not given this many certificates."""
    given = len(versions(device))
    if given != count:
        raise AssertionError(f"{device.name} was given {given} certificates and not {count}.")


def is_same(pem: bytes, device: Enrolling) -> None:
    """Raise AssertionError where `pem` is not the newest certificate that the device was given."""
    from issuers.x509 import certs

    newest = versions(device)[-1]
    if certs.fingerprint(certs.load(pem.decode())) != newest.fingerprint:
        raise AssertionError(f"{device.name} has another certificate than it was given.")
