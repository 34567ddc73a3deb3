"""The foreign programs, from Debian 12's own packages."""

import os
import shutil
import subprocess
from pathlib import Path

# What each package brings that is run here.
PROGRAMS = {
    "strongswan-pki": ("pki",),
    "libstrongswan-extra-plugins": ("/usr/lib/ipsec/plugins/libstrongswan-curl.so",),
    "certmonger": ("/usr/lib/certmonger/scep-submit", "/usr/sbin/certmonger", "getcert"),
    "curl": ("curl",),
    "openssl": ("openssl",),
    "dbus": ("dbus-daemon",),
    "gnutls-bin": ("ocsptool",),
    "libnss3-tools": ("certutil", "vfychain"),
    "apache2-bin": ("apache2",),  # without the package that starts it
    "default-jdk-headless": ("java", "javac"),
}
# A container's PATH may lack the folders of the system's own programs.
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
SECONDS = 300


class NoPackage(Exception):
    """A foreign program is not here and cannot be brought."""


def bring() -> dict[str, str]:
    """Install what is missing; return the version of each package. Raises NoPackage."""
    missing = [package for package in PROGRAMS if _lacks(package)]
    if missing:
        _install(missing)
        still = [package for package in missing if _lacks(package)]
        if still:
            raise NoPackage(f"After its installation there is still no {', '.join(still)}.")
    return {package: _version(package) for package in PROGRAMS}


def _lacks(package: str) -> bool:
    return any(
        not (Path(one).exists() if one.startswith("/") else shutil.which(one, path=PATH))
        for one in PROGRAMS[package]
    )


def _install(packages: list[str]) -> None:
    wanted = ", ".join(packages)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NoPackage(
            f"There is no {wanted} here. `make interop` installs it as root on Debian 12: run it "
            f"there, or bring it yourself (apt-get install {' '.join(packages)})."
        )
    print(f"interop: installing {wanted}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ("apt-get", "update", "-qq"),
        ("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages),
    ):
        ended = subprocess.run(
            command, check=False, env=environment, capture_output=True, text=True, timeout=SECONDS
        )
        if ended.returncode and "install" in command:
            raise NoPackage(f"{wanted} could not be installed: {ended.stderr.strip()[-2000:]}")


def _version(package: str) -> str:
    shown = subprocess.run(
        ("dpkg-query", "--show", "--showformat=${Version}", package),
        check=False,
        capture_output=True,
        text=True,
    )
    return shown.stdout.strip() or "not of Debian"
