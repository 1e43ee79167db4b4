"""Keyed tokens that stand for patients and users, so that the log holds neither.

An unkeyed hash of a patient number is found by trying all numbers in seconds; a keyed one
is not. The key lies on this computer and with the officer, never beside the log.
"""

from __future__ import annotations

import getpass
import hmac
import re
import stat
import sys
import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from napari_medlabel.audit.disk import Io, SystemIo, write_once
from napari_medlabel.audit.faults import error_name, log_error
from napari_medlabel.errors import InputError, LogError

KID: Final = 1
"""Number of the first key, the ``1`` of ``s1-...``."""

LAST_KID: Final = 9999
"""Highest number that a token has room for."""

_FILE: Final = "token.key"
_NAME: Final = re.compile(r"token(?:-([0-9]{1,4}))?(\.old-[0-9a-f]{8})?\.key", re.ASCII)
_LENGTH: Final = 32


def normalise(text: str) -> str:
    """Return an identifier as it is hashed.

    Unicode NFC, without the padding that DICOM allows: white space and NUL at both ends.
    Case is kept: ``a1`` and ``A1`` may be two people.
    """
    return unicodedata.normalize("NFC", text).strip(" \t\r\n\0")


@dataclass(frozen=True, slots=True)
class Subject:
    """The token of a patient.

    Parameters
    ----------
    token : str
        ``s1-<32 hex digits>``.
    weak : bool
        True where no patient id was there and the content stands for the patient: two
        scans of one patient then have two tokens.
    """

    token: str
    weak: bool


@dataclass(frozen=True, slots=True)
class TokenKey:
    """The secret behind the tokens.

    Parameters
    ----------
    secret : bytes
        32 random bytes. Never shown.
    created : bool
        Whether it was made just now; the log then says so.
    kid : int
        Its number, the ``1`` of ``s1-...``.
    """

    secret: bytes = field(repr=False)
    created: bool = False
    kid: int = KID

    def _mac(self, label: bytes, data: bytes) -> str:
        key = (
            hmac.digest(self.secret, b"\0medlabel " + label, "sha256") if label else self.secret
        )
        return hmac.digest(key, data, "sha256").hex()

    def subject_token(self, issuer: str | None, patient_id: str) -> str:
        """Return the token of a patient.

        Parameters
        ----------
        issuer : str or None
            Who gave the number (IssuerOfPatientID), where known.
        patient_id : str
            The number.

        Returns
        -------
        str
            ``s<kid>-`` and 32 hex digits of HMAC-SHA-256 over issuer, 0x1F, id.

        Raises
        ------
        InputError
            When the id is empty. `subject` has the way out.
        """
        number = normalise(patient_id)
        if not number:
            raise InputError(
                "A patient id was expected, and an empty one came.",
                hint="Use the token of the content instead.",
            )
        data = normalise(issuer or "").encode() + b"\x1f" + number.encode()
        return f"s{self.kid}-{self._mac(b'', data)[:32]}"

    def content_token(self, sha256: str) -> str:
        """Return the token that stands for a patient where there is no id.

        Parameters
        ----------
        sha256 : str
            Digest of the source's content, hex digits, with or without ``sha256:``.
        """
        return (
            f"s{self.kid}-{self._mac(b'content', sha256.removeprefix('sha256:').encode())[:32]}"
        )

    def subject(self, issuer: str | None, patient_id: str, content_sha256: str) -> Subject:
        """Return the token of a patient, or of the content where there is no id."""
        if normalise(patient_id):
            return Subject(self.subject_token(issuer, patient_id), weak=False)
        return Subject(self.content_token(content_sha256), weak=True)

    def user_token(self, name: str) -> str:
        """Return the token of a user, ``u<kid>-`` and 16 hex digits."""
        return f"u{self.kid}-{self._mac(b'user', normalise(name).encode())[:16]}"


def account_name() -> str:
    """Return the name of the account that runs this; ``unknown`` where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # as in some containers
        return "unknown"


def token_file(state: Path, kid: int) -> Path:
    """Return where the token key of a number lies."""
    return state / (_FILE if kid == KID else f"token-{kid}.key")


def load_token_key(state: Path, io: Io | None = None) -> TokenKey:
    """Return this computer's newest token key, and make the first where there is none.

    Parameters
    ----------
    state : Path
        Folder of this computer's own memory.
    io : Io, optional
        The machine.

    Raises
    ------
    LogError
        When it cannot be read or made, is not 32 bytes in hex, or others may read it.
    """
    io = io or SystemIo()
    newest = max((kid for _, kid, is_old in _found(state) if not is_old), default=KID)
    return _load(io, token_file(state, newest), newest)


def load_token_keys(state: Path) -> tuple[TokenKey, ...]:
    """Return every token key of this computer, the newest last: old tokens stay searchable.

    Parameters
    ----------
    state : Path
        Folder of this computer's own memory.

    Returns
    -------
    tuple of TokenKey
        Empty where none was made. Two may have one number: an imported key takes the place
        of the one that was made here, and the latter is kept for searching.

    Raises
    ------
    LogError
        As `load_token_key`.
    """
    found = sorted(_found(state), key=lambda one: (one[1], not one[2], one[0].name))
    return tuple(_read(path, kid) for path, kid, _ in found)


def rotate_token_key(state: Path, io: Io | None = None) -> TokenKey:
    """Make the next token key; from now on tokens are of this one.

    Whoever destroys an old key makes all its tokens say nothing for ever.

    Raises
    ------
    LogError
        When it cannot be made, or the numbers are used up.
    """
    io = io or SystemIo()
    kid = load_token_key(state, io).kid + 1
    if kid > LAST_KID:
        raise LogError(
            f"Token keys are numbered up to {LAST_KID}, and that number is used.",
            hint="Keep the key that there is.",
        )
    return _load(io, token_file(state, kid), kid)


def _found(state: Path) -> list[tuple[Path, int, bool]]:
    """Return file, number, and whether another took its place, of each key there is."""
    matches = ((path, _NAME.fullmatch(path.name)) for path in state.glob("token*.key"))
    return [(path, int(m[1] or KID), m[2] is not None) for path, m in matches if m]


def _load(io: Io, path: Path, kid: int) -> TokenKey:
    fresh = io.random(_LENGTH).hex().encode() + b"\n"
    try:
        raw = write_once(io, path, fresh)
    except OSError as err:
        raise log_error("The token key could not be read or made", error_name(err)) from err
    return replace(_read(path, kid), created=raw == fresh)


def _read(path: Path, kid: int) -> TokenKey:
    try:
        raw, mode = path.read_bytes(), stat.S_IMODE(path.stat().st_mode)
    except OSError as err:
        raise log_error("The token key could not be read or made", error_name(err)) from err
    if sys.platform != "win32" and mode & 0o077:
        raise LogError(
            f"The token key must be readable by you alone (0600), and its mode is {mode:04o}.",
            hint="Find out who read it; then set its mode to 0600 with chmod.",
        )
    try:
        secret = bytes.fromhex(raw.decode("ascii").strip())
    except ValueError as err:
        raise _spoilt() from err
    if len(secret) != _LENGTH:
        raise _spoilt()
    return TokenKey(secret, kid=kid)


def _spoilt() -> LogError:
    return LogError(
        "The token key must be 64 hex digits, and something else is there.",
        hint="Put the file 'token.key' back from your backup, or move it away for a new one.",
    )
