"""The nginx.conf that we ship, in a real nginx, with other ports and folders."""

import os
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path

from tests import servers
from tests.ca import two_tiers

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def shipped_nginx(nginx_binary, folder, upstream):
    """Run it before the port `upstream`; gives its ports: plain, TLS, and TLS for devices.

    Its own CA is `ca.pem` in the folder; it is called certctl.test, or localhost.
    """
    ca = two_tiers()
    certified = ca.certify("certctl.test", "localhost")
    (folder / "tls.crt").write_text(certified.served_pem)
    (folder / "ca.pem").write_text(certified.chain_pem)
    (folder / "tls.key").write_bytes(certified.key_pem)
    plain, tls, devices = (servers.free_port() for _ in range(3))
    shipped = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text()
    text = re.sub(r" +listen \[::\].*\n", "", shipped)  # not every test machine has IPv6
    for old, new in {
        " /tmp/": f" {folder}/",
        "listen 80 ": f"listen 127.0.0.1:{plain} ",
        "listen 443 ": f"listen 127.0.0.1:{tls} ",
        "listen 8443 ": f"listen 127.0.0.1:{devices} ",
        "server web:8000": f"server 127.0.0.1:{upstream}",
        "/etc/nginx/tls/": f"{folder}/",
        "/dev/stdout": "off",
        "/dev/stderr": f"{folder}/error.log",
    }.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "nginx.conf").write_text(text)
    command = [nginx_binary, "-p", folder, "-c", folder / "nginx.conf"]
    command += ["-e", folder / "error.log", "-g"]
    # As root, nginx would give its workers to an account that this machine may not have.
    globals_ = "user root;" if os.geteuid() == 0 else ""
    checked = subprocess.run(
        [*command, globals_, "-t"], check=False, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    with servers.process(
        [*command, f"{globals_} daemon off;"],
        owner=servers.Account(os.geteuid(), os.getegid()),
        log=folder / "output.log",
        ready=lambda: servers.listens(plain),
    ):
        yield plain, tls, devices
