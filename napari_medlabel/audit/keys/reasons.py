"""Free text of a reason: apart from the log, for the officer alone, and erasable.

The log holds SHA-256 over 32 random bytes and the text. The text lies encrypted to every
officer in office; when its file is gone, nobody can guess it from the log.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.layout import REASONS
from napari_medlabel.audit.format.schema import DIGEST
from napari_medlabel.audit.format.seal import from_base64, to_base64
from napari_medlabel.audit.keys.officer import OfficerKey
from napari_medlabel.audit.keys.site import Site
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.io.files import make_folder, sync_folder, write_bytes_aside

LONGEST: Final = 2000
"""Most characters of a text."""

_SALT: Final = 32
_STEP: Final = 512  # the length of the text is hidden up to this
_NONCE: Final = bytes(12)  # each key encrypts once
_INFO: Final = b"medlabel-reason/v1\n"


def _wrapping(shared: bytes, sender: bytes, box: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, None, _INFO + sender + box).derive(shared))


def check_length(text: str) -> None:
    """Refuse a text that is empty or too long.

    Raises
    ------
    InputError
        With how many characters it has.
    """
    if not 0 < len(text) <= LONGEST:
        raise InputError(
            f"A text of 1 to {LONGEST} characters was expected; this has {len(text)}.",
            hint="Say it shorter, or choose one of the coded reasons alone.",
        )


def keep_reason(root: Path, site: Site, text: str, random_bytes: Callable[[int], bytes]) -> str:
    """Keep a text for the officers of a site.

    Parameters
    ----------
    root : Path
        Folder of the log.
    site : Site
        Whose officers may read it.
    text : str
        At most `LONGEST` characters. `identity.check_text` is asked before.
    random_bytes : callable
        ``count -> bytes`` from a cryptographic source.

    Returns
    -------
    str
        ``sha256:...``, the `ref` of the reason in the log.

    Raises
    ------
    InputError
        When the text is empty or too long.
    RefusedError
        When no officer is in office to whom it could be encrypted.
    SaveError
        When it cannot be written.
    """
    check_length(text)
    boxes = [one.box for one in site.officers if one.box and one.revoked_ms is None]
    if not boxes:
        raise RefusedError(
            "Text is kept for the officer alone, and the site names no officer to whom it "
            "could be encrypted.",
            hint="Choose one of the coded reasons without a text.",
        )
    salt, content_key = random_bytes(_SALT), random_bytes(32)
    said = text.rstrip("\0").encode("utf-8", "surrogatepass")
    ref = f"sha256:{sha256(salt + said).hexdigest()}"
    padded = said + b"\0" * (-len(said) % _STEP)
    sender = X25519PrivateKey.from_private_bytes(random_bytes(32))
    public = sender.public_key().public_bytes_raw()
    bound = ref.encode()
    document = {
        "from": to_base64(public),
        "keys": [
            {
                "box": to_base64(box),
                "key": to_base64(
                    _wrapping(
                        sender.exchange(X25519PublicKey.from_public_bytes(box)), public, box
                    ).encrypt(_NONCE, content_key, bound)
                ),
            }
            for box in boxes
        ],
        "size": len(padded),
        "text": to_base64(AESGCM(content_key).encrypt(_NONCE, salt + padded, bound)),
        "v": 1,
    }
    path = reason_path(root, ref)
    make_folder(path.parent)
    write_bytes_aside(path, canonical.encode(document))
    return ref


def reason_path(root: Path, ref: str) -> Path:
    """Return where the text of a reason lies.

    Raises
    ------
    InputError
        When it is not named by ``sha256:`` and 64 hex digits.
    """
    if not DIGEST.accepts(ref):
        raise InputError(
            "A text is named by 'sha256:' and 64 hex digits; something else came.",
            hint="Take the 'ref' of the reason from the log.",
        )
    return root / REASONS / f"{ref.removeprefix('sha256:')}.bin"


def read_reason(root: Path, ref: str, officer: OfficerKey) -> str:
    """Return the text of a reason, when it is the one to which the log is bound.

    Parameters
    ----------
    root : Path
        Folder of the log.
    ref : str
        As the log names it.
    officer : OfficerKey
        Who reads.

    Raises
    ------
    InputError
        When it is not there, was changed, or is not encrypted to this officer.
    """
    try:
        raw = reason_path(root, ref).read_bytes()
    except FileNotFoundError as err:
        raise InputError(
            "The text of this reason was erased, or never was in this log.",
            hint="Its commitment in the log stays, and says nothing without it.",
        ) from err
    try:
        plain = _opened(json.loads(raw), ref, officer)
        said = plain[_SALT:].rstrip(b"\0")
        text = said.decode("utf-8", "surrogatepass")
    except (ValueError, TypeError, KeyError, RecursionError, InvalidTag) as err:
        raise _changed() from err
    if f"sha256:{sha256(plain[:_SALT] + said).hexdigest()}" != ref:
        raise _changed()
    return text


def _opened(document: Any, ref: str, officer: OfficerKey) -> bytes:
    ours = to_base64(officer.box)
    wrapped = [one["key"] for one in document["keys"] if one["box"] == ours]
    if not wrapped:
        raise InputError(
            "The text of this reason is encrypted to other officers.",
            hint="Ask the officer who was in office when it was written.",
        )
    public, bound = from_base64(document["from"], 32), ref.encode()
    shared = officer.opening.exchange(X25519PublicKey.from_public_bytes(public))
    content_key = _wrapping(shared, public, officer.box).decrypt(
        _NONCE, from_base64(wrapped[0], 48), bound
    )
    sealed = from_base64(document["text"], _SALT + document["size"] + 16)
    return AESGCM(content_key).decrypt(_NONCE, sealed, bound)


def erase_reason(root: Path, ref: str) -> bool:
    """Erase the text of a reason; its commitment in the log stays and the chain holds.

    Parameters
    ----------
    root : Path
        Folder of the log.
    ref : str
        As the log names it.

    Returns
    -------
    bool
        Whether there was one.

    Raises
    ------
    InputError
        When the name is no digest.
    """
    path = reason_path(root, ref)
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    sync_folder(path.parent)
    return True


def _changed() -> InputError:
    return InputError(
        "The text of this reason is not the one to which the log is bound: its file was "
        "changed.",
        hint="Put it back from a backup, or note that it is lost.",
    )
