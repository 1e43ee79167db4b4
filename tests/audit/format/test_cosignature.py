"""Cosignatures: published key ids and layouts, the message by hand, every other message."""

from __future__ import annotations

import base64
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from napari_medlabel.audit.format.cosignature import cosign, cosigned_at, cosigner_id
from napari_medlabel.audit.format.note import Note, note_bytes, parse_note
from napari_medlabel.audit.format.seal import Head

# Origin, size and root of the example in C2SP tlog-cosignature, and its message.
_ROOT = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
_HEAD = Head("example.com/behind-the-sofa", 20852163, _ROOT)
_MESSAGE = (
    b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
    b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
)
_NAME = "witness.example.com/w1"
# The witness's line of that example, and a signature of the Go reference tests with its time.
_EXAMPLE = (
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+"
    "mbIUBkBIfZ+qnA=="
)
_REFERENCE = (
    "ZGhGuQAAAABm/qTPeyKXD+R2rzyQsxPiP8mXum7qq/iF0u4vanlqJyocWODBt97w9uL+8qT7S5gxEHWWOworDcFi"
    "EBYJXORmnFBOBA=="
)
# A published verifier key of type 0x04: name, key id, type and key.
_VKEY = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"


class _Key:
    def __init__(self, seed: int) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.public = self.private.public_key().public_bytes_raw()

    def sign(self, text: bytes) -> bytes:
        return self.private.sign(text)


_KEY = _Key(1)


def test_the_key_id_is_that_of_a_published_verifier_key() -> None:
    name, shown_id, key = _VKEY.split("+")
    material = base64.b64decode(key)
    assert material[0] == 4
    assert cosigner_id(name, material[1:]).hex() == shown_id


@pytest.mark.parametrize(("line", "time"), [(_EXAMPLE, 1679315147), (_REFERENCE, 1727964367)])
def test_published_signatures_have_this_layout(line: str, time: int) -> None:
    raw = base64.b64decode(line)
    assert len(raw) == 4 + 8 + 64
    assert int.from_bytes(raw[4:12], "big") == time


def test_what_is_signed_is_the_message_of_the_specification() -> None:
    made = cosign(_NAME, _KEY, _HEAD, 1679315147)
    by_hand = (
        sha256(_NAME.encode() + b"\n\x04" + _KEY.public).digest()[:4]
        + bytes.fromhex("00000000641850cb")
        + _KEY.private.sign(_MESSAGE)
    )
    assert made.raw == by_hand
    assert made.name == _NAME


def test_a_cosignature_holds_and_tells_its_time() -> None:
    made = cosign(_NAME, _KEY, _HEAD, 1679315147)
    note = parse_note(note_bytes(Note(_HEAD.text(), (made,))))
    (raw,) = note.signed_by(_NAME, cosigner_id(_NAME, _KEY.public))
    assert cosigned_at(raw, _KEY.public, note.text) == 1679315147


def test_a_cosignature_of_another_key_time_or_text_does_not_hold() -> None:
    raw = cosign(_NAME, _KEY, _HEAD, 1679315147).raw[4:]
    text = _HEAD.text()
    assert cosigned_at(raw, _Key(2).public, text) is None
    assert cosigned_at((7).to_bytes(8, "big") + raw[8:], _KEY.public, text) is None
    assert cosigned_at(raw, _KEY.public, text.replace(b"20852163", b"20852164")) is None
    assert cosigned_at(raw[:-1], _KEY.public, text) is None
    assert cosigned_at(raw + b"\0", _KEY.public, text) is None


@pytest.mark.parametrize("seconds", [0, 2**63])
def test_a_time_that_is_none_neither_is_signed_nor_holds(seconds: int) -> None:
    with pytest.raises(ValueError, match="a time after 1970"):
        cosign(_NAME, _KEY, _HEAD, seconds)
    message = b"cosignature/v1\ntime %d\n" % seconds + _HEAD.text()
    raw = seconds.to_bytes(8, "big") + _KEY.sign(message)
    assert cosigned_at(raw, _KEY.public, _HEAD.text()) is None
