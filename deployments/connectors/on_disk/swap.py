"""Replace the files of one target together: all of them or none, whatever happens in between.

    aside    every new file is written beside the old one, and synced
    old      every old file gets a second name
    journal  a file that names them is written: from here on, a worker that finds it rolls back
    swap     every new file takes its name (rename: readers see the old or the new, never half)
    activate the server's own test and reload; on failure everything comes back
    commit   the journal is removed: from here on, the old files are rubbish

A worker that dies leaves every file whole; the next one finds the journal and begins by rolling
back, or finds none and removes what was left over.

Where nothing was there before, nothing comes back: a server that cannot start without its files
could then never be started. What was swapped in stays, and a mark says that nobody loaded it yet.
"""

import fcntl
import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deployments.connectors.on_disk.paths import Place, open_folder
from deployments.connectors.on_disk.spot import Spot
from foundation.errors import ConnectorError

logger = logging.getLogger(__name__)

LOCK_WAIT = 60.0  # seconds
_LOCK_POLL = 0.05
_JOURNAL_SIZE = 64 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """What one file must become."""

    place: Place
    content: bytes
    mode: int
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Activation:
    """How the server is told: `run` may fail, `undo` is called when the old files are back."""

    run: Callable[[], None]
    undo: Callable[[], None]


class Swap:
    """The files of one target, locked against every other worker."""

    def __init__(self, spots: dict[Place, Spot], main: Place) -> None:
        self.spots = spots
        self._main = spots[main]
        # Beside the certificate; whoever configures the key's path anew still finds it.
        self._journal = self._beside("journal")
        self._unloaded = self._beside("unloaded")
        self._kept: set[str] = set()

    @property
    def is_unloaded(self) -> bool:
        """Whether what is there is ours, and no server has loaded it yet."""
        return self._unloaded.stat() is not None

    def recover(self, activation: Activation) -> bool:
        """Roll back what a worker left unfinished; return whether there was something."""
        kept = self._unfinished()
        if kept is not None:
            logger.warning("an unfinished deployment at %s is rolled back", self._main.place.path)
            for place, spot in self.spots.items():
                if str(place.path) in kept:
                    spot.bring_back()
            self._sync()
            if not kept:
                self._mark_unloaded()
            # The server may run with either; after this it runs with what the files say.
            activation.undo()
            self._end()
        self._tidy()
        return kept is not None

    def replace(
        self, files: Sequence[File], activation: Activation, before: Callable[[], None]
    ) -> None:
        """Put `files` in place and activate them, or leave everything as it was.

        `before` is called when all is ready and nothing changed yet.
        """
        try:
            for file in files:
                self.spots[file.place].put_aside(
                    file.content, mode=file.mode, uid=file.uid, gid=file.gid
                )
            before()
        except BaseException:
            self._tidy()
            raise
        self._begin([file.place for file in files])
        swapped: list[Place] = []
        is_first = False
        try:
            for file in files:
                swapped.append(file.place)
                self.spots[file.place].take_place()
            self._sync()
            is_first = not self._kept or self.is_unloaded
            activation.run()
            self._end()
        except BaseException as error:
            if is_first:
                self._leave()
            else:
                self._roll_back(swapped, activation, error)
            raise
        self._unloaded.remove()
        self._tidy()

    def _begin(self, places: Sequence[Place]) -> None:
        try:
            kept = [str(place.path) for place in places if self.spots[place].keep_old()]
            self._sync()
            self._write(self._journal, json.dumps(kept).encode())
        except BaseException:
            self._end()
            self._tidy()
            raise
        self._kept = set(kept)

    def _roll_back(
        self, swapped: Iterable[Place], activation: Activation, error: BaseException
    ) -> None:
        try:
            for place in swapped:
                spot = self.spots[place]
                if str(place.path) in self._kept:
                    spot.bring_back()
                else:
                    spot.remove()
            self._sync()
        except OSError as second:
            # The journal stays: the next worker tries this again.
            logger.exception("the old files at %s did not come back", self._main.place.path)
            raise ConnectorError(
                f"{error} The old files could not be brought back: {second.strerror}.",
                permanent=False,
            ) from error
        activation.undo()
        self._end()
        self._tidy()

    def _leave(self) -> None:
        """Leave what no server has loaded yet, as there is nothing older that one has."""
        try:
            self._mark_unloaded()
            self._end()
            self._tidy()
        except OSError:
            # The journal stays, and says the same to the next worker.
            logger.exception("%s could not be marked as not loaded", self._main.place.path)

    def _end(self) -> None:
        self._journal.remove()
        self._journal.sync()

    def _tidy(self) -> None:
        """Remove what a swap leaves or left behind; never while there is a journal."""
        self._journal.drop_aside()
        self._unloaded.drop_aside()
        for spot in self.spots.values():
            spot.drop_aside()
            spot.drop_old()

    def _mark_unloaded(self) -> None:
        self._write(self._unloaded, b"")

    def _write(self, spot: Spot, content: bytes) -> None:
        spot.put_aside(content, mode=0o600, uid=os.geteuid(), gid=os.getegid())
        spot.take_place()
        spot.sync()

    def _beside(self, name: str) -> Spot:
        """Return a file of our own beside the certificate."""
        main = self._main.place
        return Spot(Place(main.folder, f".{main.name}.certctl-{name}"), self._main.folder)

    def _sync(self) -> None:
        for spot in self.spots.values():
            spot.sync()

    def _unfinished(self) -> set[str] | None:
        """Return the paths whose old files were kept; None where nothing is unfinished."""
        there = self._journal.stat()
        if there is None:
            return None
        if there.st_uid != os.geteuid() or there.st_size > _JOURNAL_SIZE:
            raise ConnectorError(
                f"{self._journal.place.path} is not ours; somebody must look at it.",
                permanent=True,
            )
        try:
            paths = json.loads(self._journal.read() or b"[]")
        except ValueError:
            paths = []  # it was written whole before anything changed, so this was not us
        return set(map(str, paths)) if isinstance(paths, list) else set()


