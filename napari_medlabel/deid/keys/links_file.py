"""The bytes of a link table: a head in the open, then sealed records, each bound to the last.

A record is its length, a random nonce and AES-256-GCM's output. The key is HKDF-SHA-256 of
the project key with the table's own salt (RFC 5869); what is authenticated besides is the
record's number and a digest of all bytes before it. So a record cannot be left out, moved,
or taken from another table, and a table of another key opens nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
_FORMAT: Final = "medlabel-links"
_VERSION: Final = 1
_LONGEST_HEAD: Final = 512
_LONGEST_BOX: Final = 1 << 16
_TAG_BYTES: Final = 16
_BLOCK: Final = 64  # texts are padded to whole blocks, so that lengths say little
_LENGTH: Final = struct.Struct(">I")
_NUMBER: Final = struct.Struct(">Q")
_KID: Final = re.compile(r"[0-9a-f]{8}")
_SALT: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Link:
    """One patient and the code that stands for the patient.

    Parameters
    ----------
    issuer, patient_id : str
        As `dicom.patient_of` finds them, normalised. Without a Patient ID the issuer is
        ``"study"`` and a UID stands for the patient.
    code : str
        ``P-XXXXXXXX``.
    is_current : bool
        Whether new copies get this code; False for one that another table gave.
    """

    issuer: str
    patient_id: str
    code: str
    is_current: bool = True

    def __repr__(self) -> str:
        return "Link()"


@dataclass(frozen=True)
class Place:
    """Where a reader or writer is in a table.

    Parameters
    ----------
    count : int
        Records before this place.
    chain : bytes
        SHA-256 over the head, then over digest and record for each.
    offset : int
        Bytes before this place.
    """

    count: int
    chain: bytes
    offset: int


class Codec:
    """Seals and opens the records of one table.

    Parameters
    ----------
    head : bytes
        The head's line.
    salt : str
        In the head: 32 hexadecimal digits.
    key : bytes
        The project key.
    """

    def __init__(self, head: bytes, salt: str, key: bytes) -> None:
        self.head = head
        self.salt = salt
        self._cipher = _cipher(key, bytes.fromhex(salt))

    def start(self) -> Place:
        """Return the place after the head."""
        return Place(0, hashlib.sha256(self.head).digest(), len(self.head))

    def seal(self, link: Link, nonce: bytes, place: Place) -> tuple[bytes, Place]:
        """Return a link as the record that comes at a place, and the place after it."""
        fields = [link.issuer, link.patient_id, link.code, int(link.is_current)]
        plain = json.dumps(fields, separators=(",", ":")).encode("ascii")
        plain += b" " * (-len(plain) % _BLOCK)
        box = self._cipher.encrypt(nonce, plain, _bound(place))
        record = _LENGTH.pack(len(box)) + nonce + box
        return record, _after(place, record)

    def records(self, stream: BinaryIO) -> Iterator[tuple[Link, Place]]:
        """Yield each link with the place after it; an unfinished last record is no record.

        Parameters
        ----------
        stream : BinaryIO
            The table, at the start of its records.

        Raises
        ------
        InputError
            When a whole record cannot be opened: the table was changed.
        """
        place = self.start()
        while record := _next_record(stream):
            nonce, box = record[4 : 4 + NONCE_BYTES], record[4 + NONCE_BYTES :]
            link = self._opened(nonce, box, place)
            place = _after(place, record)
            yield link, place

    def _opened(self, nonce: bytes, box: bytes, place: Place) -> Link:
        from cryptography.exceptions import InvalidTag

        try:
            plain = self._cipher.decrypt(nonce, box, _bound(place))
        except InvalidTag as err:
            raise damaged(place.count + 1) from err
        issuer, patient_id, code, current = json.loads(plain)
        return Link(issuer, patient_id, code, bool(current))


def new_head(kid: str, salt: bytes) -> bytes:
    """Return the head's line of a new table."""
    head = {"format": _FORMAT, "version": _VERSION, "kid": kid, "salt": salt.hex()}
    return json.dumps(head, separators=(",", ":")).encode("ascii") + b"\n"


def is_bare_head(content: bytes) -> bool:
    """Whether a file's content is the head of a table and nothing more."""
    try:
        return content.endswith(b"\n") and json.loads(content)["format"] == _FORMAT
    except (ValueError, TypeError, KeyError):
        return False


def read_head(stream: BinaryIO, kid: str, key: bytes) -> Codec:
    """Read a table's head and return what opens its records.

    Raises
    ------
    InputError
        When it is no link table, one of a newer program, or one of another key.
    """
    line = stream.readline(_LONGEST_HEAD)
    try:
        head = json.loads(line)
        named = head["format"], head["version"]
        its_kid, salt = str(head["kid"]), str(head["salt"])
    except (ValueError, TypeError, KeyError) as err:
        raise no_table() from err
    if named[0] != _FORMAT or not line.endswith(b"\n"):
        raise no_table()
    if named[1] != _VERSION or not _KID.fullmatch(its_kid) or not _SALT.fullmatch(salt):
        raise InputError(
            f"A link table of version {_VERSION} was expected, and this one is of another.",
            hint="Use the version of the program that wrote it, or a newer one.",
        )
    if its_kid != kid:
        raise InputError(
            f"The link table belongs to the key {its_kid}, and this key is {kid}.",
            hint="Each key has a table of its own beside it: bring back the one that belongs "
            "to this key.",
        )
    return Codec(line, salt, key)


def no_table() -> InputError:
    """Return the error for a file that is something else."""
    return InputError(
        "A link table was expected, and the file that has its name is none.",
        hint="Move that file away and bring the table back from its backup.",
    )


def damaged(number: int) -> InputError:
    """Return the error for a record that cannot be opened."""
    return InputError(
        f"Link {number} of the link table cannot be opened: the file was changed or damaged.",
        hint="Bring the table back from its backup. Do not delete it: without it nobody can "
        "tell whose the codes are.",
    )


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(SHA256(), 32, salt, b"medlabel links v1").derive(key))


def _bound(place: Place) -> bytes:
    """Return what a record is authenticated with: its number, and all that is before it."""
    return _NUMBER.pack(place.count) + place.chain


def _after(place: Place, record: bytes) -> Place:
    chain = hashlib.sha256(place.chain + record).digest()
    return Place(place.count + 1, chain, place.offset + len(record))


def _next_record(stream: BinaryIO) -> bytes:
    """Read one whole record; nothing at the end, or where a write was cut off.

    A write that was cut off is shorter than it says, or zeros where a disk lost power.
    """
    length = stream.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        return b""
    (size,) = _LENGTH.unpack(length)
    if size > _LONGEST_BOX or size < _TAG_BYTES:
        rest = length + stream.read(_LONGEST_BOX)
        if rest.strip(b"\0") == b"" and len(rest) < _LONGEST_BOX:
            return b""
        raise InputError(
            "The link table holds a record of impossible length: it was changed or damaged.",
            hint="Bring the table back from its backup.",
        )
    rest = stream.read(NONCE_BYTES + size)
    return length + rest if len(rest) == NONCE_BYTES + size else b""
