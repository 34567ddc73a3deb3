"""What every walk of the demo is made of: real HTTP, and evidence for each step.

Every step says what was done and shows the evidence; the first that does not hold raises Failed.
"""

import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from certctl.demo.client import Answer, Client
from certctl.demo.programs import OPENSSL
from certctl.embedded import command, python
from issuers.pointers import WELL_KNOWN

PATIENCE = 60.0  # seconds for the worker to do one thing
OPEN = {"Pending", "Running"}


class Failed(Exception):
    """A step of the walk did not show what it had to."""


class Steps:
    """The people with their clients, and a folder that one step leaves things in for the next."""

    def __init__(self, told: dict[str, Any], say: Callable[[str], None]) -> None:
        self.base_url = str(told["base_url"])
        self.issuer = str(told["issuer"])
        self.say = say
        self.people = {
            name: Client(self.base_url, name, told[name]["api_key"])
            for name in ("alice", "bob", "carol", "dave", "victor")
        }
        self.number = 0
        self.folder = Path(tempfile.mkdtemp(prefix="certctl-walk-"))

    def step(self, what: str) -> None:
        """Announce the next step."""
        self.number += 1
        self.say(f"\n{self.number:>2}. {what}")

    def show(self, evidence: str) -> None:
        """Show what a step found."""
        for line in evidence.strip().splitlines():
            self.say(f"      {line}")

    def expect(self, answer: Answer, status: int, code: str = "") -> Any:
        """Return the answer's body, where status and code are the expected ones."""
        got = answer.body.get("code", "") if isinstance(answer.body, dict) else ""
        if answer.status != status or (code and got != code):
            raise Failed(f"expected {status} {code}, got {answer.status}: {answer.body}")
        return answer.body

    def until(self, what: str, ask: Callable[[], Any]) -> Any:
        """Ask until there is an answer; raise Failed when the worker takes too long."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = ask()
            if found:
                return found
            time.sleep(0.2)
        raise Failed(f"{what}: nothing after {PATIENCE:.0f} s")

    def job_done(self, job_id: str) -> Any:
        """Wait until the worker has done the job; return it."""

        def ask() -> Any:
            job = self.expect(self.people["victor"].get(f"/api/v1/jobs/{job_id}/"), 200)
            if job["status"] in OPEN or (job["waiting_for"] or {}).get("what") == "retry":
                return None
            return job

        job = self.until("the worker", ask)
        if job["status"] != "Completed":
            raise Failed(f"the job ended {job['status']}: {job['last_error']}")
        return job

    def openssl(self, *arguments: str) -> str:
        """Run openssl and return what it printed; Failed where it is not there."""
        program = OPENSSL.find()
        if program is None:
            raise Failed(OPENSSL.missing())
        done = subprocess.run(  # noqa: S603 - an argument list of our own
            [program, *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            cwd=self.folder,
        )
        return done.stdout + done.stderr

    def fetch(self, path: str) -> bytes:
        """GET under /.well-known/pki/ without credentials."""
        url = f"{self.base_url}{WELL_KNOWN}/{path}"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own http URL
            return bytes(answer.read())

    def approve(self, job: str, *, reason: str, show: bool = True) -> None:
        """Bob looks at what would be signed, and approves just that by its digest."""
        bob = self.people["bob"]
        review = self.expect(bob.get(f"/api/v1/jobs/{job}/review/"), 200)
        say = self.show if show else _nothing
        say(
            f"{', '.join(review['names'])}; {review['key_algorithm']}; {review['lifetime']};"
            f" issuer {review['issuer']}; profile {review['profile']}"
        )
        decided = self.expect(
            bob.post(
                f"/api/v1/jobs/{job}/approve/", {"reason": reason, "digest": review["digest"]}
            ),
            200,
        )
        say(f"200, {decided['status']}; bound to digest {review['digest'][:16]}…")

    def trail(self, after: int, expected: Collection[tuple[str, str]]) -> None:
        """Show who did what since the event `after`; Failed where one who must stand there lacks.

        `expected` are pairs of a principal and an action.
        """
        self.step("the audit trail shows every step with its principal")
        since = self.people["victor"].get(
            f"/api/v1/audit/?after={after}&sort=sequence&page_size=500"
        )
        events = self.expect(since, 200)["results"]
        for event in events:
            who = event["actor_name"]
            if event["api_key"]:
                who += f" ({event['api_key']})"
            self.show(f"#{event['sequence']:<4} {who:<22} {event['action']:<28} {_about(event)}")
        lacking = set(expected) - {(event["actor_name"], event["action"]) for event in events}
        if lacking:
            raise Failed(f"the trail lacks {sorted(lacking)}")
        self.step(f"and it was not edited: {command('audit_verify')}")
        manage = Path(__file__).resolve().parents[2] / "manage.py"
        done = subprocess.run(  # noqa: S603 - our own command
            python(str(manage), "audit_verify"), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Failed(f"audit_verify: {done.stdout}{done.stderr}")
        self.show(done.stdout)

    def close(self) -> None:
        """Forget what the walk kept."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _nothing(evidence: str) -> None:
    """Show none of it."""


def _about(event: dict[str, Any]) -> str:
    data = event["data"]
    why = data.get("code") or data.get("note") or data.get("reason") or data.get("after") or ""
    return f"{event['subject_name']} {why}".strip()
