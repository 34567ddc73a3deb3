"""The nginx.conf that we ship, in a real nginx, with other ports and folders."""

import os
import subprocess
from contextlib import contextmanager

from certctl.demo.nginx_conf import Ports, arguments, config
from tests import servers
from tests.ca import two_tiers


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
    text = config(
        host="127.0.0.1",
        upstream=f"127.0.0.1:{upstream}",
        ports=Ports(plain=plain, people=tls, devices=devices),
    )
    text = text.replace("/dev/stdout", "off").replace("/dev/stderr", "error.log")
    (folder / "nginx.conf").write_text(text)
    command = arguments(nginx_binary, folder, errors=folder / "error.log")
    checked = subprocess.run([*command, "-t"], check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    with servers.process(
        command,
        owner=servers.Account(os.geteuid(), os.getegid()),
        log=folder / "output.log",
        ready=lambda: servers.listens(plain),
    ):
        yield plain, tls, devices
