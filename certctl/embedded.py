"""The embedded default's own set-up, before Django's settings can be read: no Django here."""

import argparse
import base64
import os
import secrets
import shlex
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
ENV_FILE = "certctl.env"
VAR_DIR = "CERTCTL_VAR_DIR"
PKI_BASE_URL = "CERTCTL_PKI_BASE_URL"
# Where to listen on every address, and where such a server is reached from this machine.
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - to be told from the others


def var_dir(base: Path) -> Path:
    """Return the folder of everything that the installation writes."""
    return Path(os.environ.get(VAR_DIR, str(base / "var"))).absolute()


def prepare(base: Path, arguments: Sequence[str]) -> list[str]:
    """Make ready what `manage.py serve` and `manage.py demo` need before the settings load.

    Returns the arguments to go on with: for `--port 0` with a port that is free, since it is signed
    into every certificate.
    """
    folder = var_dir(base)
    if VAR_DIR in os.environ:
        os.environ[VAR_DIR] = str(folder)  # what we start stands in another folder
    # Database, logs and broker are their owner's alone, in this process and in all that it starts.
    os.umask(0o077)
    file = ensure_env(folder)
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--enroll", action="store_true")
    try:
        options, _ = parser.parse_known_args(arguments[1:])
    except SystemExit:
        return [*arguments]  # The command's own parser says it better.
    chosen = [] if options.port else _free_port(options.host)
    if chosen:
        options.port = chosen[0]
    if PKI_BASE_URL not in os.environ and options.host not in EVERYWHERE:
        os.environ[PKI_BASE_URL] = url_of(options.host, options.port)
        # For manage.py in another terminal: a CA made there must point to where we listen.
        remember(file, PKI_BASE_URL, os.environ[PKI_BASE_URL])
    if list(arguments[:1]) == ["demo"]:
        _default("CERTCTL_DEMO", "true")
        _default("CERTCTL_TARGET_ROOTS", str(folder / "demo"))
        _default("CERTCTL_ALLOW_LOOPBACK_TARGETS", "true")
        # Short, so that what a killed worker held is soon another's.
        _default("CERTCTL_JOB_LEASE_SECONDS", "30")
        if options.enroll:
            # The front asks from this machine. So may any of its users, who could as well read
            # what is on it: a demo's front is no stranger's.
            _default("CERTCTL_TLS_FRONTS", ",".join(_addresses(options.host)))
            _default("CERTCTL_TRUSTED_PROXIES", "1")
    # The last one counts.
    return [*arguments, *(f"--port={port}" for port in chosen)]


def ensure_env(folder: Path) -> Path:
    """Make `folder` with fresh secrets in certctl.env (0600), unless it is there already.

    Whatever of the environment is set wins over the file, so production never needs it.
    """
    for name in ("", "broker", "broker-control", "logs", "static"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / ENV_FILE
    if not file.exists():
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        write_private(
            file,
            f"SECRET_KEY={secrets.token_urlsafe(50)}\nCERTCTL_KEY_ENCRYPTION_KEYS={key}\n",
        )
    return file


def url_of(host: str, port: int) -> str:
    """Return the http URL of a host, an IPv6 address in brackets."""
    return f"http://{bracketed(host)}:{port}"


def bracketed(host: str) -> str:
    """Return a host as it stands before a port: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def remember(file: Path, name: str, value: str) -> None:
    """Set one line of `file`, which keeps the others."""
    lines = file.read_text().splitlines()
    kept = [line for line in lines if not line.startswith(f"{name}=")]
    wanted = [*kept, f"{name}={value}"]
    if wanted != lines:
        write_private(file, "\n".join(wanted) + "\n")


def write_private(file: Path, text: str) -> None:
    """Write `file` at once and readable by its owner alone."""
    aside = file.with_name(file.name + ".new")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    aside.replace(file)


def python(*arguments: str) -> list[str]:
    """Return the argument list that runs this same Python."""
    return [sys.executable, *arguments]


def command(*arguments: str) -> str:
    """Return what to type in this folder, in another terminal too, to run a command of ours.

    With the same Python and, where the environment names one, the same folder of data.
    """
    words = [_as_typed(Path(sys.executable)), _as_typed(BASE / "manage.py"), *arguments]
    line = shlex.join(words)
    folder = os.environ.get(VAR_DIR)
    return f"{VAR_DIR}={shlex.quote(str(Path(folder).absolute()))} {line}" if folder else line


def _free_port(host: str) -> list[int]:
    """Return a port of `host` that nobody listens on; none where nobody can listen there."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.bind((host, 0))
            return [int(probe.getsockname()[1])]
    except OSError:
        return []


def _addresses(host: str) -> list[str]:
    """Return from where a server on `host` is asked by what runs beside it."""
    try:
        rows = socket.getaddrinfo(EVERYWHERE.get(host, host), None)
    except OSError:
        return []  # it cannot be listened on either, which is said later
    return sorted({str(row[4][0]) for row in rows})


def _as_typed(path: Path) -> str:
    # Not resolved: .venv/bin/python is a link, and is what knows our packages.
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path.absolute())


def _default(name: str, value: str) -> None:
    os.environ.setdefault(name, value)
