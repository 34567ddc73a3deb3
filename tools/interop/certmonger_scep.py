"""SCEP with certmonger: the daemon and `getcert`, on a D-Bus of their own, by plain http."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tools.interop import people
from tools.interop.checks import Check, holds, is_same
from tools.interop.people import Enrolling
from tools.interop.running import Ended, finish, start
from tools.served import Served

T = TypeVar("T")
PATIENCE = 60.0
# Where certmonger keeps what it knows, and by which variable it is told.
FOLDERS = ("CONFIG_DIR", "REQUESTS_DIR", "CAS_DIR", "LOCAL_CA_DIR", "TMPDIR")


class Client:
    """A device with a certmonger of its own, and its label as the CA `lab`."""

    def __init__(self, folder: Path, device: Enrolling, environment: dict[str, str]) -> None:
        self.folder, self.device, self.environment = folder, device, environment

    def getcert(self, command: str, *options: str) -> Ended:
        """Run getcert on our bus."""
        return finish(
            start("getcert", command, "-s", *options, folder=self.folder, **self.environment)
        )

    def request(self, challenge: str) -> None:
        """Have certmonger make a key and ask for a certificate."""
        self.getcert(
            *("request", "-c", "lab", "-g", "2048", "-k", self.path("key"), "-f", self.path("crt")),
            *("-N", f"CN={self.device.name}", "-D", self.device.name, "-L", challenge),
        ).expect(0)

    def wait_for(self, status: str) -> None:
        """Wait until certmonger says that the request stands so; it is told to look meanwhile."""
        shown = _until(lambda: self._standing(status))
        if shown is None:
            raise AssertionError(f"not {status}: {self.getcert('list').out.decode()}")

    def _standing(self, status: str) -> str | None:
        shown = self.getcert("list").out.decode()
        if re.search(rf"status: {status}\b", shown):
            return shown
        if "CA_WORKING" in shown:  # it would ask again in some minutes
            self.getcert("refresh", "-f", self.path("crt"))
        return None

    def path(self, kind: str) -> str:
        """Return where its key (key) or its certificate (crt) lies."""
        return str(self.folder / f"device.{kind}")

    def certificate(self) -> bytes:
        """Return the certificate that certmonger has saved."""
        return Path(self.path("crt")).read_bytes()


@contextmanager
def certmonger(installation: Served, folder: Path, device: Enrolling) -> Iterator[Client]:
    """Run certmonger on a bus of its own, with everything that it keeps in the folder."""
    bus = f"unix:path={folder}/bus"
    environment = {"DBUS_SESSION_BUS_ADDRESS": bus, "HOME": str(folder)}
    for name in FOLDERS:
        (folder / name.lower()).mkdir()
        environment[f"CERTMONGER_{name}"] = str(folder / name.lower())
    started = [
        start("dbus-daemon", "--session", "--nofork", f"--address={bus}", folder=folder),
    ]
    try:
        if _until(lambda: (folder / "bus").exists() or None) is None:
            raise AssertionError("dbus-daemon does not start.")
        log = folder / "certmonger.log"
        command = f"exec certmonger -s -n -d 1 >{log} 2>&1"
        started.append(start("sh", "-c", command, folder=folder, **environment))
        client = Client(folder, device, environment)
        if _until(lambda: client.getcert("list-cas").status == 0 or None) is None:
            raise AssertionError(f"certmonger does not start: {log.read_text()[-1500:]}")
        url = f"http://127.0.0.1:{installation.plain_port}/scep/{device.label}"
        client.getcert("add-scep-ca", "-c", "lab", "-u", url).expect(0)
        if (
            _until(lambda: b"thumbprint" in client.getcert("list-cas", "-c", "lab").out or None)
            is None
        ):
            raise AssertionError("certmonger did not get the CA's certificates.")
        yield client
    finally:
        for process in reversed(started):
            process.terminate()
            process.communicate(timeout=20)


def enrolls_and_renews(installation: Served, folder: Path) -> None:
    """Enroll at once, and renew with a new key."""
    device = people.device_at("scep", "monger")
    with certmonger(installation, folder, device) as client:
        client.request(device.secret)
        client.wait_for("MONITORING")
        is_same(client.certificate(), device)
        first = client.certificate()
        client.getcert("rekey", "-f", client.path("crt")).expect(0)
        if _until(lambda: client.certificate() != first or None) is None:
            raise AssertionError(f"not renewed: {client.getcert('list').out.decode()}")
        client.wait_for("MONITORING")
        is_same(client.certificate(), device)
    holds(device, 2)


def waits_and_collects(installation: Served, folder: Path) -> None:
    """Be PENDING, and collect."""
    device = people.device_at("scep", "monger-slow", waits=True)
    with certmonger(installation, folder, device) as client:
        client.request(device.secret)
        client.wait_for("CA_WORKING")
        people.approve(device)
        client.wait_for("MONITORING")
        is_same(client.certificate(), device)
    holds(device, 1)


def is_rejected(installation: Served, folder: Path) -> None:
    """Be PENDING, and be told FAILURE."""
    device = people.device_at("scep", "monger-not", waits=True)
    with certmonger(installation, folder, device) as client:
        client.request(device.secret)
        client.wait_for("CA_WORKING")
        people.reject(device, "not ours")
        client.wait_for("CA_REJECTED")
    holds(device, 0)


def is_refused(installation: Served, folder: Path) -> None:
    """Come with a wrong challenge."""
    device = people.device_at("scep", "monger-bad")
    with certmonger(installation, folder, device) as client:
        client.request(f"{device.secret[:-4]}aaaa")
        client.wait_for("CA_REJECTED")
    holds(device, 0)


def _until(look: Callable[[], T | None]) -> T | None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        seen = look()
        if seen is not None:
            return seen
        time.sleep(0.3)
    return None


CLIENT = "certmonger (SCEP)"
CHECKS = [
    Check(CLIENT, "enrolls, and renews with a new key", enrolls_and_renews),
    Check(CLIENT, "waits for the approval and collects", waits_and_collects),
    Check(CLIENT, "is rejected", is_rejected),
    Check(CLIENT, "is refused with a wrong challenge", is_refused),
]
