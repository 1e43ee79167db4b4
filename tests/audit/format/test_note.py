"""Signed notes: the example of the specification, and every other spelling refused."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.audit.format.note import (
    MAX_BYTES,
    MAX_SIGNATURES,
    Note,
    NoteSignature,
    checkpoint_of,
    head_note_bytes,
    head_of_text,
    is_key_name,
    note_bytes,
    parse_note,
)
from napari_medlabel.audit.format.seal import Head, SealKey, SessionKey, key_id, to_base64

# The example in C2SP signed-note, with its verifier key.
_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
_EXAMPLE = (
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2"
    "ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()

_ORIGIN = "medlabel.local/ward-3/w0123456789abcdef/20261122T101403Z-01JDABCDEFGHJKMNPQRSTVWXYZ"
_HEAD = Head(_ORIGIN, 7, bytes(range(32)))


def test_the_published_example_is_read_and_written_and_its_signature_holds() -> None:
    note = parse_note(_EXAMPLE)
    name, shown_id, key = _VKEY.split("+")
    public = base64.b64decode(key)[1:]
    assert key_id(name, public).hex() == shown_id
    (raw,) = note.signed_by(name, key_id(name, public))
    Ed25519PublicKey.from_public_bytes(public).verify(raw, note.text)
    assert note_bytes(note) == _EXAMPLE


def test_a_key_of_the_same_name_or_the_same_id_alone_is_another_key() -> None:
    note = parse_note(_EXAMPLE)
    known = note.signatures[0].raw[:4]
    assert not note.signed_by("example.com/bar", known)
    assert not note.signed_by("example.com/foo", b"\0\0\0\0")


def test_the_text_may_hold_empty_lines_and_other_letters() -> None:
    text = "Ognuno sta solo\n\ned è subito sera.\n".encode()
    note = Note(text, (NoteSignature("quasimodo.example/salvatore", b"12345"),))
    assert parse_note(note_bytes(note)) == note


def test_a_published_head_is_a_note_signed_as_the_seal_in_the_log() -> None:
    key = SessionKey(_ORIGIN, bytes(32))
    signature = key.sign(_HEAD)
    note = parse_note(head_note_bytes(_HEAD, signature))
    assert checkpoint_of(note) == _HEAD
    assert note.signatures == (NoteSignature(_ORIGIN, signature),)
    assert SealKey.from_bytes(_ORIGIN, key.public).signed(checkpoint_of(note), signature)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"x" * (MAX_BYTES + 1), "at most"),
        (b"", "an empty line"),
        (b"text\n", "an empty line"),
        ("text\n— name AAAAAAA=\n".encode(), "an empty line"),
        ("text\n\n— name AAAAAAA=".encode(), "an empty line"),
        (b"text\n\n\xff\n", "UTF-8"),
        (b"\xff\n\n" + "— name AAAAAAA=\n".encode(), "UTF-8"),
        ("a\tb\n\n— name AAAAAAA=\n".encode(), "control"),
        ("a\r\n\n— name AAAAAAA=\n".encode(), "control"),
        (b"text\n\n- name AAAAAAA=\n", "a signature line"),
        ("text\n\n— name\n".encode(), "a signature line"),
        ("text\n\n— name  AAAAAAA=\n".encode(), "a signature line"),
        ("text\n\n— na+me AAAAAAA=\n".encode(), "plus"),
        ("text\n\n— name AAAAAAA\n".encode(), "must be base64"),
        ("text\n\n— name AAAAAAB=\n".encode(), "one spelling"),
        ("text\n\n— name AAAAAA==\n".encode(), "longer than its key id"),
        (("text\n\n" + "— name AAAAAAA=\n" * (MAX_SIGNATURES + 1)).encode(), "signatures"),
    ],
    ids=lambda value: value if isinstance(value, str) else "bytes",
)
def test_what_is_not_a_note_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_note(data)


def test_a_note_with_as_many_signatures_as_allowed_is_read() -> None:
    assert len(parse_note(("text\n\n" + "— name AAAAAAA=\n" * 16).encode()).signatures) == 16


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\x01b"])
def test_a_key_name_has_no_spaces_and_no_plus(name: str) -> None:
    assert not is_key_name(name)


def test_a_note_needs_a_signature() -> None:
    with pytest.raises(ValueError, match="1 to 64 signatures"):
        Note(b"text\n", ())


def test_a_text_ends_with_a_line_feed() -> None:
    with pytest.raises(ValueError, match="lines without control"):
        Note(b"text", (NoteSignature("name", b"12345"),))


_ROOT = to_base64(bytes(32))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{_ORIGIN}\n7\n{_ROOT}", "three lines"),
        (f"{_ORIGIN}\n7\n{_ROOT}\nextension\n", "three lines"),
        (f"{_ORIGIN}\n7\n", "three lines"),
        (f"{_ORIGIN}é\n7\n{_ROOT}\n", "three lines"),
        (f"example.com/log\n7\n{_ROOT}\n", "origin"),
        (f"{_ORIGIN}\n07\n{_ROOT}\n", "number of events"),
        (f"{_ORIGIN}\n-7\n{_ROOT}\n", "number of events"),
        (f"{_ORIGIN}\n9007199254740992\n{_ROOT}\n", "number of events"),
        (f"{_ORIGIN}\n7\n{_ROOT[:-4]}\n", "32 bytes"),
    ],
)
def test_what_is_not_a_checkpoint_of_ours_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        head_of_text(text.encode())


def test_an_empty_log_has_a_checkpoint() -> None:
    head = Head(_ORIGIN, 0, bytes(32))
    assert head_of_text(head.text()) == head


@given(st.lists(st.sampled_from(["a", "—", " ", "\n", "\n\n", "AAAAAAA=", "=", "\x00"])))
def test_what_is_read_is_written_the_same_and_all_else_is_refused(parts: list[str]) -> None:
    data = "".join(parts).encode()
    try:
        note = parse_note(data)
    except ValueError:
        return
    assert note_bytes(note) == data


def test_every_byte_of_a_published_head_counts() -> None:
    key = SessionKey(_ORIGIN, bytes(32))
    public = SealKey.from_bytes(_ORIGIN, key.public)
    raw = head_note_bytes(_HEAD, key.sign(_HEAD))
    for place in range(len(raw)):
        for mask in (1, 2, 32, 128):
            changed = raw[:place] + bytes([raw[place] ^ mask]) + raw[place + 1 :]
            try:
                note = parse_note(changed)
                head = checkpoint_of(note)
            except ValueError:
                continue
            (signature,) = note.signatures
            holds = public.signed(head, signature.raw) and signature.name == head.origin
            assert not holds
