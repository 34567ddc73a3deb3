"""Walk devices through enrollment: real sockets, the shipped nginx, the real worker."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certctl.demo.devices import DOMAIN, PATH
from certctl.demo.est_device import EstDevice, Reply
from certctl.demo.scep_device import FAILURE, ScepDevice
from certctl.demo.steps import Failed, Steps
from enrollment.scep.message import FailInfo

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
    ("scep-demo", "certificate.register"),
    ("scep-demo", "credential.spend"),
    ("scep-demo", "enrollment.collect"),
}


class EnrollWalk(Steps):
    """A device that enrolls and renews by EST, and one that enrolls by SCEP."""

    def __init__(self, told: dict[str, Any], say: Callable[[str], None]) -> None:
        super().__init__(told, say)
        self.est, self.scep = str(told["front"]["est"]), str(told["front"]["scep"])
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
        (self.folder / "cas.pem").write_bytes(_pem(*cas))
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
        self.show("200, with a certificate")
        self.keep(device, "first", reply)

    def renews(self, device: EstDevice) -> None:
        """A new key, by mutual TLS, with nobody asked."""
        self.step(f"{device.name} renews by mutual TLS, with a new key and without approval")
        device.make_key("second")
        reply = device.renew("second", shown="first")
        self.answered(reply, 200)
        self.show("200, with a certificate")
        self.keep(device, "second", reply)

    def spent(self, device: EstDevice, secret: str) -> None:
        """The spent credential brings nothing for another key."""
        self.step(f"the credential is spent: {device.name} gets nothing else with it")
        device.make_key("third")
        self.answered(device.enroll("third", secret), 401)
        self.show("401 for a request of another key")

    def challenged(self, device: ScepDevice, challenge: str) -> None:
        """Another device enrolls by SCEP, over plain http."""
        self.step(f"{device.name} enrolls by SCEP with it, over plain http")
        self.show(f"{self.scep} can {', '.join(device.capabilities())}")
        self.until("the RA certificate", device.learn)
        (self.folder / "cas.pem").write_bytes(_pem(*device.cas))
        rep = device.enroll(challenge)
        if rep.certificate is None:
            raise Failed(f"expected SUCCESS, got {rep}")
        self.show(f"CertRep SUCCESS, signed by {_common_name(device.ra_certificate)}")
        (self.folder / "device.pem").write_bytes(_pem(rep.certificate))
        self.verified(rep.certificate)

    def wrong_challenge(self, device: ScepDevice, challenge: str) -> None:
        """A challenge of which one letter is wrong brings nothing."""
        self.step(f"{device.name} sends a wrong challenge, and is refused")
        device.learn()
        # Another letter of those that challenges are made of.
        wrong = challenge[:-1] + ("a" if challenge[-1] != "a" else "b")
        rep = device.enroll(wrong)
        if rep.status != FAILURE or rep.fail_info != FailInfo.BAD_REQUEST:
            raise Failed(f"expected FAILURE badRequest, got {rep}")
        self.show(f"CertRep FAILURE, badRequest: {rep.words}")
        found = self.people["victor"].get(f"/api/v1/enrollments/?search={device.name}")
        if self.expect(found, 200)["results"]:
            raise Failed(f"{device.name} enrolled all the same")
        self.show("and nothing was asked for in its name")

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
            f"{_common_name(certificate)}, serial {certificate.serial_number:x}, until"
            f" {certificate.not_valid_after_utc.isoformat()}\n"
            f"openssl verify -purpose sslclient: {said.strip()}"
        )

    def answered(self, reply: Reply, status: int) -> None:
        """Raise Failed where EST said something else."""
        if reply.status != status:
            said = reply.body.decode("utf-8", "replace").strip()
            raise Failed(f"expected {status}, got {reply.status}: {said}")


def _pem(*values: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in values)


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
        walk.spent(device, secret)
        gear, other = (f"gear-{secrets.token_hex(3)}.{DOMAIN}" for _ in range(2))
        walk.step(f"carol makes a challenge for {gear}")
        challenge = walk.credential("scep", gear)
        walk.challenged(ScepDevice(walk.scep, gear), challenge)
        walk.step(f"carol makes a challenge for {other}")
        challenge = walk.credential("scep", other)
        walk.wrong_challenge(ScepDevice(walk.scep, other), challenge)
        walk.trail(walk.before, EXPECTED)
    finally:
        walk.close()
