"""Walk devices through enrollment: real TLS sockets, the shipped nginx, the real worker."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certctl.demo.devices import DOMAIN, PATH
from certctl.demo.est_device import EstDevice, Reply
from certctl.demo.steps import Failed, Steps

# Who must stand in the trail with what, at the walk's end.
EXPECTED = {
    ("carol", "credential.create"),
    ("carol", "job.approve.refuse"),
    ("bob", "job.approve"),
    ("est-demo", "certificate.register"),
    ("est-demo", "job.request"),
    ("est-demo", "credential.spend"),
    ("est-demo", "enrollment.collect"),
    ("system", "certificate.issue"),
}


class EnrollWalk(Steps):
    """A device that enrolls by EST."""

    def __init__(self, told: dict[str, Any], say: Callable[[str], None]) -> None:
        super().__init__(told, say)
        self.est = str(told["front"]["est"])
        self.ca = Path(told["front"]["ca"])
        newest = self.people["victor"].get("/api/v1/audit/?sort=-sequence&page_size=1")
        self.before = int(self.expect(newest, 200)["results"][0]["sequence"])

    def credential(self, protocol: str, name: str) -> str:
        """Carol makes a one-time credential for a device and its one name; return its text."""
        carol = self.people["carol"]
        labels = carol.get(f"/api/v1/enrollment-labels/?protocol={protocol}&path={PATH}")
        (label,) = self.expect(labels, 200)["results"]
        made = self.expect(
            carol.post(
                "/api/v1/enrollment-credentials/",
                {"label": label["id"], "device": name, "names": [f"dns:{name}"]},
            ),
            201,
        )
        self.show(
            f"201, {made['prefix']}… at {made['label_name']}; shown once, kept as a hash;"
            f" it may enroll {', '.join(made['names'])}"
        )
        return str(made["credential"])

    def waits(self, device: EstDevice, secret: str) -> str:
        """Send a first request, which has to wait; return its job."""
        self.step(f"{device.name} asks for a first certificate by EST, and is told to wait")
        cas = device.cacerts()
        pem = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in cas)
        (self.folder / "cas.pem").write_bytes(pem)
        self.show(f"{self.est}/cacerts: {', '.join(map(_common_name, cas))}")
        device.make_key("first")
        reply = device.enroll("first", secret)
        self.answered(reply, 202)
        self.show(f"202, Retry-After {reply.retry_after}: {reply.body.decode().strip()}")
        found = self.people["victor"].get(f"/api/v1/enrollments/?search={device.name}")
        (enrollment,) = self.expect(found, 200)["results"]
        self.show(f"enrollment {enrollment['id']} is {enrollment['outcome']}")
        return str(enrollment["job"])

    def decide(self, job: str) -> None:
        """Carol made the credential, so she asked too; bob approves."""
        self.step("carol made its credential, so her approval is refused")
        refused = self.people["carol"].post(f"/api/v1/jobs/{job}/approve/", {"reason": "mine"})
        body = self.expect(refused, 403, "self_approval")
        self.show(f"403 {body['code']}: {body['detail']}")
        self.step("bob looks at what would be signed, and approves exactly that")
        self.approve(job, reason="a camera that we bought")

    def collects(self, device: EstDevice, secret: str) -> None:
        """The same request again brings the certificate."""
        self.step(f"{device.name} sends the same request again, and collects its certificate")

        def ask() -> Reply | None:
            reply = device.enroll("first", secret)
            return None if reply.status == 202 else reply  # noqa: PLR2004 - it waits

        reply = self.until("the worker", ask)
        self.answered(reply, 200)
        self.keep(device, "first", reply)

    def renews(self, device: EstDevice) -> None:
        """A new key, by mutual TLS, with nobody asked."""
        self.step(f"{device.name} renews by mutual TLS, with a new key and without approval")
        device.make_key("second")
        reply = device.renew("second", shown="first")
        self.answered(reply, 200)
        self.keep(device, "second", reply)

    def stranger(self, device: EstDevice, secret: str) -> None:
        """The spent credential brings nothing else, and no certificate renews nothing."""
        self.step("the credential is spent: another key is refused with it, and so is none at all")
        device.make_key("third")
        self.answered(device.enroll("third", secret), 401)
        self.show("401 with the spent credential")
        self.answered(device.renew("third", shown=""), 403)
        self.show("403 for a renewal without a certificate")

    def keep(self, device: EstDevice, file: str, reply: Reply) -> None:
        """Keep what came, and have openssl verify it."""
        (certificate,) = reply.certificates()
        pem = device.keep(file, certificate)
        (self.folder / "device.pem").write_text(pem)
        self.verified(certificate)

    def verified(self, certificate: x509.Certificate) -> None:
        """Have openssl say whether device.pem chains to the CAs that the device was given."""
        said = self.openssl("verify", "-CAfile", "cas.pem", "-purpose", "sslclient", "device.pem")
        if "device.pem: OK" not in said:
            raise Failed(f"openssl verify: {said}")
        self.show(
            f"200, {_common_name(certificate)}, serial {certificate.serial_number:x}, until"
            f" {certificate.not_valid_after_utc.isoformat()}\n"
            f"openssl verify -purpose sslclient: {said.strip()}"
        )

    def answered(self, reply: Reply, status: int) -> None:
        """Raise Failed where EST said something else."""
        if reply.status != status:
            said = reply.body.decode("utf-8", "replace").strip()
            raise Failed(f"expected {status}, got {reply.status}: {said}")


def _common_name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def enroll_walk(told: dict[str, Any], *, say: Callable[[str], None]) -> None:
    """Do the whole walk; raises Failed at the first step that does not hold."""
    walk = EnrollWalk(told, say)
    try:
        # A name of its own each time: what an earlier walk's device holds is nobody else's.
        name = f"cam-{secrets.token_hex(3)}.{DOMAIN}"
        device = EstDevice(walk.est, walk.ca, walk.folder, name)
        walk.step(f"carol makes a one-time credential for {name}")
        secret = walk.credential("est", name)
        job = walk.waits(device, secret)
        walk.decide(job)
        walk.collects(device, secret)
        walk.renews(device)
        walk.stranger(device, secret)
        walk.trail(walk.before, EXPECTED)
    finally:
        walk.close()
