"""Token keys in a file that travels: to the officer who searches, to other workstations."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.schema import Field, group, many
from napari_medlabel.audit.keys.tokens import (
    LAST_KID,
    TokenKey,
    load_token_keys,
    token_file,
)
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.io.files import make_folder
from napari_medlabel.secret.asking import Ask
from napari_medlabel.secret.passphrase import opened, sealed
from napari_medlabel.secret.private_file import PrivateFile

KIND: Final = "medlabel-token-keys"
_SECRET_DIGITS: Final = 64
_KID: Final = Field(
    "number of a key", lambda value: type(value) is int and 1 <= value <= LAST_KID
)
_HEX: Final = Field(
    "64 hex digits",
    lambda value: (
        isinstance(value, str)
        and len(value) == _SECRET_DIGITS
        and set(value) <= set("0123456789abcdef")
    ),
)
_KEYS: Final = many(group("token key", {"kid": _KID, "secret": _HEX}), LAST_KID)


def export_tokens(
    path: Path,
    keys: Sequence[TokenKey],
    passphrase: str | None,
    random_bytes: Callable[[int], bytes],
) -> None:
    """Write token keys into a file of mode 600.

    Parameters
    ----------
    path : Path
        A file that does not exist yet.
    keys : sequence of TokenKey
        All of them.
    passphrase : str or None
        To seal them with; None leaves them plain.
    random_bytes : callable
        ``count -> bytes`` from a cryptographic source.

    Raises
    ------
    InputError
        When the passphrase is too short.
    SaveError
        When the file exists or cannot be written.
    """
    shown = [{"kid": key.kid, "secret": key.secret.hex()} for key in keys]
    document: dict[str, object] = {"kind": KIND, "v": 1}
    if passphrase is None:
        document["keys"] = shown
    else:
        document["sealed"] = sealed(canonical.encode(shown), passphrase, KIND, random_bytes)
    file = PrivateFile(path)
    file.prepare()
    file.create(json.dumps(document, indent=2, sort_keys=True) + "\n")


def read_token_keys(path: Path, ask: Ask) -> tuple[TokenKey, ...]:
    """Return the token keys in a file that `export_tokens` wrote.

    Parameters
    ----------
    path : Path
        The file.
    ask : callable
        Returns the passphrase; called only where there is one.

    Raises
    ------
    PassphraseError
        When the passphrase is another one.
    InputError
        When the file is damaged, something else, or others may read it.
    """
    try:
        document: Any = json.loads(PrivateFile(path).read())
        if document["kind"] != KIND or document["v"] != 1:
            raise _no_tokens()
        if "sealed" in document:
            found: Any = canonical.decode(opened(document["sealed"], ask(), KIND))
        else:
            found = document["keys"]
    except (ValueError, TypeError, KeyError, AttributeError) as err:
        raise _no_tokens() from err
    if not _KEYS.accepts(found) or not found:
        raise _no_tokens()
    return tuple(TokenKey(bytes.fromhex(one["secret"]), kid=one["kid"]) for one in found)


def import_tokens(state: Path, keys: Sequence[TokenKey], *, replace: bool = False) -> int:
    """Take over the token keys of another computer, so that both give a patient one token.

    Parameters
    ----------
    state : Path
        Folder of this computer's own memory.
    keys : sequence of TokenKey
        As `read_token_keys` gives them.
    replace : bool
        Whether they may take the place of other keys with their numbers; those are kept, so
        that what was written with them can still be searched.

    Returns
    -------
    int
        How many keys are new here.

    Raises
    ------
    RefusedError
        When there are other keys with their numbers and `replace` is not set.
    LogError, SaveError
        When a key cannot be read or written.
    """
    make_folder(state)
    known = {key.secret for key in load_token_keys(state)}
    new = [key for key in keys if key.secret not in known]
    taken = [key for key in new if PrivateFile(token_file(state, key.kid)).exists()]
    if taken and not replace:
        raise RefusedError(
            f"This computer has {len(taken)} other token key(s) with the same number(s), and "
            "tokens of one number would stand for different patients.",
            hint="With --replace the imported ones are used from now on, and the others are "
            "kept for searching.",
        )
    for key in new:
        path = token_file(state, key.kid)
        if key in taken:
            name = sha256(path.read_bytes()).hexdigest()[:8]
            path.rename(path.with_name(f"{path.stem}.old-{name}.key"))
        PrivateFile(path).create(key.secret.hex() + "\n")
    return len(new)


def _no_tokens() -> InputError:
    return InputError(
        "A file with token keys was expected, and this one is damaged or something else.",
        hint="`medlabel audit key tokens --export FILE` writes one.",
    )
