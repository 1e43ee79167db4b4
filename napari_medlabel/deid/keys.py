"""The project key in its file: made once with mode 0600, refused when others can read it."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

from napari_medlabel.deid.pseudonyms import KEY_BYTES, Pseudonyms
from napari_medlabel.errors import InputError, SaveError

_VERSION = 1
_LARGEST = 64 * 1024
_OWNER_ONLY = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_key(path: Path, *, posix: bool = os.name == "posix") -> bytes:
    """Return the key in a key file.

    Parameters
    ----------
    path : Path
        The key file.
    posix : bool
        Whether file modes mean something on this system.

    Returns
    -------
    bytes
        32 bytes.

    Raises
    ------
    InputError
        When it cannot be read, is no regular file or a large one, is no key, or may be
        read by others.
    """
    try:
        found = path.stat()
    except OSError as err:
        raise _unread() from err
    mode = found.st_mode
    if not stat.S_ISREG(mode) or found.st_size > _LARGEST:
        raise InputError(
            f"A key file of at most {_LARGEST} bytes was expected; this is larger, or no file.",
            hint="Check --key.",
        )
    if posix and mode & _OTHERS:
        raise InputError(
            f"The key file must be for its owner alone (mode 600), its mode is "
            f"{stat.S_IMODE(mode):o}.",
            hint="Run chmod 600 on the key file; who could read it knows the pseudonyms.",
        )
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise _unread() from err
    return _parsed(text)


def _unread() -> InputError:
    return InputError(
        "A key file was expected and could not be read as text.",
        hint="Check --key and the file's permissions.",
    )


def _parsed(text: str) -> bytes:
    try:
        document = json.loads(text)
        version, kid, key = document["version"], document["kid"], bytes.fromhex(document["key"])
    except (ValueError, TypeError, KeyError) as err:
        raise InputError(
            "The key file was expected to hold JSON with version, kid and key.",
            hint="Restore the key from its backup; without it pseudonyms change.",
        ) from err
    if version != _VERSION or len(key) != KEY_BYTES or Pseudonyms(key).key_id != kid:
        raise InputError(
            "The key in the key file is damaged: version, length or key id do not fit.",
            hint="Restore the key from its backup; without it pseudonyms change.",
        )
    return key


def make_key(path: Path, random_bytes: Callable[[int], bytes]) -> bytes:
    """Make a key file that did not exist, with mode 0600 from its first byte.

    Parameters
    ----------
    path : Path
        Where; missing folders are made, for the owner alone.
    random_bytes : callable
        ``count -> bytes`` from a cryptographic source, such as `secrets.token_bytes`.

    Returns
    -------
    bytes
        The new key, 32 bytes.

    Raises
    ------
    SaveError
        When the file exists already or cannot be written; nothing is left behind.
    """
    key = random_bytes(KEY_BYTES)
    document = {"version": _VERSION, "kid": Pseudonyms(key).key_id, "key": key.hex()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except OSError as err:
        raise SaveError(
            f"The key file could not be made ({err.strerror}).",
            hint="Choose another place with --key; an existing key is never overwritten.",
        ) from err
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(json.dumps(document) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as err:
        path.unlink()
        raise SaveError(
            f"The key file could not be written ({err.strerror}).",
            hint="Free some space or choose another place with --key.",
        ) from err
    return key
