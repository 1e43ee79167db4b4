"""Keyed tokens that stand for patients and users, so that the log holds neither.

An unkeyed hash of a patient number is found by trying all numbers in seconds; a keyed one
is not. The key lies on this computer and with the officer, never beside the log.
"""

from __future__ import annotations

import hmac
import stat
import sys
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from napari_medlabel.audit.disk import Io, SystemIo, write_once
from napari_medlabel.audit.faults import error_name, log_error
from napari_medlabel.errors import InputError, LogError

KID: Final = 1
"""Number of the key, the ``1`` of ``s1-...``."""

_FILE: Final = "token.key"
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
    """

    secret: bytes = field(repr=False)
    created: bool = False

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
            ``s1-`` and 32 hex digits of HMAC-SHA-256 over issuer, 0x1F, id.

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
        return f"s{KID}-{self._mac(b'', data)[:32]}"

    def content_token(self, sha256: str) -> str:
        """Return the token that stands for a patient where there is no id.

        Parameters
        ----------
        sha256 : str
            Digest of the source's content, hex digits, with or without ``sha256:``.
        """
        return f"s{KID}-{self._mac(b'content', sha256.removeprefix('sha256:').encode())[:32]}"

    def subject(self, issuer: str | None, patient_id: str, content_sha256: str) -> Subject:
        """Return the token of a patient, or of the content where there is no id."""
        if normalise(patient_id):
            return Subject(self.subject_token(issuer, patient_id), weak=False)
        return Subject(self.content_token(content_sha256), weak=True)

    def user_token(self, name: str) -> str:
        """Return the token of a user, ``u1-`` and 16 hex digits."""
        return f"u{KID}-{self._mac(b'user', normalise(name).encode())[:16]}"


def load_token_key(state: Path, io: Io | None = None) -> TokenKey:
    """Return this computer's token key, and make it where there is none.

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
    path = state / _FILE
    fresh = io.random(_LENGTH).hex().encode() + b"\n"
    try:
        raw = write_once(io, path, fresh)
        mode = stat.S_IMODE(path.stat().st_mode)
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
    return TokenKey(secret, created=raw == fresh)


def _spoilt() -> LogError:
    return LogError(
        "The token key must be 64 hex digits, and something else is there.",
        hint="Put the file 'token.key' back from your backup, or move it away for a new one.",
    )
