"""What the file and nginx connectors share: certificates as files, then a test and a reload."""

import logging
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography import x509

from deployments.connectors.base import Allowed, Check, Material, Outcome, as_connector_errors
from deployments.connectors.on_disk import commands, paths, pems, swap
from deployments.connectors.on_disk.settings import Settings
from deployments.connectors.on_disk.types import gid_of, uid_of
from foundation.errors import ConnectorError

logger = logging.getLogger(__name__)

_PUBLIC = 0o644
_PRIVATE = 0o600


class FilesConnector:
    """Replaces certificate, chain and key together, then has the server load them."""

    def __init__(self, settings: Settings, allowed: Allowed) -> None:
        self.settings = settings
        self.allowed = allowed

    @property
    def takes_key(self) -> bool:
        """Whether there is a file for the key."""
        return bool(self.settings.key_path)

    def deploy(self, material: Material, *, before_swap: Callable[[], None]) -> Outcome:
        """Put the files in place and reload, or leave everything as it was."""
        chain = pems.chain_of(material)
        with as_connector_errors():
            places = self._places()
            main = places[self.settings.certificate_path]
            with swap.locked(places.values(), main) as files:
                activation = _Activation(self.settings, self.allowed)
                recovered = files.recover(swap.Activation(activation.run, activation.undo))
                self._check_key(files, places, material)
                self._check_nothing_is_lost(files, places, material)
                wanted = self._wanted(files, places, chain, material)
                is_loaded = not recovered and not files.is_unloaded
                if is_loaded and all(_holds(files, file) for file in wanted):
                    return Outcome(
                        changed=False,
                        fingerprint=material.fingerprint,
                        detail="Everything was in place already.",
                    )
                files.replace(wanted, swap.Activation(activation.run, activation.undo), before_swap)
        return Outcome(
            changed=True,
            fingerprint=material.fingerprint,
            detail=f"{len(wanted)} file(s) replaced" + (", reloaded." if activation.told else "."),
        )

    def check(self) -> list[Check]:
        """Look at the paths and the programs; nothing is written and nothing is started."""
        checks = [
            self._check_path(name, path)
            for name, path in (
                ("certificate_path", self.settings.certificate_path),
                ("chain_path", self.settings.chain_path),
                ("key_path", self.settings.key_path),
            )
            if path
        ]
        checks += [
            self._check_program(name, arguments)
            for name, arguments in (("test", self.settings.test), ("reload", self.settings.reload))
            if arguments
        ]
        return checks

    def _places(self) -> dict[str, paths.Place]:
        named = (
            self.settings.certificate_path,
            self.settings.chain_path,
            self.settings.key_path,
        )
        places = {path: paths.place_of(path, self.allowed.roots) for path in named if path}
        # Two spellings of one file would overwrite each other.
        if len(set(places.values())) != len(places):
            raise ConnectorError("Two of the paths lead to one file.", permanent=True)
        return places

    def _check_key(
        self, files: swap.Swap, places: dict[str, paths.Place], material: Material
    ) -> None:
        path = self.settings.key_path
        if path and material.key_pem is None:
            content = files.spots[places[path]].read()
            pems.check_key_file(content, path, material.key_fingerprint)

    def _check_nothing_is_lost(
        self, files: swap.Swap, places: dict[str, paths.Place], material: Material
    ) -> None:
        """Refuse to write over what nobody could bring back."""
        settings = self.settings
        for field, path in self._certificate_files():
            pems.check_certificates_only(files.spots[places[path]].read(), field, path)
        if settings.key_path and material.key_pem is not None:
            path = settings.key_path
            pems.check_key_only(files.spots[places[path]].read(), path)

    def _certificate_files(self) -> list[tuple[str, str]]:
        named = [
            ("certificate_path", self.settings.certificate_path),
            ("chain_path", self.settings.chain_path),
        ]
        return [(field, path) for field, path in named if path]

    def _wanted(
        self,
        files: swap.Swap,
        places: dict[str, paths.Place],
        chain: list[x509.Certificate],
        material: Material,
    ) -> list[swap.File]:
        settings = self.settings
        contents = {settings.certificate_path: pems.to_pem(self._certificates(chain))}
        if settings.chain_path:
            contents[settings.chain_path] = pems.to_pem(chain[1:])
        if settings.key_path and material.key_pem is not None:
            contents[settings.key_path] = material.key_pem
        return [
            self._file(files, places[path], content, private=path == settings.key_path)
            for path, content in contents.items()
        ]

    def _certificates(self, chain: list[x509.Certificate]) -> list[x509.Certificate]:
        return pems.served_chain(chain) if self.settings.fullchain else chain[:1]

    def _file(
        self, files: swap.Swap, place: paths.Place, content: bytes, *, private: bool
    ) -> swap.File:
        """Say what a file must be like: as configured, else as what it replaces."""
        there = files.spots[place].stat()
        mode = stat.S_IMODE(there.st_mode) & 0o777 if there else _PUBLIC
        uid, gid = (there.st_uid, there.st_gid) if there else swap.own_ids()
        return swap.File(
            place=place,
            content=content,
            # A key is its owner's alone, whatever it was before.
            mode=_PRIVATE if private else self.settings.mode or mode,
            uid=uid_of(self.settings.owner) if self.settings.owner else uid,
            gid=gid_of(self.settings.group) if self.settings.group else gid,
        )

    def _check_path(self, name: str, path: str) -> Check:
        try:
            with as_connector_errors():
                place = paths.place_of(path, self.allowed.roots)
                if not swap.is_writable(place.folder):
                    return Check(name, ok=False, detail=f"{place.folder} cannot be written.")
                content = swap.look_at(place)
                if (name, path) in self._certificate_files():
                    pems.check_certificates_only(content, name, path)
        except ConnectorError as error:
            return Check(name, ok=False, detail=error.detail)
        known = "is not there yet" if content is None else "is there"
        return Check(name, ok=True, detail=f"{place.path} {known}.")

    def _check_program(self, name: str, arguments: tuple[str, ...]) -> Check:
        why = commands.refusal(arguments, self.allowed.programs)
        if not why and not Path(arguments[0]).is_file():
            why = f"{arguments[0]} is not there."
        return Check(name, ok=not why, detail=why or f"{arguments[0]} is allowed.")


