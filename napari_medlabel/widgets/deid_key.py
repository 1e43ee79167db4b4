"""The project key of the panel: opened or made, its passphrase asked for in a dialog."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QInputDialog, QLineEdit, QWidget

from napari_medlabel.cli.project_key import OpenProject, key_store, new_project, open_links
from napari_medlabel.deid.batch.events import EventSink
from napari_medlabel.deid.keys.key_file import read_project
from napari_medlabel.deid.keys.key_store import FileStore
from napari_medlabel.errors import InputError


def open_project(named: str | None, parent: QWidget, log: EventSink) -> OpenProject:
    """Return a project key with its link table, open for writing.

    Parameters
    ----------
    named : str or None
        A file or ``keyring:NAME``; None for the user's own. Made where there is none.
    parent : QWidget
        Over which the passphrase is asked for, where the key has one.
    log : EventSink
        Told that a key or a table is made, before it is.

    Returns
    -------
    OpenProject
        Close its `codes`.

    Raises
    ------
    InputError, RefusedError, SaveError
        When the key cannot be read or made, or somebody else writes to its table.
    """
    store = key_store(named)
    if store.exists():
        key = read_project(store, lambda: _asked(parent))
        return OpenProject(key, open_links(store, key, keep=True, log=log))
    key = new_project(store, log)
    return OpenProject(key, open_links(store, key, keep=True, log=log), made=True)


def key_files(named: str | None) -> tuple[Path, ...]:
    """Return the files of a key, which must lie outside what is read and what is written."""
    store = key_store(named)
    return (store.path, store.links) if isinstance(store, FileStore) else (store.links,)


def _asked(parent: QWidget) -> str:
    """Ask for the passphrase.

    Raises
    ------
    InputError
        When the person does not give one.
    """
    text, given = QInputDialog.getText(
        parent, "Project key", "Passphrase of the key:", QLineEdit.EchoMode.Password
    )
    if not given:
        raise InputError(
            "The key's passphrase is needed.", hint="Start again and give it, or choose a key."
        )
    return str(text)
