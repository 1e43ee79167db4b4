"""Seals: an Ed25519 signature over a C2SP checkpoint, by a key that lives one session."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)


def to_base64(raw: bytes) -> str:
    """Return standard base64 with padding."""
    return base64.b64encode(raw).decode("ascii")


def from_base64(text: object, length: int) -> bytes:
    """Return the bytes of base64 text that has exactly one spelling.

    Parameters
    ----------
    text : object
        What stands in the record; only a `str` can be right.
    length : int
        Number of bytes expected.

    Raises
    ------
    ValueError
        When the text is not base64, has another length, or is not what `to_base64` gives
        (spare bits that are not zero, missing padding, line breaks).
    """
    try:
        raw = base64.b64decode(text if isinstance(text, str) else "?", validate=True)
    except (binascii.Error, ValueError) as err:
        raise ValueError("base64 text was expected") from err
    if len(raw) != length or to_base64(raw) != text:
        raise ValueError(f"base64 of exactly {length} bytes was expected")
    return raw


@dataclass(frozen=True, slots=True)
class Head:
    """What a log had become at one moment: a C2SP checkpoint.

    Parameters
    ----------
    origin : str
        ``medlabel.local/<site>/<writer>/<session>``.
    size : int
        Number of events.
    root : bytes
        RFC 6962 root over them, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def text(self) -> bytes:
        """Return the checkpoint body that is signed (C2SP tlog-checkpoint): three lines."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n".encode("ascii")

    def record(self) -> dict[str, object]:
        """Return the head as it stands in an event's detail."""
        return {"origin": self.origin, "root": to_base64(self.root), "size": self.size}


def key_id(name: str, public: bytes) -> bytes:
    """Return the 4-byte key id of C2SP signed-note: SHA-256(name, LF, 0x01, key)[:4]."""
    return sha256(name.encode("ascii") + b"\n\x01" + public).digest()[:4]


class SessionKey:
    """A signing key that is made at open, never stored, and dropped at close.

    Parameters
    ----------
    origin : str
        Name under which it signs.
    seed : bytes
        32 random bytes.
    """

    def __init__(self, origin: str, seed: bytes) -> None:
        self._private: Ed25519PrivateKey | None = Ed25519PrivateKey.from_private_bytes(seed)
        self.public: bytes = self._private.public_key().public_bytes_raw()
        self._id = key_id(origin, self.public)

    def sign(self, head: Head) -> bytes:
        """Return key id and signature over the checkpoint text, 68 bytes.

        Raises
        ------
        ValueError
            After `drop`.
        """
        if self._private is None:
            raise ValueError("the session key was dropped")
        return self._id + self._private.sign(head.text())

    def drop(self) -> None:
        """Forget the private key: nobody can seal this session again."""
        self._private = None


@dataclass(frozen=True, slots=True)
class SealKey:
    """The public half, for whoever checks.

    Parameters
    ----------
    id : bytes
        C2SP key id, 4 bytes.
    public : Ed25519PublicKey
        Key named in ``session.open``.
    """

    id: bytes
    public: Ed25519PublicKey

    @classmethod
    def from_bytes(cls, origin: str, public: bytes) -> Self:
        """Build from the session's origin and the 32 bytes of its public key."""
        return cls(key_id(origin, public), Ed25519PublicKey.from_public_bytes(public))

    def signed(self, head: Head, signature: bytes) -> bool:
        """Return whether key id and signature (68 bytes) belong to this key and this head."""
        if signature[:4] != self.id:
            return False
        try:
            self.public.verify(signature[4:], head.text())
        except InvalidSignature:
            return False
        return True
