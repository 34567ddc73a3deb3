"""What people, programs and relying parties do meanwhile; every answer is counted."""

import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.soak.prepare import TARGETS
from tools.soak.requests import make_csr

PAUSE_SECONDS = 0.05


@dataclass
class Load:
    """Threads that ask until they are told to stop."""

    base_url: str
    folder: Path
    answers: Counter[str] = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        known = json.loads((self.folder / "demo.json").read_text())
        self.keys = {name: known[name]["api_key"] for name in ("alice", "bob", "carol", "victor")}
        self.number = 0
        self.lock = threading.Lock()
        self.certificates: list[str] = []
        self.places: dict[int, str] = {}

    def threads(self) -> list[threading.Thread]:
        """Return one thread for each kind of caller."""
        doers: list[Callable[[], None]] = [
            *(self.ask, self.ask_for_approval, self.renew, self.decide, self.deploy, self.revoke),
            *(self.read, self.read_crl, self.read_ocsp),
        ]
        return [threading.Thread(target=self._repeat, args=(one,), daemon=True) for one in doers]

    def _repeat(self, once: Callable[[], None]) -> None:
        while not self.stop.is_set():
            try:
                once()
            # A server that was killed ends its answer in the middle.
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._count(f"{once.__name__}: {type(error).__name__}")
                time.sleep(0.5)
            time.sleep(PAUSE_SECONDS)

    # --- What is asked ----------------------------------------------------------------------

    def ask(self) -> None:
        """Have a certificate issued without approval."""
        # The first ones have a place each: two certificates at one path would overwrite each other.
        with self.lock:
            place = len(self.places)
            if place < TARGETS:
                self.places[place] = ""
        certificate = self._request("soak", [f"host-{place}"] if place < TARGETS else [])
        with self.lock:
            if place >= TARGETS:
                self.certificates += [certificate] if certificate else []
            elif certificate:
                self.places[place] = certificate
            else:
                del self.places[place]

    def ask_for_approval(self) -> None:
        """Ask for one that must be approved."""
        self._request("tls-server", [])
        time.sleep(0.3)

    def renew(self) -> None:
        """Renew one of those that there are."""
        known = [*self.certificates, *filter(None, self.places.copy().values())]
        if known:
            chosen = random.choice(known)
            self._call("renew", "alice", "POST", f"/api/v1/certificates/{chosen}/renew/", {})
        time.sleep(0.2)

    def decide(self) -> None:
        """Approve or reject what waits."""
        status, body = self._call(
            "list waiting", "bob", "GET", "/api/v1/jobs/?status=AwaitingApproval&page_size=5"
        )
        for job in body["results"] if status == 200 else []:  # noqa: PLR2004
            verb = random.choice(["approve", "approve", "reject"])
            data = {"reason": "soak"}
            if verb == "approve":
                _, review = self._call("review", "bob", "GET", f"/api/v1/jobs/{job['id']}/review/")
                data["digest"] = review.get("digest", "")
            self._call(verb, "bob", "POST", f"/api/v1/jobs/{job['id']}/{verb}/", data)
        time.sleep(0.5)

    def deploy(self) -> None:
        """Deploy one again where it belongs."""
        placed = [(place, one) for place, one in self.places.copy().items() if one]
        if placed:
            place, chosen = random.choice(placed)
            path = f"/api/v1/certificates/{chosen}/deploy/"
            self._call("deploy", "alice", "POST", path, {"target": f"host-{place}"})
        time.sleep(0.2)

    def revoke(self) -> None:
        """Revoke one of those that there are."""
        time.sleep(1)
        if len(self.certificates) > 10:  # noqa: PLR2004
            with self.lock:
                chosen = self.certificates.pop(random.randrange(len(self.certificates)))
            status, _ = self._call(
                "revoke",
                "carol",
                "POST",
                f"/api/v1/certificates/{chosen}/revoke/",
                {"reason": "superseded"},
            )
            if status in {200, 201}:
                self.revoked.append(chosen)

    def read(self) -> None:
        """Read lists."""
        self._call("list certificates", "victor", "GET", "/api/v1/certificates/?page_size=20")
        self._call("list audit", "victor", "GET", "/api/v1/audit/?page_size=20")

    def read_crl(self) -> None:
        """Fetch a CRL."""
        self._fetch("crl", "/.well-known/pki/crl/demo-issuing")

    def read_ocsp(self) -> None:
        """Ask about a serial that may exist."""
        self._fetch("ocsp", f"/.well-known/pki/ocsp/demo-issuing/{random.randrange(1 << 64):x}")

    # --- How --------------------------------------------------------------------------------

    def _request(self, profile: str, targets: list[str]) -> str:
        with self.lock:
            self.number += 1
            name = f"s{self.number}.demo.internal"
        status, body = self._call(
            f"request {profile}",
            "alice",
            "POST",
            "/api/v1/certificates/",
            {
                "csr": make_csr(name),
                "issuer": "demo-issuing",
                "profile": profile,
                "owner": "Web platform",
                "renewal_policy": "standard",
                "targets": targets,
            },
        )
        if status == 201:  # noqa: PLR2004
            self.accepted.append(body["id"])
            return str(body["certificate"])
        return ""

    def _call(
        self, name: str, who: str, method: str, path: str, body: Any = None
    ) -> tuple[int, Any]:
        headers = {
            "Authorization": f"Bearer {self.keys[who]}",
            "Content-Type": "application/json",
        }
        data = None if body is None else json.dumps(body).encode()
        status, answer = self._send(method, path, data, headers)
        self._count(f"{name}: {status}")
        try:
            return status, json.loads(answer)
        except ValueError:
            self._count(f"{name}: {status} is no JSON")
            return status, {}

    def _fetch(self, name: str, path: str) -> None:
        status, _ = self._send("GET", path, None, {})
        self._count(f"{name}: {status}")

    def _send(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        request = urllib.request.Request(  # noqa: S310 - our own http URL
            self.base_url + path, data=data, headers=headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def _count(self, what: str) -> None:
        with self.lock:
            self.answers[what] += 1