@contextmanager
def locked(places: Iterable[Place], main: Place) -> Iterator[Swap]:
    """Open and lock the files' places; `main` is the one that the journal lies beside.

    Raises OSError where a folder cannot be opened, ConnectorError where others keep the lock.
    """
    with ExitStack() as stack:
        spots: dict[Place, Spot] = {}
        ends = time.monotonic() + LOCK_WAIT
        # Always in the same order, so that two targets that share a file cannot wait in a ring.
        for place in sorted(set(places)):
            folder = open_folder(place.folder)
            stack.callback(os.close, folder)
            lock = _lock(place, folder, ends)
            stack.callback(os.close, lock)
            spots[place] = Spot(place, folder)
        yield Swap(spots, main)


def _lock(place: Place, folder: int, ends: float) -> int:
    """Take the lock file of `place`; it is never removed, or two could hold "the" lock."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(f".{place.name}.certctl-lock", flags, 0o600, dir_fd=folder)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > ends:
                    raise ConnectorError(
                        f"Another deployment is busy with {place.path}.", permanent=False
                    ) from None
                time.sleep(_LOCK_POLL)
            else:
                return descriptor
    except BaseException:
        os.close(descriptor)
        raise


def is_writable(folder: Path) -> bool:
    """Whether this process could replace files in `folder`; raises OSError if it is not there."""
    descriptor = open_folder(folder)
    try:
        return os.access(".", os.W_OK | os.X_OK, dir_fd=descriptor, effective_ids=True)
    finally:
        os.close(descriptor)


def look_at(place: Place) -> bytes | None:
    """Return what is in the file, None where there is none; without the lock, so just to look."""
    descriptor = open_folder(place.folder)
    try:
        return Spot(place, descriptor).read()
    finally:
        os.close(descriptor)


def own_ids() -> tuple[int, int]:
    """Return the user and group that new files belong to."""
    return os.geteuid(), os.getegid()
