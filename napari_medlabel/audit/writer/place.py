"""Where the log lies on this computer, who writes it, and the one call that opens it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import platformdirs

from napari_medlabel.audit.disk import Clock, Io, SystemClock, SystemIo, write_once
from napari_medlabel.audit.faults import error_name, log_error
from napari_medlabel.audit.format.event import Actor
from napari_medlabel.audit.keys.tokens import account_name, load_token_key
from napari_medlabel.audit.writer.credentials import LOCAL, credentials_of
from napari_medlabel.audit.writer.seat import Seat
from napari_medlabel.audit.writer.steady import SteadyLog
from napari_medlabel.errors import LogError
from napari_medlabel.secret.asking import Ask

SITE: Final = LOCAL
"""Name of the site where nobody gave one."""

_APP: Final = "napari-medlabel"
_WRITER: Final = re.compile(rb"w[0-9a-f]{16}\n")


def default_root() -> Path:
    """Return the log's folder: ``$MEDLABEL_AUDIT_DIR``, else in the user's data folder."""
    named = os.environ.get("MEDLABEL_AUDIT_DIR")
    if named:
        return Path(named)
    return platformdirs.user_data_path(_APP, appauthor=False) / "audit"


def default_state() -> Path:
    """Return the folder of the memory: ``$MEDLABEL_STATE_DIR``, else the user's."""
    named = os.environ.get("MEDLABEL_STATE_DIR")
    return Path(named) if named else platformdirs.user_state_path(_APP, appauthor=False)


def writer_id(state: Path, io: Io | None = None) -> str:
    """Return who writes on this computer: random, made once, kept in the state folder.

    Raises
    ------
    LogError
        When it cannot be read or made, or something else is there.
    """
    io = io or SystemIo()
    try:
        raw = write_once(io, state / "writer", f"w{io.random(8).hex()}\n".encode())
    except OSError as err:
        raise log_error(
            "The name of the writer could not be read or made", error_name(err)
        ) from err
    if _WRITER.fullmatch(raw) is None:
        raise LogError(
            "The writer must be 'w' and 16 hex digits, and something else is there.",
            hint="Put the file 'writer' back from your backup, or move it away for a new one.",
        )
    return raw.decode("ascii").strip()


def open_log(
    root: Path | None = None,
    *,
    state: Path | None = None,
    role: str = "annotator",
    clock: Clock | None = None,
    io: Io | None = None,
    heartbeat: bool = False,
    ask: Ask | None = None,
) -> SteadyLog:
    """Begin a session of this user on this computer.

    Parameters
    ----------
    root : Path, optional
        Folder of the log; `default_root` by default.
    state : Path, optional
        Folder of the memory; `default_state` by default.
    role : str
        annotator, reviewer, researcher, officer, service or unknown.
    clock, io : optional
        The machine's by default.
    heartbeat : bool
        Whether a thread says every ten minutes that the program still runs, shows the head
        to the other computers, and goes back to the log's folder when that was gone.
    ask : callable, optional
        Asks for the passphrase of the workstation's key; without it and without
        ``$MEDLABEL_INSTALL_PASSPHRASE_FILE`` a session under a passphrase is not certified.

    Returns
    -------
    SteadyLog
        Open; ``key.create`` is written in it when the token key was made just now.

    Raises
    ------
    LogError
        When neither the log nor the spool that stands in for it can be written.
    PassphraseError
        When a passphrase of the workstation's key is given and is another one.
    """
    root, state = (root or default_root()).absolute(), (state or default_state()).absolute()
    tokens = load_token_key(state, io)
    writer = writer_id(state, io)
    shown = credentials_of(root, state, writer, ask=ask)
    seat = Seat(
        root,
        state,
        shown.site,
        writer,
        Actor(tokens.user_token(account_name()), role, "os-login"),
        clock or SystemClock(),
        io or SystemIo(),
        shown.identity,
    )
    log = SteadyLog(seat, heartbeat=heartbeat)
    if tokens.created:
        log.append("key.create", detail={"key": "subject-token", "kid": tokens.kid})
    return log
