"""What every command with a project key has in common: its options, passphrase and table."""

from __future__ import annotations

import argparse
import getpass
import os
import secrets
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.deid.batch.events import EventSink
    from napari_medlabel.deid.keys.key_file import ProjectKey
    from napari_medlabel.deid.keys.key_store import KeyStore
    from napari_medlabel.deid.keys.table import LinkTable

PASSPHRASE: Final = "MEDLABEL_PASSPHRASE"  # noqa: S105 - the name of a variable
_LARGEST: Final = 4096
_MINOR: Final = 4


class CodeSource(Protocol):
    """Gives patients their codes."""

    def known(self, issuer: str, patient_id: str) -> str | None:
        """Return the code of a patient who has one."""
        ...

    def code_for(self, issuer: str, patient_id: str) -> str:
        """Return the code of a patient, a new one the first time."""
        ...

    def sync(self) -> None:
        """Return when every code that was given is on the disk."""
        ...

    def close(self) -> None:
        """Let others write."""
        ...


@dataclass(frozen=True)
class OpenProject:
    """A project key with what gives its patients their codes.

    Parameters
    ----------
    key : ProjectKey
        The secret.
    codes : CodeSource
        To be closed at the end.
    made : bool
        Whether the key was made just now; in a dry run, for this run alone.
    """

    key: ProjectKey
    codes: CodeSource
    made: bool = False


@dataclass
class Provisional:
    """Codes for a dry run without a link table: random, and gone afterwards."""

    codes: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    def known(self, issuer: str, patient_id: str) -> str | None:
        """Return the code that was made up for a patient."""
        return self.codes.get((issuer, patient_id))

    def code_for(self, issuer: str, patient_id: str) -> str:
        """Return a code that nobody keeps."""
        from napari_medlabel.deid.keys.pseudonyms import base32

        return self.codes.setdefault(
            (issuer, patient_id), f"P-{base32(secrets.randbits(40), 8)}"
        )

    def sync(self) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nobody is kept out."""


def open_project(
    args: argparse.Namespace, *, keep: bool = True, log: EventSink | None = None
) -> OpenProject:
    """Return the project that the options name, made where there is none.

    Parameters
    ----------
    args : Namespace
        With `key` and `passphrase_file` of `add_key_options`.
    keep : bool
        Whether a new key and new codes are kept; False for a dry run, which makes neither.
    log : EventSink, optional
        Told that a key or a table is made, before it is: no log, no key.

    Returns
    -------
    OpenProject
        Close its `codes`.

    Raises
    ------
    InputError, RefusedError, SaveError, LogError
        As `read_project`, `make_project` and `LinkTable`: before anything is exported.
    """
    from napari_medlabel.deid.keys.key_file import ProjectKey
    from napari_medlabel.deid.keys.pseudonyms import KEY_BYTES

    store = key_store(args.key)
    if store.exists():
        key = read_store(store, args, log)
        return OpenProject(key, open_links(store, key, keep=keep, log=log))
    if not keep:
        return OpenProject(ProjectKey(secrets.token_bytes(KEY_BYTES)), Provisional(), made=True)
    key = new_project(store, log)
    return OpenProject(key, open_links(store, key, keep=True, log=log), made=True)


def new_project(
    store: KeyStore, log: EventSink | None, *, passphrase: str | None = None
) -> ProjectKey:
    """Make a key and its table, with a line in the log before the key is there.

    Parameters
    ----------
    store : KeyStore
        Where none is.
    log : EventSink or None
        Takes ``key.create`` with the key id.
    passphrase : str, optional
        To seal it with.

    Raises
    ------
    SaveError, LogError
        When it cannot be written, or the log cannot: nothing stays.
    """
    from napari_medlabel.deid.keys.key_file import make_project

    def announce(key_id: str) -> None:
        if log is not None:
            log.append("key.create", detail={"key": "project", "key_id": f"k-{key_id}"})

    return make_project(store, secrets.token_bytes, passphrase=passphrase, announce=announce)


def project_files(args: argparse.Namespace) -> tuple[Path, ...]:
    """Return the files that must lie outside what is read and what is written."""
    from napari_medlabel.deid.keys.key_store import FileStore

    store = key_store(args.key)
    return (store.path, store.links) if isinstance(store, FileStore) else (store.links,)


def add_key_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--key`` and ``--passphrase-file`` to a command.

    Parameters
    ----------
    parser : ArgumentParser
        Of the command.
    """
    parser.add_argument(
        "--key",
        metavar="KEY",
        help="the project's secret: a file, or keyring:NAME; by default in the user's data "
        "folder",
    )
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="a file of mode 600 whose first line is the key's passphrase; else it is "
        f"${PASSPHRASE}, else it is asked for",
    )


def keys_folder() -> Path:
    """Return the user's folder of keys and link tables."""
    from platformdirs import user_data_path

    return user_data_path("napari-medlabel", appauthor=False) / "keys"


def key_store(named: str | None) -> KeyStore:
    """Return the place that ``--key`` names, or the default one."""
    from napari_medlabel.deid.keys.key_store import FileStore, store_for

    folder = keys_folder()
    return FileStore(folder / "project.key") if named is None else store_for(named, folder)


