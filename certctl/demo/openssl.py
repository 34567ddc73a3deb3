"""The judge of what we sign: openssl, which the walk and the tests ask."""

import os
import shutil
import subprocess

MISSING = "openssl is not installed. On Debian or Ubuntu, as root: apt-get install openssl"


def bring() -> bool:
    """Whether there is an openssl; as root on Debian, install it where there is none."""
    if shutil.which("openssl"):
        return True
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print("installing openssl", flush=True)  # noqa: T201 - said to whoever waits at the terminal
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ("apt-get", "update", "-qq"),
        ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "openssl"),
    ):
        subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - an argument list of our own
    return shutil.which("openssl") is not None