def _holds(files: swap.Swap, file: swap.File) -> bool:
    """Whether the file is what it must be already."""
    spot = files.spots[file.place]
    there, content = spot.stat(), spot.read()
    if there is None or content is None:
        return False
    if (stat.S_IMODE(there.st_mode), there.st_uid, there.st_gid) != (
        file.mode,
        file.uid,
        file.gid,
    ):
        return False
    # The same certificates with other text around them are in place too.
    return content == file.content or pems.same(content, file.content)


class _Activation:
    """The server's own test, then its reload; and the reload of the old files after a failure."""

    def __init__(self, settings: Settings, allowed: Allowed) -> None:
        self.settings = settings
        self.programs = allowed.programs
        self.told = False

    def run(self) -> None:
        """Test, then reload; raises ConnectorError."""
        if self.settings.test:
            # It reads the real paths, which is why this comes after the swap.
            commands.run(
                self.settings.test,
                programs=self.programs,
                what="configuration test",
                permanent=True,
            )
        if self.settings.reload:
            self.told = True
            self._reload()

    def undo(self) -> None:
        """Have the old files served again."""
        if not self.settings.reload:
            return
        try:
            self._reload()
        except ConnectorError as error:
            # The first failure is the one to report; the old files are back in any case.
            logger.warning("the old certificate could not be reloaded: %s", error)

    def _reload(self) -> None:
        commands.run(self.settings.reload, programs=self.programs, what="reload", permanent=False)
