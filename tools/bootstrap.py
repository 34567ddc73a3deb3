"""Make .venv with the locked packages; a second call finds nothing to do and ends at once.

Only the standard library: this runs before anything is installed. It works with any Python from
3.11 on, as root and as an ordinary user, in any folder. No index is named here: pip and uv use
the one that the machine is set up with.
"""

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements"
SETS = ("runtime", "front", "dev")  # each holds those before it


class Failure(Exception):
    """Something that the person at the keyboard has to put right."""


def fingerprint(name: str) -> str:
    """What the stamp of a set must say: the locked packages, the Python, and the place.

    The place counts because a virtual environment's scripts carry its absolute path: a copied
    tree needs a new one.
    """
    digest = hashlib.sha256()
    digest.update((REQUIREMENTS / f"{name}.txt").read_bytes())
    digest.update(str(VENV).encode())
    return digest.hexdigest()


def stamp(name: str) -> Path:
    """Where a finished installation of the set is noted."""
    return VENV / f".installed-{name}"


def is_current(name: str) -> bool:
    """Whether the set, or one that holds it, is installed as locked."""
    if not PYTHON.exists():  # also when the Python that it links to is gone
        return False
    for candidate in SETS[SETS.index(name) :]:
        try:
            if stamp(candidate).read_text() == fingerprint(candidate):
                return True
        except OSError:
            continue
    return False


def run(*command: str | Path) -> None:
    """Run a program with its output on our terminal; raise if it fails."""
    environment = {k: v for k, v in os.environ.items() if k not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    # A company's own CA is known to the machine, where uv would look only into its own list.
    environment.setdefault("UV_SYSTEM_CERTS", "true")
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT, env=environment)


def ensure_ensurepip() -> None:
    """Debian ships Python without venv's other half; say so, or as root bring it."""
    probe = [sys.executable, "-c", "import ensurepip, venv"]
    if subprocess.run(probe, check=False, capture_output=True).returncode == 0:
        return
    package = f"python3.{sys.version_info.minor}-venv"
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"bootstrap: installing {package}", flush=True)
        try:
            run("apt-get", "update", "-qq")
            run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq", package)
        except subprocess.CalledProcessError as error:
            raise Failure(f"apt-get could not install {package}: {error}") from error
        return
    raise Failure(
        f"{sys.executable} cannot make virtual environments: its module ensurepip is missing.\n"
        f"On Debian or Ubuntu, as root: apt-get install {package}"
    )


def make_venv(uv: str | None) -> None:
    """Make an empty environment in place of whatever is there."""
    shutil.rmtree(VENV, ignore_errors=True)
    if uv:
        run(uv, "venv", "--quiet", "--python", sys.executable, VENV)
    else:
        ensure_ensurepip()
        run(sys.executable, "-m", "venv", VENV)


def pip(*arguments: str | Path) -> None:
    """Install by pip, which an environment made by uv has to be given first."""
    if not (VENV / "bin" / "pip").exists():
        ensure_ensurepip()
        run(PYTHON, "-m", "ensurepip")
    always = ("--disable-pip-version-check", "install", "--quiet", "--require-hashes")
    run(PYTHON, "-m", "pip", *always, *arguments)


def own_uv() -> str:
    """The environment's own uv, brought by pip."""
    uv = VENV / "bin" / "uv"
    if not uv.exists():
        pip("-r", REQUIREMENTS / "bootstrap.txt")
    return str(uv)


def install(name: str) -> None:
    """Bring the environment to what the lock says."""
    requirements = REQUIREMENTS / f"{name}.txt"
    uv = shutil.which("uv")
    known = [path for path in map(stamp, SETS) if path.exists()]
    belongs_here = (VENV / ".place").exists() and (VENV / ".place").read_text() == str(VENV)
    if not (known and belongs_here and PYTHON.exists()):
        make_venv(uv)
    for path in known:
        path.unlink(missing_ok=True)  # from here to the end, the environment is in between
    (VENV / ".place").write_text(str(VENV))
    try:
        uv = uv or own_uv()
        run(uv, "pip", "sync", "--quiet", "--python", PYTHON, "--require-hashes", requirements)
    except subprocess.CalledProcessError:
        # pip reads the machine's own settings, of an index or a proxy say, where uv does not.
        print("bootstrap: uv could not do it; trying pip", flush=True)
        pip("-r", requirements)
    stamp(name).write_text(fingerprint(name))


def main() -> int:
    """Read the command line, and let only one process at a time build."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", choices=SETS)
    parser.add_argument("--check", action="store_true", help="only tell whether it is current")
    arguments = parser.parse_args()
    name: str = arguments.set
    if is_current(name):
        return 0
    if arguments.check:
        return 1
    (ROOT / "var").mkdir(exist_ok=True)
    with (ROOT / "var" / "bootstrap.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_current(name):  # another process was quicker
            return 0
        # Never take away again what somebody asked for.
        wanted = max((name, *(one for one in SETS if stamp(one).exists())), key=SETS.index)
        print(f"bootstrap: installing the {wanted} packages into .venv", flush=True)
        try:
            install(wanted)
        except Failure as failure:
            print(f"bootstrap: {failure}", file=sys.stderr)
            return 1
        except subprocess.CalledProcessError as error:
            program = Path(error.cmd[0]).name
            print(f"bootstrap: {program} failed with status {error.returncode}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
