"""EST with curl and openssl, as docs/est.md has it."""

import re
from pathlib import Path

from tools.interop import people
from tools.interop.checks import Check, holds, is_same
from tools.interop.people import Enrolling
from tools.interop.running import run
from tools.served import Served

ISSUED, WAITS, NOT_AUTHENTICATED, REJECTED = 200, 202, 401, 403
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Client:
    """A device with curl, openssl and a folder."""

    def __init__(self, installation: Served, folder: Path, device: Enrolling) -> None:
        self.folder, self.device = folder, device
        self.ca = installation.front_ca
        self.url = f"https://localhost:{installation.devices_port}/.well-known/est/{device.label}"

    def make_request(self, file: str) -> None:
        """Make a key and a request."""
        name = self.device.name
        run(
            *("openssl", "req", "-new", *NEW_KEY, "-keyout", f"{file}.key", "-subj", f"/CN={name}"),
            *("-addext", f"subjectAltName=DNS:{name}", "-outform", "DER", "-out", f"{file}.der"),
            folder=self.folder,
        ).expect(0)
        run(
            *("openssl", "base64", "-in", f"{file}.der", "-out", f"{file}.p10"), folder=self.folder
        ).expect(0)

    def ask(self, operation: str, file: str, *options: str, expected: int) -> str:
        """Send the request, keep the certificate where there is one; return the answer's words.

        Raises AssertionError where the status is another one than expected.
        """
        ended = run(
            *("curl", "--silent", "--show-error", "--cacert", str(self.ca), *options),
            *("--header", "Content-Type: application/pkcs10", "--data-binary", f"@{file}.p10"),
            *("--output", f"{file}.answer", "--write-out", "%{http_code}"),
            f"{self.url}/{operation}",
            folder=self.folder,
        ).expect(0)
        answer = (self.folder / f"{file}.answer").read_text()
        if int(ended.out) != expected:
            raise AssertionError(f"{ended.out.decode()} and not {expected}: {answer[:500]}")
        if expected == ISSUED:
            der = run("openssl", "base64", "-d", "-in", f"{file}.answer", folder=self.folder)
            pem = run(
                *("openssl", "pkcs7", "-inform", "DER", "-print_certs"),
                folder=self.folder,
                stdin=der.expect(0).out,
            ).expect(0)
            found = re.search(rb"-----BEGIN.+END CERTIFICATE-----\n", pem.out, re.DOTALL)
            assert found is not None  # noqa: S101 - openssl has just printed it
            (self.folder / f"{file}.crt").write_bytes(found[0])
            is_same(found[0], self.device)
        return answer

    def by_secret(self, secret: str = "") -> tuple[str, str]:
        """Return how the device shows its credential."""
        return "--user", f"{self.device.name}:{secret or self.device.secret}"


def enrolls_and_renews(installation: Served, folder: Path) -> None:
    """Enroll at once and renew by mutual TLS with a new key."""
    client = Client(installation, folder, people.device_at("est", "curl"))
    client.make_request("first")
    client.ask("simpleenroll", "first", *client.by_secret(), expected=ISSUED)
    client.make_request("second")
    shown = ("--cert", "first.crt", "--key", "first.key")
    client.ask("simplereenroll", "second", *shown, expected=ISSUED)
    holds(client.device, 2)


def waits_and_collects(installation: Served, folder: Path) -> None:
    """Wait for an approval, and collect with the same request."""
    client = Client(installation, folder, people.device_at("est", "curl-slow", waits=True))
    client.make_request("first")
    client.ask("simpleenroll", "first", *client.by_secret(), expected=WAITS)
    people.approve(client.device)
    people.until_signed(client.device)
    client.ask("simpleenroll", "first", *client.by_secret(), expected=ISSUED)
    holds(client.device, 1)


def is_rejected(installation: Served, folder: Path) -> None:
    """Wait for an approval that is not given, and come with a wrong credential before."""
    client = Client(installation, folder, people.device_at("est", "curl-not", waits=True))
    client.make_request("first")
    wrong = client.by_secret(f"{client.device.secret[:-1]}!")
    client.ask("simpleenroll", "first", *wrong, expected=NOT_AUTHENTICATED)
    client.ask("simpleenroll", "first", *client.by_secret(), expected=WAITS)
    people.reject(client.device, "not ours")
    words = client.ask("simpleenroll", "first", *client.by_secret(), expected=REJECTED)
    if "not ours" not in words:
        raise AssertionError(f"not told why: {words}")
    holds(client.device, 0)


CLIENT = "curl and openssl"
CHECKS = [
    Check(CLIENT, "enroll and renew by mutual TLS", enrolls_and_renews),
    Check(CLIENT, "wait for the approval and collect", waits_and_collects),
    Check(CLIENT, "are refused with a wrong credential, then rejected", is_rejected),
]
