"""Make this folder's databases: run it in a checkout of the first release (see README.md).

    python make.py FOLDER

It walks the demo there on SQLite and on PostgreSQL, has the four people do some more, and writes
both databases into FOLDER, compressed, with what a test has to know about them.
"""

import base64
import json
import lzma
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

sys.path.insert(0, str(Path.cwd()))

from certctl.demo.client import Client  # of the release in the working folder
from certctl.demo.walk import make_csr
from tests import servers

# Of these databases and of nothing else.
KEY = base64.b64encode(b"certctl's first release, in test").decode()
PKI = "/.well-known/pki"


def walked(var, database_url):
    """Start the demo and wait for the end of its walk; return the process and demo.json."""
    port = servers.free_port()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("CERTCTL_")},
        "CERTCTL_VAR_DIR": str(var),
        "SECRET_KEY": "of the first release, for tests only" + "x" * 20,
        "CERTCTL_KEY_ENCRYPTION_KEYS": KEY,
        "CERTCTL_PKI_BASE_URL": f"http://127.0.0.1:{port}",
        "DATABASE_URL": database_url,
    }
    demo = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--port", str(port)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    said = []
    for line in demo.stdout:
        said.append(line)
        if "Ctrl-C" in line:
            return demo, json.loads((var / "demo.json").read_text())
    raise SystemExit("".join(said))


class Office:
    """The people, at work over REST."""

    def __init__(self, told):
        self.base = told["base_url"]
        self.issuer = told["issuer"]
        for name in ("alice", "bob", "carol", "victor"):
            setattr(self, name, Client(self.base, name, told[name]["api_key"]))

    def request(self, name, who=None, profile="tls-server"):
        csr, _ = make_csr(name)
        answer = (who or self.alice).post(
            "/api/v1/certificates/",
            {
                "name": name, "csr": csr, "issuer": self.issuer, "profile": profile,
                "owner": "Web platform", "renewal_policy": "standard",
            },
            Idempotency_Key=str(uuid.uuid4()),
        )  # fmt: skip
        return answer.body

    def decide(self, job, who, word="approve", reason="seen"):
        return who.post(f"/api/v1/jobs/{job['id']}/{word}/", {"reason": reason}).status

    def done(self, job):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            status = self.victor.get(f"/api/v1/jobs/{job['id']}/").body["status"]
            if status == "Completed":
                certificate = f"/api/v1/certificates/{job['certificate']}/"
                return self.victor.get(f"{certificate}versions/").body["results"][0]
            time.sleep(0.2)
        raise SystemExit(f"{job} is {status}")

    def work(self):
        """Ask for much, be refused some; return a good version and a revoked one."""
        names = ("api", "mail", "login", "shop", "ldap", "wiki", "chat", "data")
        jobs = [self.request(f"{name}.demo.internal") for name in names]
        for job in jobs:
            assert self.decide(job, self.alice) == 403  # her own
            assert self.decide(job, self.victor) == 403  # a reader
        assert self.decide(jobs[0], self.bob, "reject", "not known") == 200
        assert self.decide(jobs[0], self.bob) == 409  # too late
        for job in jobs[1:6]:  # the last two wait
            assert self.decide(job, self.bob) == 200
        versions = [self.done(job) for job in jobs[1:6]]
        self.request("night.demo.internal", who=self.victor)  # refused: he reads
        short = self.request("short.demo.internal", profile="tls-short")
        self.done(short)
        for version, reason in zip(versions[:2], ("keyCompromise", "superseded"), strict=True):
            url = f"/api/v1/certificates/{version['certificate']}/revoke/"
            assert self.victor.post(url, {"reason": reason}).status == 403
            answer = self.bob.post(url, {"reason": reason})
            assert answer.status == 200, answer.body
        archived = f"/api/v1/certificates/{jobs[0]['certificate']}/archive/"
        assert self.alice.post(archived).status in {200, 204, 403}
        return versions[2], versions[0]

    def fetch(self, path, body=None):
        request = urllib.request.Request(f"{self.base}{PKI}/{path}", data=body)
        if body:
            request.add_header("Content-Type", "application/ocsp-request")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read()

    def relying_party(self, *versions):
        """Have CRL and OCSP answers signed; wait for the CRL that names the revoked one."""
        issuing = x509.load_der_x509_certificate(self.fetch(f"ca/{self.issuer}"))
        for version in versions:
            leaf = x509.load_pem_x509_certificates(version["pem"].encode())[0]
            asked = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuing, hashes.SHA1())
            der = asked.build().public_bytes(serialization.Encoding.DER)
            assert self.fetch(f"ocsp/{self.issuer}", der)
        serial = int(versions[-1]["serial"], 16)
        for _ in range(100):
            crl = x509.load_der_x509_crl(self.fetch(f"crl/{self.issuer}"))
            if crl.get_revoked_certificate_by_serial_number(serial):
                return
            time.sleep(0.2)
        raise SystemExit("no CRL names what was revoked")

    def about(self, good, revoked):
        newest = self.victor.get("/api/v1/audit/?sort=-sequence&page_size=500").body["results"]
        return {
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "issuer": self.issuer,
            "good": good["serial"],
            "revoked": revoked["serial"],
            "events": newest[0]["sequence"],
            "head": newest[0]["hash"],
            "refusals": sum(event["action"].endswith(".refuse") for event in newest),
        }


def made(var, database_url):
    """Fill the database of that URL; return what is to be known of it."""
    demo, told = walked(var, database_url)
    try:
        office = Office(told)
        good, revoked = office.work()
        office.relying_party(good, revoked)
        time.sleep(2)  # for what the worker still has to do
        return office.about(good, revoked)
    finally:
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=60)


def on_sqlite(folder, out):
    database = folder / "first.sqlite3"
    about = made(folder / "sqlite", f"sqlite:///{database}")
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("VACUUM")
    connection.close()
    (out / "sqlite.db.xz").write_bytes(lzma.compress(database.read_bytes(), preset=9))
    return about


def on_postgres(folder, out):
    with servers.postgres() as url:
        about = made(folder / "postgres", url)
        dump = subprocess.run(
            [
                servers.postgres_binaries() / "pg_dump", "--no-owner", "--no-privileges",
                "--rows-per-insert=100", url,
            ],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    # Words to psql, such as \restrict, are none of SQL's.
    plain = re.sub(r"(?m)^\\(un)?restrict .*\n", "", dump)
    (out / "postgres.sql.xz").write_bytes(lzma.compress(plain.encode(), preset=9))
    return about


def main():
    out = Path(sys.argv[1]).absolute()
    with tempfile.TemporaryDirectory() as folder:
        about = {
            "key_encryption_key": KEY,
            "sqlite": on_sqlite(Path(folder), out),
            "postgres": on_postgres(Path(folder), out),
        }
    (out / "about.json").write_text(json.dumps(about, indent=2) + "\n")


if __name__ == "__main__":
    main()
