"""EST with strongSwan's `pki` (Debian 12: 5.9.8), which has a TLS of its own and asks on by itself.

It puts `/.well-known/est/` behind the path of its --url, so it reaches the default label alone.
"""

import re
import subprocess
from pathlib import Path

from tools.interop import people
from tools.interop.checks import Check, holds, is_same
from tools.interop.people import Enrolling
from tools.interop.running import Ended, finish, run, start, while_it_asks
from tools.served import Served


class Client:
    """A device with `pki`, a folder, and the CAs that it trusts in files of their own."""

    def __init__(self, installation: Served, folder: Path) -> None:
        self.folder = folder
        self.url = f"https://localhost:{installation.devices_port}"
        self.front = []
        pems = re.findall(
            r"-----BEGIN CERT[^>]+?END CERTIFICATE-----\n", installation.front_ca.read_text()
        )
        for number, pem in enumerate(pems):
            (folder / f"front-{number}.pem").write_text(pem)
            self.front += ["--cacert", f"front-{number}.pem"]

    def fetch_cas(self) -> None:
        """Fetch the CA's certificates: the root is cas.pem, the others are cas-1.pem and so on."""
        run(
            *("pki", "--estca", "--url", self.url, *self.front),
            *("--caout", "cas.pem", "--outform", "pem", "--force"),
            folder=self.folder,
        ).expect(0)

    def make_request(self, device: Enrolling, file: str, kind: str = "ecdsa") -> None:
        """Make a key and a request."""
        size = "256" if kind == "ecdsa" else "2048"
        key = run(
            *("pki", "--gen", "--type", kind, "--size", size, "--outform", "pem"),
            folder=self.folder,
        ).expect(0)
        (self.folder / f"{file}.key").write_bytes(key.out)
        request = run(
            *("pki", "--req", "--in", f"{file}.key", "--type", kind),
            *("--dn", f"CN={device.name}", "--san", device.name),
            folder=self.folder,
        ).expect(0)
        (self.folder / f"{file}.req").write_bytes(request.out)

    def start(self, file: str, *options: str) -> "subprocess.Popen[bytes]":
        """Start asking; while it is told to wait it asks again, as Retry-After says."""
        cas = [part for path in self.folder.glob("cas*.pem") for part in ("--cacert", path.name)]
        return start(
            *("pki", "--est", "--url", self.url, "--in", f"{file}.req", *self.front, *cas),
            *("--maxpolltime", "120", "--outform", "pem", *options),
            folder=self.folder,
        )

    def ask(self, file: str, *options: str) -> Ended:
        """Ask to the end, and keep the certificate where there is one."""
        return self.end(file, self.start(file, *options))

    def end(self, file: str, process: "subprocess.Popen[bytes]") -> Ended:
        """Wait for the answer, and keep the certificate where there is one."""
        ended = finish(process, seconds=150)
        if ended.status == 0:
            (self.folder / f"{file}.crt").write_bytes(ended.out)
        return ended


def by_secret(device: Enrolling) -> tuple[str, str]:
    """Return how the device shows its credential."""
    return "--userpass", f"{device.name}:{device.secret}"


def shown(file: str) -> tuple[str, ...]:
    """Return how it shows the certificate that it has."""
    return "--cert", f"{file}.crt", "--key", f"{file}.key"


def enrolls_and_renews(installation: Served, folder: Path) -> None:
    """Enroll at once, renew by mutual TLS with a new key, and be refused once revoked."""
    device, client = people.device_at("est", "swan"), Client(installation, folder)
    client.fetch_cas()
    client.make_request(device, "first")
    ended = client.ask("first", *by_secret(device)).expect(0)
    is_same(ended.out, device)
    client.make_request(device, "second", "rsa")
    ended = client.ask("second", *shown("first")).expect(0)
    is_same(ended.out, device)
    holds(device, 2)
    people.revoke(people.versions(device)[-1])
    client.make_request(device, "third")
    if client.ask("third", *shown("second")).status == 0:
        raise AssertionError("A revoked certificate renewed.")
    holds(device, 2)


def waits_and_collects(installation: Served, folder: Path) -> None:
    """Wait for an approval, and collect by itself after the minute that it is told to wait."""
    device, client = people.device_at("est", "swan-slow", waits=True), Client(installation, folder)
    client.fetch_cas()
    client.make_request(device, "first")
    asking = client.start("first", *by_secret(device))
    while_it_asks(asking, lambda: people.approve(device))
    is_same(client.end("first", asking).expect(0).out, device)
    holds(device, 1)


def is_rejected(installation: Served, folder: Path) -> None:
    """Wait for an approval that is not given, and be told so when it is started again."""
    device, client = people.device_at("est", "swan-not", waits=True), Client(installation, folder)
    client.fetch_cas()
    client.make_request(device, "first")
    asking = client.start("first", *by_secret(device))
    while_it_asks(asking, lambda: people.reject(device, "not ours"))
    asking.kill()
    client.end("first", asking)
    ended = client.ask("first", *by_secret(device))
    if ended.status == 0 or "403" not in ended.said:
        raise AssertionError(f"not told of the rejection: {ended.said[-800:]}")
    holds(device, 0)


def is_refused(installation: Served, folder: Path) -> None:
    """Come with a wrong credential."""
    device, client = people.device_at("est", "swan-bad"), Client(installation, folder)
    client.fetch_cas()
    client.make_request(device, "first")
    ended = client.ask("first", "--userpass", f"{device.name}:{device.secret[:-1]}!")
    if ended.status == 0 or "401" not in ended.said:
        raise AssertionError(f"not refused: {ended.said[-800:]}")
    holds(device, 0)


CLIENT = "strongSwan pki --est"
CHECKS = [
    Check(CLIENT, "enrolls, renews by mutual TLS, is refused once revoked", enrolls_and_renews),
    Check(CLIENT, "waits for the approval and collects", waits_and_collects),
    Check(CLIENT, "is rejected", is_rejected),
    Check(CLIENT, "is refused with a wrong credential", is_refused),
]
