"""CRLs and CA certificates as files, for a web server that answers while we are away.

The names are those of the addresses (`crl/issuing`, `ca/issuing`), so a plain web server can serve
the folder under the prefix that certificates carry. Where `crl/issuing` is a file, the shards and
the delta, whose addresses are below it, lie beside it, as `crl-parts/issuing/7`. A file
appears whole or not at all, and only what is in force is there: a CRL that has ended is taken away
as soon as we can see that.

Whether a file is what it should be is told by its size and its SHA-256, which stand in the row: a
CRL's bytes are read from the database where they are to be written, and nowhere else.
"""

import hashlib
import logging
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings

from certificates import crl
from certificates.models import CRL, CRLPart
from foundation.clock import database_clock
from issuers.models import Issuer

logger = logging.getLogger(__name__)

# So are files called that are being written; whatever else is in the folder is not ours.
UNFINISHED = ".certctl-"
PARTS = "crl-parts"
_SCOPE = re.compile(rf"0|[1-9][0-9]*|{CRLPart.DELTA}")
FILE_MODE, FOLDER_MODE = 0o644, 0o755  # another account's web server reads them


@dataclass
class Written:
    """What an export came to: names under the folder; `failed` with why."""

    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: int = 0
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Published:
    """One file: what it holds by size and SHA-256, dated as its bytes are, and how to read those.

    None as `read` where nothing may be there.
    """

    name: str
    read: Callable[[], bytes] | None = None
    size: int = 0
    digest: str = ""
    dated: datetime | None = None


def refresh() -> Written | None:
    """Export into CERTCTL_PKI_EXPORT_DIR; None where that is not set."""
    return export(Path(settings.PKI_EXPORT_DIR)) if settings.PKI_EXPORT_DIR else None


def export(folder: Path, *, now: datetime | None = None) -> Written:
    """Bring the files in `folder` up to what is published at `now`.

    One that cannot be written keeps no other from it; the result says why.
    """
    written = Written()
    now = now or database_clock.now()
    for issuer in Issuer.objects.exclude(certificate_pem="").order_by("slug"):
        for one in [*_published(issuer, now), *_withdrawn(folder, issuer)]:
            try:
                _bring(folder / one.name, one, written)
            except OSError as error:
                logger.exception("%s could not be written", folder / one.name)
                written.failed[one.name] = error.strerror or str(error)
    return written


def _published(issuer: Issuer, now: datetime) -> Iterator[Published]:
    assert issuer.certificate is not None  # noqa: S101 - those without are left out
    der = issuer.certificate.public_bytes(Encoding.DER)
    yield Published(
        f"ca/{issuer.slug}",
        lambda: der,
        len(der),
        hashlib.sha256(der).hexdigest(),
        issuer.certificate.not_valid_before_utc,
    )
    newest = crl.current(issuer.slug)
    if newest is None:
        return
    yield _of_row(f"crl/{issuer.slug}", newest, newest, now)
    for part in newest.parts.order_by("pk"):
        yield _of_row(f"{PARTS}/{issuer.slug}/{part.scope}", part, newest, now)


def _of_row(name: str, row: CRL | CRLPart, newest: CRL, now: datetime) -> Published:
    is_in_force = newest.next_update > now
    if not is_in_force:
        return Published(name)
    return Published(name, lambda: row.der, row.size, row.etag, newest.this_update)


def _withdrawn(folder: Path, issuer: Issuer) -> Iterator[Published]:
    """Find the files of parts that the newest CRL has no more: a delta to what was, say."""
    newest = crl.current(issuer.slug)
    scopes = set(newest.parts.values_list("scope", flat=True)) if newest else set()
    for path in (folder / PARTS / issuer.slug).glob("*"):
        if _SCOPE.fullmatch(path.name) and path.name not in scopes:
            yield Published(f"{PARTS}/{issuer.slug}/{path.name}")


def _bring(path: Path, one: Published, written: Written) -> None:
    if one.read is None:
        if path.exists():
            path.unlink()
            written.removed.append(one.name)
        return
    dated = int(one.dated.timestamp()) if one.dated else None
    if _is_there(path, one, dated):
        written.kept += 1
        return
    content = one.read()
    if len(content) != one.size:
        return  # taken away since its row was read: the next sweep knows what took its place
    _write(path, content, dated)
    written.changed.append(one.name)


def _is_there(path: Path, one: Published, dated: int | None) -> bool:
    try:
        stat_now = path.stat()
        if (
            int(stat_now.st_mtime) != dated
            or stat.S_IMODE(stat_now.st_mode) != FILE_MODE
            or stat_now.st_size != one.size
        ):
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == one.digest
    except FileNotFoundError:
        return False


def _write(path: Path, content: bytes, dated: int | None) -> None:
    """Write a file at once: whoever reads it meanwhile gets the old one or the new one, whole."""
    for folder in reversed((path.parent, *path.parent.parents)):
        if not folder.exists():
            folder.mkdir(exist_ok=True)
            folder.chmod(FOLDER_MODE)  # whatever our umask is
    with NamedTemporaryFile(dir=path.parent, prefix=UNFINISHED, delete=False) as unfinished:
        aside = Path(unfinished.name)
        try:
            unfinished.write(content)
            unfinished.flush()
            aside.chmod(FILE_MODE)
            if dated is not None:
                # Last-Modified is thisUpdate, as ours is.
                os.utime(unfinished.fileno(), (dated, dated))
            os.fsync(unfinished.fileno())
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    # The new name, too, must be there after a power cut.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
