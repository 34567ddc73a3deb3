"""Take the pictures for the documentation: start a demo, walk it, look at it as bob does.

    python -m tools.screenshots [--out docs/images]

The demo runs in a folder of its own and is gone afterwards.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize, sync_playwright

from certctl.demo.client import Client
from certctl.demo.walk import make_csr
from tools import browser

ROOT = Path(__file__).resolve().parent.parent
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1360, "height": 900}
WAITING = ("api.demo.internal", "mail.demo.internal", "login.demo.internal")
PATIENCE = 120.0  # seconds for the demo to walk to its end


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for_walk(log: Path) -> None:
    """Wait until the demo says that it is up."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if "certctl is up" in log.read_text():
            return
        time.sleep(0.5)
    raise SystemExit(f"The demo did not come up:\n{log.read_text()}")


def ask_for_more(told: dict[str, Any]) -> None:
    """Have alice ask for some certificates, so that something waits for bob."""
    alice = Client(told["base_url"], "alice", told["alice"]["api_key"])
    for name in WAITING:
        csr, _ = make_csr(name)
        answer = alice.post(
            "/api/v1/certificates/",
            {
                "name": name,
                "csr": csr,
                "issuer": told["issuer"],
                "profile": "tls-server",
                "owner": "Web platform",
                "renewal_policy": "standard",
            },
        )
        if answer.status != 201:  # noqa: PLR2004
            raise SystemExit(f"{name}: {answer.body}")


def log_in(page: Page, told: dict[str, Any], name: str) -> None:
    """Log in to the admin as a person would."""
    page.goto(f"{told['base_url']}/admin/login/")
    page.fill("input[name=username]", told[name]["username"])
    page.fill("input[name=password]", told[name]["password"])
    page.click("button[type=submit]")
    page.wait_for_selector(".cc-dashboard")


def picture(page: Page, out: Path, name: str, *, whole: bool = False) -> None:
    """Save what the page shows."""
    page.wait_for_load_state("networkidle")
    page.screenshot(path=str(out / f"{name}.png"), full_page=whole)
    print(out / f"{name}.png", flush=True)


def take(told: dict[str, Any], out: Path) -> None:
    """Take every picture."""
    base = told["base_url"]
    chromium = browser.bring()  # before playwright starts: it looks with one of its own
    with sync_playwright() as playwright:
        shown = playwright.chromium.launch(executable_path=str(chromium), args=list(browser.FLAGS))
        page = shown.new_page(viewport=DESK)
        log_in(page, told, "bob")
        picture(page, out, "dashboard")
        page.goto(f"{base}/admin/jobs/job/?status__exact=AwaitingApproval")
        picture(page, out, "jobs")
        page.click("#result_list tbody tr:first-child th a, #result_list tbody tr:first-child a")
        picture(page, out, "job")
        page.goto(f"{base}/admin/jobs/inbox/")
        picture(page, out, "inbox")
        page.locator("a[href$='/decide/']").first.click()
        page.wait_for_selector("[data-decide]")
        decision = page.url
        picture(page, out, "approval")
        page.goto(f"{base}/admin/certificates/certificate/?q=web.demo.internal")
        page.click("#result_list tbody tr:first-child th a, #result_list tbody tr:first-child a")
        picture(page, out, "certificate", whole=True)
        for path, name in (
            ("certificates/certificate/", "certificates"),
            ("audit/event/", "audit"),
            ("issuers/profile/", "profiles"),
        ):
            page.goto(f"{base}/admin/{path}")
            picture(page, out, name)
        page.set_viewport_size(PHONE)
        page.goto(f"{base}/admin/")
        picture(page, out, "dashboard-phone")
        page.goto(f"{base}/admin/jobs/inbox/")
        picture(page, out, "inbox-phone")
        page.goto(decision)
        page.wait_for_selector("[data-decide]")
        picture(page, out, "approval-phone")
        shown.close()


def main() -> None:
    """Start the demo, take the pictures, end the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="certctl-pictures-") as folder:
        log = Path(folder, "demo.log")
        environment = {**os.environ, "CERTCTL_VAR_DIR": folder}
        environment.pop("SECRET_KEY", None)
        with log.open("wb") as output:
            demo = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "demo", "--port", str(free_port())],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
            )
        try:
            wait_for_walk(log)
            told = json.loads(Path(folder, "demo.json").read_text())
            ask_for_more(told)
            take(told, out)
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(30)


if __name__ == "__main__":
    main()
