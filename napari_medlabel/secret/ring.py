"""A secret in the system's keyring: read it, put it there, and say when there is no keyring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from napari_medlabel._optional import require
from napari_medlabel.errors import InputError, MissingPackageError, SaveError

if TYPE_CHECKING:
    from types import ModuleType

SERVICE: Final = "napari-medlabel"
"""Under which all secrets of this program lie in the keyring."""

IN_FILE: Final = "Unlock it, or keep the key in a file with a passphrase."


def _ring() -> tuple[ModuleType, Any]:
    return require("keyring", extra="keyring"), require("keyring.errors", extra="keyring")


def require_ring() -> None:
    """Ask for the package, not yet for a keyring.

    Raises
    ------
    MissingPackageError
        When the package is not installed.
    """
    _ring()


def has_ring() -> bool:
    """Whether a keyring answers here that is more than a placeholder."""
    try:
        ring, errors = _ring()
    except MissingPackageError:
        return False
    try:
        return bool(ring.get_keyring().priority > 0)
    except errors.KeyringError:
        return False


def from_ring(name: str, *, hint: str = IN_FILE) -> str | None:
    """Return a secret of the keyring, or None where it has none of this name.

    Parameters
    ----------
    name : str
        Of the secret.
    hint : str
        What to do where the keyring does not answer.

    Raises
    ------
    InputError
        When the keyring is locked, or there is none.
    MissingPackageError
        When the package is not installed.
    """
    ring, errors = _ring()
    try:
        found: str | None = ring.get_password(SERVICE, name)
    except errors.KeyringError as err:
        raise InputError(
            "The keyring could not be read: it is locked, or this computer has none.",
            hint=hint,
        ) from err
    return found


def into_ring(name: str, text: str, *, hint: str = IN_FILE) -> None:
    """Put a secret into the keyring, in place of one of this name, and read it back.

    Parameters
    ----------
    name, text : str
        Of the secret.
    hint : str
        What to do where the keyring does not take it.

    Raises
    ------
    SaveError
        When the keyring refuses, or gives something else back.
    MissingPackageError
        When the package is not installed.
    """
    ring, errors = _ring()
    try:
        ring.set_password(SERVICE, name, text)
        kept = ring.get_password(SERVICE, name)
    except errors.KeyringError as err:
        raise SaveError("The keyring did not take the key.", hint=hint) from err
    if kept != text:
        raise SaveError("The keyring gave back something else than it was given.", hint=hint)


def drop_from_ring(name: str, *, hint: str = IN_FILE) -> None:
    """Remove a secret from the keyring.

    Parameters
    ----------
    name : str
        Of the secret.
    hint : str
        What to do where the keyring does not let go.

    Raises
    ------
    SaveError
        When the keyring refuses.
    MissingPackageError
        When the package is not installed.
    """
    ring, errors = _ring()
    try:
        ring.delete_password(SERVICE, name)
    except errors.KeyringError as err:
        raise SaveError("The keyring did not remove the key.", hint=hint) from err
