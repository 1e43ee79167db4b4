"""A secret in a file that its owner alone can read, at every moment whole or not there."""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.io.files import sync_folder

LARGEST: Final = 64 * 1024
"""Most bytes of a secret."""

_OWNER_ONLY: Final = 0o600
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Hints:
    """What a person is told to do; where the file was named, each place names it otherwise.

    Parameters
    ----------
    check : str
        When it cannot be read.
    exposed : str
        When others may read it.
    occupied : str
        When it cannot be made.
    space : str
        When it cannot be written.
    """

    check: str = "Check that the file is there, and its permissions."
    exposed: str = "Find out who could read it; then run chmod 600 on it."
    occupied: str = "Choose another place; an existing key is never overwritten."
    space: str = "Free some space, or choose another place."


@dataclass(frozen=True)
class PrivateFile:
    """A file with a key, or with a passphrase.

    Parameters
    ----------
    path : Path
        The file.
    posix : bool
        Whether file modes mean something on this system.
    hints : Hints
        What a person is told to do.
    """

    path: Path
    posix: bool = os.name == "posix"
    hints: Hints = field(default=Hints(), repr=False, compare=False)

    def exists(self) -> bool:
        """Whether something has the file's name."""
        return os.path.lexists(self.path)

    def read(self) -> str:
        """Return the text.

        Raises
        ------
        InputError
            When it cannot be read, is no regular file or a large one, or may be read by
            others.
        """
        try:
            found = self.path.stat()
        except OSError as err:
            raise self._unread() from err
        mode = found.st_mode
        if not stat.S_ISREG(mode) or found.st_size > LARGEST:
            raise InputError(
                f"A key file of at most {LARGEST} bytes was expected; this is larger, or no "
                "file.",
                hint=self.hints.check,
            )
        if self.posix and mode & _OTHERS:
            raise InputError(
                f"The key file must be for its owner alone (mode 600), its mode is "
                f"{stat.S_IMODE(mode):o}.",
                hint=self.hints.exposed,
            )
        try:
            return self.path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as err:
            raise self._unread() from err

    def prepare(self) -> None:
        """Make the folder, for the owner alone.

        Raises
        ------
        SaveError
            When the file exists, or the folder cannot be made.
        """
        if self.exists():
            raise self._not_made("File exists")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as err:
            raise self._not_made(err.strerror) from err

    def create(self, text: str) -> None:
        """Write the file aside, with mode 0600 from its first byte, and give it its name.

        Who calls sees to it that no other process does the same at that moment.

        Raises
        ------
        SaveError
            When the file exists already or cannot be written; nothing is left behind.
        """
        if self.exists():
            raise self._not_made("File exists")
        self._write(self.path, text)

    def replace(self, text: str) -> None:
        """Write another text in one step.

        Raises
        ------
        SaveError
            When it cannot be written.
        """
        self._write(self.path.resolve(), text)

    def _write(self, path: Path, text: str) -> None:
        aside = path.with_name(f".{secrets.token_hex(4)}.part")
        try:
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        except OSError as err:
            raise self._not_made(err.strerror) from err
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
                f"The key file could not be written ({err.strerror}).", hint=self.hints.space
            ) from err

    def _unread(self) -> InputError:
        return InputError(
            "A key file was expected and could not be read as text.", hint=self.hints.check
        )

    def _not_made(self, why: str | None) -> SaveError:
        return SaveError(f"The key file could not be made ({why}).", hint=self.hints.occupied)
