"""SCEP with strongSwan's `pki` (Debian 12: 5.9.8), by plain http."""

import subprocess
from pathlib import Path

from tools.interop import people
from tools.interop.checks import Check, holds, is_same
from tools.interop.people import Enrolling
from tools.interop.running import Ended, finish, run, start, while_it_asks
from tools.served import Served

SECONDS = 60


class Client:
    """A device with `pki` and a folder, at its label."""

    def __init__(self, installation: Served, folder: Path, device: Enrolling) -> None:
        self.folder, self.device = folder, device
        self.url = f"http://127.0.0.1:{installation.plain_port}/scep/{device.label}"
        run(
            *("pki", "--scepca", "--url", self.url, "--caout", "cas.pem", "--raout", "ra.pem"),
            *("--outform", "pem", "--force"),
            folder=folder,
        ).expect(0)

    def make_key(self, file: str) -> None:
        """Make an RSA key: SCEP's answers are encrypted to it."""
        key = run(
            *("pki", "--gen", "--type", "rsa", "--size", "2048", "--outform", "pem"),
            folder=self.folder,
        ).expect(0)
        (self.folder / f"{file}.key").write_bytes(key.out)

    def start(self, file: str, *options: str) -> "subprocess.Popen[bytes]":
        """Start asking; while it is PENDING it asks after it each second, for half a minute."""
        cas = [part for path in self.folder.glob("cas*.pem") for part in ("--cacert", path.name)]
        return start(
            *("pki", "--scep", "--url", self.url, "--in", f"{file}.key", *cas),
            *("--cacert-enc", "ra.pem", "--cacert-sig", "ra.pem"),
            *("--dn", f"CN={self.device.name}", "--san", self.device.name, *options),
            *("--interval", "1", "--maxpolltime", "30", "--outform", "pem"),
            folder=self.folder,
        )

    def end(self, file: str, process: "subprocess.Popen[bytes]") -> Ended:
        """Wait for the answer, and keep the certificate where there is one."""
        ended = finish(process, seconds=SECONDS)
        if ended.status == 0:
            (self.folder / f"{file}.crt").write_bytes(ended.out)
        return ended

    def ask(self, file: str, *options: str) -> Ended:
        """Ask to the end."""
        return self.end(file, self.start(file, *options))

    def by_challenge(self) -> tuple[str, str]:
        """Return how the device shows its challenge."""
        return "--password", self.device.secret


def enrolls_and_renews(installation: Served, folder: Path) -> None:
    """Enroll at once, renew with a new key, signed by the certificate that it has."""
    client = Client(installation, folder, people.device_at("scep", "goose"))
    client.make_key("first")
    is_same(client.ask("first", *client.by_challenge()).expect(0).out, client.device)
    client.make_key("second")
    ended = client.ask("second", "--cert", "first.crt", "--key", "first.key").expect(0)
    is_same(ended.out, client.device)
    holds(client.device, 2)


def waits_and_collects(installation: Served, folder: Path) -> None:
    """Be PENDING, and collect by CertPoll."""
    client = Client(installation, folder, people.device_at("scep", "goose-slow", waits=True))
    client.make_key("first")
    asking = client.start("first", *client.by_challenge())
    while_it_asks(asking, lambda: people.approve(client.device))
    is_same(client.end("first", asking).expect(0).out, client.device)
    holds(client.device, 1)


def is_rejected(installation: Served, folder: Path) -> None:
    """Be PENDING, and be told FAILURE by CertPoll."""
    client = Client(installation, folder, people.device_at("scep", "goose-not", waits=True))
    client.make_key("first")
    asking = client.start("first", *client.by_challenge())
    while_it_asks(asking, lambda: people.reject(client.device, "not ours"))
    ended = client.end("first", asking)
    if ended.status == 0:
        raise AssertionError("A rejected request was answered with a certificate.")
    holds(client.device, 0)


def is_refused(installation: Served, folder: Path) -> None:
    """Come with a wrong challenge."""
    client = Client(installation, folder, people.device_at("scep", "goose-bad"))
    client.make_key("first")
    ended = client.ask("first", "--password", f"{client.device.secret[:-4]}aaaa")
    if ended.status == 0 or "badRequest" not in ended.said:
        raise AssertionError(f"A wrong challenge was not refused: {ended.said[-800:]}")
    holds(client.device, 0)


CLIENT = "strongSwan pki --scep"
CHECKS = [
    Check(CLIENT, "enrolls, and renews with a new key", enrolls_and_renews),
    Check(CLIENT, "waits for the approval and collects", waits_and_collects),
    Check(CLIENT, "is rejected", is_rejected),
    Check(CLIENT, "is refused with a wrong challenge", is_refused),
]
