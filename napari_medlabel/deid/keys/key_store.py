"""Where a project key lies: a file for its owner alone, or the system's keyring."""

from __future__ import annotations

import os
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from napari_medlabel._optional import require
from napari_medlabel.deid.keys.table import links_beside
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.io.files import make_folder, sync_folder

if TYPE_CHECKING:
    from types import ModuleType

RING: Final = "keyring:"
_SERVICE: Final = "napari-medlabel"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LARGEST: Final = 64 * 1024
_OWNER_ONLY: Final = 0o600
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class KeyStore(Protocol):
    """A place for one key. Its link table is a file in any case."""

    @property
    def links(self) -> Path:
        """Where the link table lies."""
        ...

    def exists(self) -> bool:
        """Whether a key, or anything else, is there."""
        ...

    def read(self) -> str:
        """Return the document, or raise `InputError`."""
        ...

    def prepare(self) -> None:
        """Make folders, and raise `SaveError` where no key can be made."""
        ...

    def create(self, text: str) -> None:
        """Write a document where none is, or raise `SaveError`."""
        ...

    def replace(self, text: str) -> None:
        """Write another document in one step, or raise `SaveError`."""
        ...


@dataclass(frozen=True)
class FileStore:
    """A key in a file.

    Parameters
    ----------
    path : Path
        The file.
    posix : bool
        Whether file modes mean something on this system.
    """

    path: Path
    posix: bool = os.name == "posix"

    @property
    def links(self) -> Path:
        """Where the link table lies: beside the key itself, where this is a link to it."""
        return links_beside(Path(os.path.realpath(self.path)))

    def exists(self) -> bool:
        """Whether something has the file's name."""
        return os.path.lexists(self.path)

    def read(self) -> str:
        """Return the document.

        Raises
        ------
        InputError
            When it cannot be read, is no regular file or a large one, or may be read by
            others.
        """
        try:
            found = self.path.stat()
        except OSError as err:
            raise _unread() from err
        mode = found.st_mode
        if not stat.S_ISREG(mode) or found.st_size > _LARGEST:
            raise InputError(
                f"A key file of at most {_LARGEST} bytes was expected; this is larger, or no "
                "file.",
                hint="Check --key.",
            )
        if self.posix and mode & _OTHERS:
            raise InputError(
                f"The key file must be for its owner alone (mode 600), its mode is "
                f"{stat.S_IMODE(mode):o}.",
                hint="Run chmod 600 on the key file; who could read it knows the pseudonyms.",
            )
        try:
            return self.path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as err:
            raise _unread() from err

    def prepare(self) -> None:
        """Make the folder, for the owner alone.

        Raises
        ------
        SaveError
            When the file exists, or the folder cannot be made.
        """
        if self.exists():
            raise _not_made("File exists")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as err:
            raise _not_made(err.strerror) from err

    def create(self, text: str) -> None:
        """Write the file aside, with mode 0600 from its first byte, and give it its name.

        Who calls holds the lock of the link table, so that no other does the same.

        Raises
        ------
        SaveError
            When the file exists already or cannot be written; nothing is left behind.
        """
        if self.exists():
            raise _not_made("File exists")
        _write_private(self.path, text)

    def replace(self, text: str) -> None:
        """Write another document in one step.

        Raises
        ------
        SaveError
            When it cannot be written.
        """
        _write_private(self.path.resolve(), text)


@dataclass(frozen=True)
class RingStore:
    """A key in the system's keyring.

    Parameters
    ----------
    name : str
        What follows ``keyring:``.
    folder : Path
        Where the link table lies.
    """

    name: str
    folder: Path

    @property
    def links(self) -> Path:
        """Where the link table lies: in the user's folder of keys."""
        return links_beside(self.folder / self.name)

    def exists(self) -> bool:
        """Whether the keyring has a key of this name."""
        return self._found() is not None

    def read(self) -> str:
        """Return the document.

        Raises
        ------
        InputError
            When the keyring has none.
        """
        found = self._found()
        if found is None:
            raise InputError(
                "The keyring was expected to hold the key, and has none of this name.",
                hint="Check the name; `medlabel deid key create` makes one.",
            )
        return found

    def prepare(self) -> None:
        """Make the folder of the link table.

        Raises
        ------
        SaveError
            When the keyring has a key of this name, or the folder cannot be made.
        """
        if self.exists():
            raise _not_made("the keyring has one of this name")
        make_folder(self.folder)

    def create(self, text: str) -> None:
        """Put the document into the keyring.

        Raises
        ------
        SaveError
            When the keyring refuses, or gives something else back.
        """
        self.replace(text)

    def replace(self, text: str) -> None:
        """Put another document into the keyring, and read it back.

        Raises
        ------
        SaveError
            When the keyring refuses, or gives something else back.
        """
        ring, errors = _ring()
        try:
            ring.set_password(_SERVICE, self.name, text)
            kept = ring.get_password(_SERVICE, self.name)
        except errors.KeyringError as err:
            raise SaveError(
                "The keyring did not take the key.",
                hint="Unlock the keyring, or keep the key in a file with --key FILE.",
            ) from err
        if kept != text:
            raise SaveError(
                "The keyring gave back something else than it was given.",
                hint="Keep the key in a file with --key FILE.",
            )

    def _found(self) -> str | None:
        ring, errors = _ring()
        try:
            found: str | None = ring.get_password(_SERVICE, self.name)
        except errors.KeyringError as err:
            raise InputError(
                "The keyring could not be read: it is locked, or this computer has none.",
                hint="Unlock it, or keep the key in a file with --key FILE and a passphrase.",
            ) from err
        return found


def _write_private(path: Path, text: str) -> None:
    """Write a file that nobody else can read at any moment, whole or not at all."""
    aside = path.with_name(f".{secrets.token_hex(4)}.part")
    try:
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except OSError as err:
        raise _not_made(err.strerror) from err
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
        sync_folder(path.parent)
    except OSError as err:
        aside.unlink(missing_ok=True)
        raise SaveError(
            f"The key file could not be written ({err.strerror}).",
            hint="Free some space or choose another place with --key.",
        ) from err


def store_for(named: str, folder: Path) -> KeyStore:
    """Return the place that ``--key`` names.

    Parameters
    ----------
    named : str
        A path, or ``keyring:`` and a name.
    folder : Path
        Where link tables of keys in the keyring lie.

    Raises
    ------
    InputError
        When the name is not one.
    MissingPackageError
        When the keyring is named and its package is not installed.
    """
    if not named.startswith(RING):
        return FileStore(Path(named))
    name = named.removeprefix(RING)
    if not _NAME.fullmatch(name):
        raise InputError(
            "A name in the keyring has 1 to 64 letters, digits, dots, dashes and underscores.",
            hint="Write --key keyring:NAME, for instance keyring:trial-7.",
        )
    _ring()
    return RingStore(name, folder)


def _ring() -> tuple[ModuleType, Any]:
    return require("keyring", extra="keyring"), require("keyring.errors", extra="keyring")


def _unread() -> InputError:
    return InputError(
        "A key file was expected and could not be read as text.",
        hint="Check --key and the file's permissions.",
    )


def _not_made(why: str | None) -> SaveError:
    return SaveError(
        f"The key file could not be made ({why}).",
        hint="Choose another place with --key; an existing key is never overwritten.",
    )
