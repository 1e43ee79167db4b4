"""Where a project key lies: a file for its owner alone, or the system's keyring."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from napari_medlabel.deid.keys.table import links_beside
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.io.files import make_folder
from napari_medlabel.secret.private_file import Hints, PrivateFile
from napari_medlabel.secret.ring import from_ring, into_ring, require_ring

RING: Final = "keyring:"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HINTS: Final = Hints(
    check="Check --key and the file's permissions.",
    exposed="Run chmod 600 on the key file; who could read it knows the pseudonyms.",
    occupied="Choose another place with --key; an existing key is never overwritten.",
    space="Free some space or choose another place with --key.",
)
_IN_FILE: Final = "Unlock the keyring, or keep the key in a file with --key FILE."
_UNLOCK: Final = "Unlock it, or keep the key in a file with --key FILE and a passphrase."


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
class FileStore(PrivateFile):
    """A key in a file of mode 600.

    Parameters
    ----------
    path : Path
        The file.
    posix : bool
        Whether file modes mean something on this system.
    """

    hints: Hints = field(default=_HINTS, repr=False, compare=False)

    @property
    def links(self) -> Path:
        """Where the link table lies: beside the key itself, where this is a link to it."""
        return links_beside(Path(os.path.realpath(self.path)))


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
            raise SaveError(
                "The key file could not be made (the keyring has one of this name).",
                hint=_HINTS.occupied,
            )
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
        into_ring(self.name, text, hint=_IN_FILE)

    def _found(self) -> str | None:
        return from_ring(self.name, hint=_UNLOCK)


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
    require_ring()
    return RingStore(name, folder)
