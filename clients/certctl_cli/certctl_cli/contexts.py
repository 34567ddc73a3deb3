"""Which server, as whom: contexts, kept in one file that its owner alone can read.

The environment goes before the file, and needs none: CERTCTL_URL, CERTCTL_API_KEY, CERTCTL_CA_FILE;
CERTCTL_CONTEXT names the context, CERTCTL_CONFIG the file.
"""

import json
import os
import stat
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from certctl_cli import files
from certctl_cli.errors import Stop
from certctl_cli.exits import Exit

LOCAL = {"127.0.0.1", "localhost", "::1"}
DEFAULTS = ("environment", "issuer", "owner", "profile", "renewal_policy", "team")


@dataclass(frozen=True, slots=True)
class Context:
    """A server's address, the key that opens it, whom to trust, and what is usual there.

    `ca_pem` are certificates in PEM that the server's chain must lead to; "": those of the machine.
    `defaults` are values of `certctl request` that need not be said each time, of DEFAULTS.
    """

    name: str
    url: str
    api_key: str = field(repr=False)
    ca_pem: str = ""
    defaults: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the file holds: the contexts by name, and which of them is meant where none is said."""

    contexts: dict[str, Context]
    current: str = ""


def place() -> Path:
    """Return where the file is, or would be."""
    if named := os.environ.get("CERTCTL_CONFIG"):
        return Path(named)
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "certctl" / "config.json"


def address(url: str) -> SplitResult:
    """Return a server's address in its parts. Raises Stop where no key may be sent there.

    That is what is no address of a server, what holds a password (it would stand in every message,
    and in place of the key), and another machine without TLS.
    """
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or 443) > 0
    except ValueError:  # brackets that do not close, a port beyond 65535
        known = False
    if not known:
        raise Stop(f"{url} is no address of a server.", Exit.USAGE)
    if "@" in parts.netloc:
        raise Stop(
            "Neither a name nor a password stands in the address.",
            Exit.USAGE,
            hint=f"Try: certctl login {parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        )
    if parts.scheme == "http" and parts.hostname not in LOCAL:
        raise Stop(
            "An API key is not sent without TLS, but to this machine itself.",
            Exit.USAGE,
            hint=f"Try: certctl login https://{parts.netloc}",
        )
    return parts


def load() -> Kept:
    """Read the file; one that is not there holds nothing. Raises Stop for one that is broken."""
    path = place()
    try:
        content = path.read_text()
    except FileNotFoundError:
        return Kept({})
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(f"{path} cannot be read.") from error
    try:
        read: dict[str, Any] = json.loads(content)
        contexts = {name: Context(name=name, **one) for name, one in read["contexts"].items()}
        return Kept(contexts, read["current"])
    except (ValueError, KeyError, TypeError, AttributeError):
        # No cause: a traceback could quote a key.
        raise Stop(
            f"{path} is not what certctl wrote there.", hint="Move it away, then: certctl login"
        ) from None


def save(kept: Kept) -> None:
    """Write the file, mode 0600, in a folder of the same person's."""
    path = place()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Stop(f"{path.parent} cannot be made: {error.strerror}.") from error
    contexts = {
        name: {key: value for key, value in asdict(one).items() if key != "name"}
        for name, one in kept.contexts.items()
    }
    content = json.dumps({"current": kept.current, "contexts": contexts}, indent=2)
    files.write(path, content.encode() + b"\n", private=True, replace=True)


def open_to_others() -> bool:
    """Whether others than its owner may read the file."""
    try:
        return bool(stat.S_IMODE(place().stat().st_mode) & 0o077)
    except OSError:
        return False


def of_somebody_else() -> bool:
    """Whether the file is another person's, who then says which server gets the keys."""
    try:
        return place().stat().st_uid != os.geteuid()
    except OSError:
        return False


def chosen(name: str | None) -> Context:
    """Return the context of that name, or the one meant where None is said.

    Raises Stop where there is none, or where its file can be read by others.
    """
    if not name and (url := os.environ.get("CERTCTL_URL")):
        key = os.environ.get("CERTCTL_API_KEY", "")
        if not key:
            raise Stop("CERTCTL_URL is set, but CERTCTL_API_KEY is not.", Exit.USAGE)
        return Context("environment", url, key, _ca_of_environment())
    kept = load()
    name = name or os.environ.get("CERTCTL_CONTEXT") or kept.current
    if not kept.contexts:
        raise Stop("You are not logged in.", Exit.USAGE, hint="Try: certctl login https://…")
    if name not in kept.contexts:
        raise Stop(
            f"There is no context {name!r}.",
            Exit.USAGE,
            hint=f"There are: {', '.join(sorted(kept.contexts))}.",
        )
    if open_to_others():
        raise Stop(
            f"{place()} can be read by others: the keys in it must be taken as known.",
            Exit.REFUSED,
            hint=f"Disable them, then: chmod 600 {place()}",
        )
    if of_somebody_else():
        raise Stop(
            f"{place()} belongs to somebody else, who could have the keys sent elsewhere.",
            Exit.REFUSED,
            hint="Move it away and log in anew, or name your own file in CERTCTL_CONFIG.",
        )
    context = kept.contexts[name]
    # A key of the environment is another principal on the same server.
    if key := os.environ.get("CERTCTL_API_KEY", ""):
        context = replace(context, api_key=key)
    return context


def _ca_of_environment() -> str:
    path = os.environ.get("CERTCTL_CA_FILE", "")
    return files.read(Path(path)).decode(errors="replace") if path else ""
