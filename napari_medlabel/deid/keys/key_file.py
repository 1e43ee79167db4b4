"""The project key in its file: made once with mode 0600, refused when others can read it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from napari_medlabel.deid.keys.key_store import FileStore, KeyStore
from napari_medlabel.deid.keys.pseudonyms import KEY_BYTES, Pseudonyms
from napari_medlabel.deid.keys.table import begun_links
from napari_medlabel.errors import InputError
from napari_medlabel.secret.passphrase import opened, sealed

VERSION: Final = 2
_BEFORE_LINKS: Final = 1
_HINT: Final = "Restore the key from its backup; without it pseudonyms change."

Random = Callable[[int], bytes]
Ask = Callable[[], str]


def _unheard(_key_id: str) -> None:
    return None


@dataclass(frozen=True)
class ProjectKey:
    """A project's secret, and what its file says of it.

    Parameters
    ----------
    key : bytes
        32 bytes.
    version : int
        Of the file: 1 was made before there were link tables, so that files may have left
        with codes derived from the key; with 2 a link table was begun.
    is_sealed : bool
        Whether a passphrase is needed.
    """

    key: bytes = field(repr=False)
    version: int = VERSION
    is_sealed: bool = False

    @property
    def key_id(self) -> str:
        """Eight hex digits that name the key and do not reveal it."""
        return Pseudonyms(self.key).key_id

    @property
    def is_before_links(self) -> bool:
        """Whether the key was in use before there were link tables."""
        return self.version == _BEFORE_LINKS


@dataclass(frozen=True)
class KeyFacts:
    """What a key file says in the open.

    Parameters
    ----------
    key_id : str
        Names the key.
    version : int
        Of the file.
    is_sealed : bool
        Whether a passphrase is needed.
    """

    key_id: str
    version: int
    is_sealed: bool


def read_key(path: Path, *, posix: bool = os.name == "posix", ask: Ask | None = None) -> bytes:
    """Return the key in a key file.

    Parameters
    ----------
    path : Path
        The key file.
    posix : bool
        Whether file modes mean something on this system.
    ask : callable, optional
        Returns the passphrase; called only where there is one.

    Returns
    -------
    bytes
        32 bytes.

    Raises
    ------
    InputError
        When it cannot be read, is no regular file or a large one, is no key, may be read
        by others, or the passphrase is another one.
    """
    return read_project(FileStore(path, posix=posix), ask).key


def make_key(path: Path, random_bytes: Random) -> bytes:
    """Make a key file that did not exist, with mode 0600, and an empty link table beside it.

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
        When the file exists already or cannot be written; no key is left behind.
    """
    return make_project(FileStore(path), random_bytes).key


def read_project(store: KeyStore, ask: Ask | None = None) -> ProjectKey:
    """Return the key in a store.

    Parameters
    ----------
    store : KeyStore
        A file or the keyring.
    ask : callable, optional
        Returns the passphrase; called only where there is one.

    Raises
    ------
    InputError
        As `read_key`.
    """
    document = _document(store.read())
    version, kid = document["version"], document["kid"]
    if version == VERSION and "sealed" in document:
        if ask is None:
            raise InputError(
                "The key is under a passphrase, and none was given.",
                hint="Run it in a terminal, or give --passphrase-file or MEDLABEL_PASSPHRASE.",
            )
        found = document["sealed"]
        try:
            key = opened(found, ask(), _bound(version, kid))
        except (ValueError, TypeError, KeyError, AttributeError) as err:
            raise _damaged() from err
        return ProjectKey(_checked(key, kid), version, is_sealed=True)
    try:
        key = bytes.fromhex(document["key"])
    except (ValueError, TypeError, KeyError) as err:
        raise _no_key() from err
    if version not in (_BEFORE_LINKS, VERSION):
        raise _damaged()
    return ProjectKey(_checked(key, kid), version)


def facts_of(store: KeyStore) -> KeyFacts:
    """Return what a key file says without its passphrase.

    Raises
    ------
    InputError
        As `read_key`.
    """
    document = _document(store.read())
    return KeyFacts(str(document["kid"]), document["version"], "sealed" in document)


def make_project(
    store: KeyStore,
    random_bytes: Random,
    *,
    passphrase: str | None = None,
    announce: Callable[[str], object] = _unheard,
) -> ProjectKey:
    """Make a key where there is none, and an empty link table beside it.

    The table comes first: a process killed in between leaves a table without links, which
    the next one replaces, and never a key without its table.

    Parameters
    ----------
    store : KeyStore
        Where.
    random_bytes : callable
        ``count -> bytes`` from a cryptographic source.
    passphrase : str, optional
        To seal it with.
    announce : callable
        Told the key id before the key is written, such as to note it in a log. What it
        raises ends the making, and nothing stays.

    Raises
    ------
    SaveError
        When there is a key already, or it cannot be written.
    InputError
        When the passphrase is too short.
    """
    project = ProjectKey(random_bytes(KEY_BYTES), VERSION, is_sealed=passphrase is not None)
    text = _text(project, passphrase, random_bytes)
    store.prepare()
    with begun_links(store.links, project.key, random_bytes):
        announce(project.key_id)
        store.create(text)
    return project


def reseal(
    store: KeyStore, project: ProjectKey, passphrase: str | None, random_bytes: Random
) -> ProjectKey:
    """Write a key anew under another passphrase, or under none.

    Parameters
    ----------
    store : KeyStore
        Where the key is.
    project : ProjectKey
        From `read_project`; its link table must be there.
    passphrase : str or None
        The new one.
    random_bytes : callable
        ``count -> bytes`` from a cryptographic source.

    Raises
    ------
    SaveError
        When it cannot be written. Then the old file stays.
    InputError
        When the passphrase is too short.
    """
    changed = ProjectKey(project.key, VERSION, is_sealed=passphrase is not None)
    store.replace(_text(changed, passphrase, random_bytes))
    return changed


def _text(project: ProjectKey, passphrase: str | None, random_bytes: Random) -> str:
    document: dict[str, object] = {"version": VERSION, "kid": project.key_id}
    if passphrase is None:
        document["key"] = project.key.hex()
    else:
        bound = _bound(VERSION, project.key_id)
        document["sealed"] = sealed(project.key, passphrase, bound, random_bytes)
    return json.dumps(document) + "\n"


def _bound(version: int, kid: str) -> str:
    return f"medlabel key {version} {kid}"


def _document(text: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(text)
        version, kid = document["version"], document["kid"]
    except (ValueError, TypeError, KeyError, RecursionError) as err:
        raise _no_key() from err
    if type(version) is not int or not isinstance(kid, str):
        raise _no_key()
    return document


def _checked(key: bytes, kid: str) -> bytes:
    if len(key) != KEY_BYTES or Pseudonyms(key).key_id != kid:
        raise _damaged()
    return key


def _no_key() -> InputError:
    return InputError(
        "The key file was expected to hold JSON with version, kid and key.", hint=_HINT
    )


def _damaged() -> InputError:
    return InputError(
        "The key in the key file is damaged: version, length or key id do not fit.",
        hint=_HINT,
    )