def asked_passphrase(
    file: Path | None, *, prompt: str = "Passphrase of the key: ", environment: bool = True
) -> str:
    """Return a passphrase from a file, the environment, or whoever sits there.

    Parameters
    ----------
    file : Path or None
        Of mode 600; its first line counts.
    prompt : str
        What whoever sits there is asked.
    environment : bool
        Whether `PASSPHRASE` counts; not for a new one where it is the old one's.

    Raises
    ------
    InputError
        When the file cannot be read or others may, or nobody can be asked.
    """
    if file is not None:
        return _first_line(file)
    found = os.environ.get(PASSPHRASE) if environment else None
    if found:
        return found
    if not sys.stdin.isatty():
        hint = f"Give --passphrase-file FILE, or set {PASSPHRASE}."
        raise InputError(
            "The key's passphrase is needed, and there is no terminal to ask for it.",
            hint=hint if environment else "Give --new-passphrase-file FILE.",
        )
    return getpass.getpass(prompt)


def read_store(
    store: KeyStore, args: argparse.Namespace, log: EventSink | None = None
) -> ProjectKey:
    """Return the key in a store, with the passphrase that the options name.

    A passphrase that does not open it is noted in the log as ``user.auth.fail``.
    """
    from napari_medlabel.deid.keys.key_file import read_project
    from napari_medlabel.secret.passphrase import PassphraseError

    try:
        return read_project(store, lambda: asked_passphrase(args.passphrase_file))
    except PassphraseError:
        if log is not None:
            log.append("user.auth.fail", detail={"method": "passphrase"}, outcome=_MINOR)
        raise


def open_links(
    store: KeyStore, project: ProjectKey, *, keep: bool, log: EventSink | None = None
) -> CodeSource:
    """Return the link table of a key; one that never had a table starts one, and says so.

    Parameters
    ----------
    store, project
        From `key_store` and `read_store`.
    keep : bool
        Whether new codes are kept; False for a dry run.
    log : EventSink, optional
        Takes ``reid.table`` when a table is begun.

    Returns
    -------
    LinkTable or Provisional
        A `LinkTable` when `keep` is true: close it.

    Raises
    ------
    InputError, RefusedError, SaveError
        As `LinkTable`.
    """
    if has_no_table_yet(store, project):
        if not keep:
            return Provisional()
        start_links(store, project, log)
    # A batch brings the table to the disk before anything that carries its codes.
    return open_table(store, project, writable=keep, sync_each=False)


def has_no_table_yet(store: KeyStore, project: ProjectKey) -> bool:
    """Whether a key was made before there were tables, and none was begun since."""
    from napari_medlabel.deid.keys.links_memory import recall

    if store.links.exists() or not project.is_before_links:
        return False
    return recall(links_memory(), project.key_id) is None


def start_links(store: KeyStore, project: ProjectKey, log: EventSink | None = None) -> None:
    """Begin the table of a key that was made before there were tables."""
    from napari_medlabel.deid.keys.table import begin_links

    note_table(log, project, "begun")
    begin_links(store.links, project.key, secrets.token_bytes)
    print(
        "medlabel: a link table was begun for this key. Earlier copies carry codes derived "
        "from the key; from now on codes are random, so a patient's new code is another one. "
        "medlabel deid link tells whose the earlier ones are.",
        file=sys.stderr,
    )


def note_table(log: EventSink | None, project: ProjectKey, what: str, codes: int = 0) -> None:
    """Write into the log what is about to become of a link table.

    Parameters
    ----------
    log : EventSink or None
        Takes ``reid.table``.
    project : ProjectKey
        Whose table it is.
    what : str
        ``"begun"``, ``"merged"`` or ``"accepted"``.
    codes : int
        Links of the table that is merged or accepted.
    """
    if log is not None:
        detail = {"what": what, "codes": codes, "key_id": f"k-{project.key_id}"}
        log.append("reid.table", detail=detail)


def open_table(
    store: KeyStore,
    project: ProjectKey,
    *,
    writable: bool,
    trusting: bool = False,
    sync_each: bool = True,
) -> LinkTable:
    """Open the link table of a key with this computer's memory of it."""
    from napari_medlabel.deid.keys.table import LinkTable

    return LinkTable(
        store.links,
        project.key,
        secrets.token_bytes,
        writable=writable,
        memory=links_memory(),
        sync_each=sync_each,
        trusting=trusting,
    )


def links_memory() -> Path:
    """Return the folder where this computer remembers link tables."""
    from napari_medlabel.audit.writer.place import default_state

    return default_state() / "links"


def _first_line(file: Path) -> str:
    try:
        mode = file.stat().st_mode
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise InputError(
                "The file with the passphrase must be for its owner alone (mode 600).",
                hint="Run chmod 600 on it.",
            )
        with file.open("r", encoding="utf-8") as stream:
            line = stream.readline(_LARGEST).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(
            "The file with the passphrase could not be read as text.",
            hint="Check --passphrase-file.",
        ) from err
    if not line:
        raise InputError(
            "The file with the passphrase is empty.",
            hint="Its first line is the passphrase.",
        )
    return line
