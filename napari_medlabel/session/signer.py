"""Who signs: their key on this computer, and their name as it was printed last."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from napari_medlabel.audit.format.record import time_text
from napari_medlabel.audit.format.seal import to_base64
from napari_medlabel.audit.keys.key_document import make_key, read_facts, replace_key
from napari_medlabel.audit.keys.people import LONGEST_NAME, user_key_path
from napari_medlabel.audit.keys.signatures import fingerprint
from napari_medlabel.errors import RefusedError
from napari_medlabel.io.files import make_folder, write_bytes_aside
from napari_medlabel.secret.asking import Ask
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.signing import own_tokens

_MS: Final = 1000
_BYTES: Final = 4  # of a character, at most


@dataclass(frozen=True)
class OwnKey:
    """A signing key in the open: what the officer needs to name it.

    Parameters
    ----------
    user : str
        The person's token.
    public : str
        Public half, base64.
    code : str
        To be said to the officer by the person.
    """

    user: str
    public: str
    code: str

    @property
    def command(self) -> str:
        """What the officer types."""
        return f"medlabel audit site user {self.user} {self.public}"


def own_key(state: Path) -> OwnKey | None:
    """Return this account's signing key as it stands in the open, or None where there is none.

    Raises
    ------
    InputError
        When its file is damaged, or others may read it.
    """
    for token in own_tokens(state):
        facts = read_facts(user_key_path(state, token), "user")
        if facts is not None:
            return OwnKey(token, to_base64(facts.public), fingerprint(facts.public))
    return None


def make_own_key(desk: Desk, ask: Ask, *, renew: bool = False) -> OwnKey:
    """Make this account's signing key, with a line in the log first.

    Parameters
    ----------
    desk : Desk
        Log and folders.
    ask : callable
        Returns the new passphrase; called where a key is to be made.
    renew : bool
        Whether to make a new one in place of one.

    Raises
    ------
    RefusedError
        When there is one and no new one is wished for.
    InputError, SaveError, LogError
        When the passphrase is too short, or the key or its line cannot be written.
    """
    token = own_tokens(desk.state)[0]
    path = user_key_path(desk.state, token)
    there = path.exists()
    if there and not renew:
        raise RefusedError(
            "You have a signing key already.",
            hint="Use it; --renew makes a new one, which the officer must name again.",
        )
    event = "key.rotate" if there else "key.create"
    make = replace_key if there else make_key
    key = make(
        path,
        ("user", token, time_text(int(desk.now().timestamp() * _MS))),
        secrets.token_bytes,
        passphrase=ask(),
        announce=lambda public: desk.log.append(
            event, detail={"key": "user", "pub": to_base64(public)}
        ),
    )
    return OwnKey(token, to_base64(key.public), fingerprint(key.public))


def remember_name(state: Path, name: str) -> None:
    """Keep a printed name in this account's own folder; the log never has it.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    path = _name_path(state)
    make_folder(path.parent)
    write_bytes_aside(path, name.encode(), mode=0o600)


def remembered_name(state: Path) -> str:
    """Return the name that was printed last; empty where there is none that can be read."""
    try:
        with _name_path(state).open("rb") as stream:
            return stream.read(LONGEST_NAME * _BYTES).decode()
    except (OSError, UnicodeDecodeError):
        return ""


def _name_path(state: Path) -> Path:
    return state / "users" / f"{own_tokens(state)[0]}.name"
