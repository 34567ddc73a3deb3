"""One file in its folder: put a new one aside, take its place, keep the old one, bring it back.

Every call is relative to the folder's descriptor and follows no symlink.
"""

import os
import stat
from collections.abc import Callable
from contextlib import suppress

from deployments.connectors.on_disk import paths
from foundation.errors import ConnectorError

MAX_SIZE = 1024 * 1024  # bytes: far more than any chain


class Spot:
    """A file's name in an open folder. The caller holds the file's lock."""

    def __init__(self, place: paths.Place, folder: int) -> None:
        self.place = place
        self.folder = folder
        # Fixed names: under the lock there is one writer, and leftovers are found again.
        self._aside = f".{place.name}.certctl-new"
        self._old = f".{place.name}.certctl-old"

    def stat(self) -> os.stat_result | None:
        """Return what is there, None where nothing is; refuses all but regular files."""
        try:
            found = os.stat(self.place.name, dir_fd=self.folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(found.st_mode):
            raise ConnectorError(f"{self.place.path} is not a regular file.", permanent=True)
        return found

    def read(self) -> bytes | None:
        """Return the contents, None where there is no file."""
        if self.stat() is None:
            return None
        return self._read(self.place.name)

    def put_aside(self, content: bytes, *, mode: int, uid: int, gid: int) -> None:
        """Write the new file beside the old one, as whole and as durable as it will be."""
        self.drop_aside()  # of a worker that died
        self._write(self._aside, content, mode, uid, gid)

    def drop_aside(self) -> None:
        """Remove the file that was put aside, if there is one."""
        self._remove(self._aside)

    def keep_old(self) -> bool:
        """Keep what is there under a second name; False where nothing is."""
        self.drop_old()
        there = self.stat()
        if there is None:
            return False
        try:
            # The same file, so ownership, mode and everything else come back with it.
            os.link(
                self.place.name,
                self._old,
                src_dir_fd=self.folder,
                dst_dir_fd=self.folder,
                follow_symlinks=False,
            )
        except OSError:
            # No hard links here, or not to a file of somebody else.
            content = self._read(self.place.name)
            mode = stat.S_IMODE(there.st_mode)
            self._write(self._old, content, mode, there.st_uid, there.st_gid)
        return True

    def take_place(self) -> None:
        """Let the file that was put aside take the name: at once, for every reader."""
        self._rename(self._aside, self.place.name)

    def bring_back(self) -> None:
        """Give the name back to the old file, where it was kept."""
        # Where both are names of one file still, rename() leaves both: `drop_old` comes later.
        with suppress(FileNotFoundError):
            self._rename(self._old, self.place.name)

    def drop_old(self) -> None:
        """Remove the second name of the old file, if there is one."""
        self._remove(self._old)

    def remove(self) -> None:
        """Remove the file itself."""
        self._remove(self.place.name)

    def sync(self) -> None:
        """Make what was renamed and removed in the folder durable."""
        os.fsync(self.folder)

    def _read(self, name: str) -> bytes:
        # O_NONBLOCK: should it be a pipe by now, open() must not wait for its writer.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open(name, "rb", opener=self._opener(flags)) as file:
            content = file.read(MAX_SIZE + 1)
        if len(content) > MAX_SIZE:
            raise ConnectorError(f"{self.place.path} is too large.", permanent=True)
        return content

    def _write(self, name: str, content: bytes, mode: int, uid: int, gid: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with open(name, "wb", opener=self._opener(flags)) as file:
                made = os.fstat(file.fileno())
                if (made.st_uid, made.st_gid) != (uid, gid):
                    os.fchown(file.fileno(), uid, gid)
                # Nobody else could open it until here, and its mode is not the umask's to say.
                os.fchmod(file.fileno(), mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            self._remove(name)
            raise

    def _opener(self, flags: int) -> Callable[[str, int], int]:
        return lambda name, _: os.open(name, flags, 0o600, dir_fd=self.folder)

    def _rename(self, old: str, new: str) -> None:
        os.rename(old, new, src_dir_fd=self.folder, dst_dir_fd=self.folder)

    def _remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.folder)
