"""Keyed pseudonyms: UIDs, codes and log tokens that are the same wherever the key is."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from napari_medlabel.errors import InputError

KEY_BYTES = 32
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SEPARATOR = "\x1f"
_TOKEN_HEX = 32


@dataclass(frozen=True)
class Pseudonyms:
    """What replaces an identifier, by HMAC-SHA-256 over a purpose and the value.

    Parameters
    ----------
    key : bytes
        The project's secret, 32 bytes.
    patient_code_source : callable, optional
        ``(issuer, patient_id) -> code``, where codes come from somewhere else than the
        key, such as a link table. Must be consistent for one patient.
    subject_token_source : callable, optional
        ``(issuer, patient_id) -> token``, where the log has a key of its own, so that what
        was opened and what left carry the same token.

    Raises
    ------
    InputError
        When the key is not 32 bytes long.
    """

    key: bytes = field(repr=False)
    patient_code_source: Callable[[str, str], str] | None = field(default=None, repr=False)
    subject_token_source: Callable[[str, str], str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise InputError(
                f"A project key is {KEY_BYTES} bytes, this one has {len(self.key)}.",
                hint="Pass a key file that `medlabel deid --key FILE` made.",
            )

    @property
    def key_id(self) -> str:
        """Eight hex digits that name the key and do not reveal it."""
        return self._digest("key-id", "").hex()[:8]

    def uid(self, original: str) -> str:
        """Return the UID that replaces one: ``2.25.`` and a version 4 UUID as a decimal number.

        Parameters
        ----------
        original : str
            The UID as found; padding (NUL, blanks) does not count.

        Returns
        -------
        str
            At most 44 characters, valid under PS3.5 section B.2.
        """
        digest = self._digest("uid", original.strip("\0 "))
        return f"2.25.{UUID(bytes=digest[:16], version=4).int}"

    def code(self, purpose: str, value: str, *, length: int = 8) -> str:
        """Return a code in Crockford's base 32 for a value, apart for each purpose.

        Parameters
        ----------
        purpose : str
            What the code stands for, for example ``"study"``.
        value : str
            The identifier that it replaces.
        length : int
            Characters; each carries five bits. At most 51.

        Returns
        -------
        str
            Capitals and digits without I, L, O and U.
        """
        return base32(int.from_bytes(self._digest(purpose, value), "big"), length)

    def patient_code(self, issuer: str, patient_id: str) -> str:
        """Return the code ``P-XXXXXXXX`` that stands for a patient in files and names.

        It comes from `patient_code_source`, such as a link table or what a link table
        sent; without one from the key, as it was before there were link tables.
        """
        if self.patient_code_source is not None:
            return self.patient_code_source(normalised(issuer), normalised(patient_id))
        return "P-" + self.code("patient", identity_text(issuer, patient_id))

    def subject_token(self, issuer: str, patient_id: str) -> str:
        """Return the token ``s1-`` and 32 hex digits that stands for a patient in the log.

        HMAC-SHA-256 over issuer, 0x1F and Patient ID, normalised; with another purpose
        than the code in files, so that log and data cannot be joined without the key.
        """
        if self.subject_token_source is not None:
            return self.subject_token_source(issuer, patient_id)
        digest = self._digest("log-subject", identity_text(issuer, patient_id))
        return f"s1-{digest.hex()[:_TOKEN_HEX]}"

    def _digest(self, purpose: str, value: str) -> bytes:
        message = f"{purpose}|{value}".encode("utf-8", "surrogatepass")
        return hmac.new(self.key, message, hashlib.sha256).digest()


def base32(number: int, length: int) -> str:
    """Return the low bits of a number in Crockford's base 32, the lowest first."""
    return "".join(_CROCKFORD[(number >> (5 * i)) & 31] for i in range(length))


def from_base32(text: str) -> int:
    """Return the number that `base32` turned into a text.

    Raises
    ------
    ValueError
        For letters that are not in Crockford's base 32.
    """
    return sum(_CROCKFORD.index(letter) << (5 * i) for i, letter in enumerate(text))


def normalised(text: str) -> str:
    """Return an identifier without padding, in Unicode NFC.

    Case is kept, as in the log's tokens: ``a1`` and ``A1`` may be two people.
    """
    return unicodedata.normalize("NFC", text).strip("\0 \t\r\n")


def identity_text(issuer: str, patient_id: str) -> str:
    """Return one text for both; what holds the separator itself says where the issuer ends."""
    one, other = normalised(issuer), normalised(patient_id)
    text = one + _SEPARATOR + other
    if _SEPARATOR in one + other:
        return f"{len(one)}{_SEPARATOR}{_SEPARATOR}{text}"
    return text
