"""A signing key that lasts: in the system's keyring, or in a file under a passphrase.

Either way a file says in the open whose key it is and what its public half is::

    {"kind": "install", "made": time, "name": writer, "pub": base64, "sealed": {...}, "v": 1}
    {"kind": "install", "made": time, "name": writer, "pub": base64, "ring": name, "v": 1}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.seal import from_base64, to_base64
from napari_medlabel.audit.keys.signatures import SEED_BYTES, SigningKey
from napari_medlabel.errors import InputError
from napari_medlabel.secret.asking import Ask
from napari_medlabel.secret.passphrase import check_passphrase, opened, sealed
from napari_medlabel.secret.private_file import PrivateFile
from napari_medlabel.secret.ring import drop_from_ring, from_ring, into_ring

VERSION: Final = 1
Kind = Literal["install", "officer", "user", "witness"]
Random = Callable[[int], bytes]
_NAMES: Final = ("kind", "made", "name", "pub", "v")


def _unheard(_public: bytes) -> None:
    return None


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What is known of a key without opening it.

    Parameters
    ----------
    kind : str
        install, officer, user or witness.
    name : str
        Whose: a writer, a site, a user's token, a witness.
    public : bytes
        32 bytes.
    made : str
        When.
    ring : str
        Its name in the keyring; empty where it lies in the file, under a passphrase.
    """

    kind: str
    name: str
    public: bytes
    made: str
    ring: str = ""

    @property
    def is_sealed(self) -> bool:
        """Whether a passphrase is needed."""
        return not self.ring


def make_key(
    path: Path,
    facts: tuple[Kind, str, str],
    random_bytes: Random,
    *,
    passphrase: str | None = None,
    ring: str = "",
    announce: Callable[[bytes], object] = _unheard,
) -> SigningKey:
    """Make a key where there is none.

    Parameters
    ----------
    path : Path
        The file that tells of it.
    facts : tuple of str
        Kind, name, and the time it is made.
    random_bytes : callable
        ``count -> bytes`` from a cryptographic source.
    passphrase : str, optional
        To seal it in the file; needed where `ring` is empty.
    ring : str
        Name in the keyring where it is to lie there.
    announce : callable
        Told the public key before the key is written, such as to note it in a log. What it
        raises stops the making.

    Raises
    ------
    InputError
        When the passphrase is too short, or neither it nor a keyring is given.
    SaveError
        When there is a key, or it cannot be written.
    """
    file = PrivateFile(path)
    file.prepare()
    seed = random_bytes(SEED_BYTES)
    key = SigningKey(seed)
    _require_place(passphrase, ring)
    announce(key.public)
    file.create(_document(seed, key, facts, random_bytes, passphrase, ring))
    return key


def replace_key(
    path: Path,
    facts: tuple[Kind, str, str],
    random_bytes: Random,
    *,
    passphrase: str | None = None,
    ring: str = "",
    announce: Callable[[bytes], object] = _unheard,
) -> SigningKey:
    """Put a new key in place of one; the old one is gone then.

    Parameters, and what is raised, are those of `make_key`; a key that is there is replaced.
    """
    seed = random_bytes(SEED_BYTES)
    key = SigningKey(seed)
    _require_place(passphrase, ring)
    announce(key.public)
    PrivateFile(path).replace(_document(seed, key, facts, random_bytes, passphrase, ring))
    return key


def read_facts(path: Path, kind: Kind) -> KeyFacts | None:
    """Return what a key's file says in the open, or None where there is no file.

    Raises
    ------
    InputError
        When it is not such a file, or others may read it.
    """
    file = PrivateFile(path)
    return _facts(_read(file), kind) if file.exists() else None


def open_key(path: Path, kind: Kind, ask: Ask) -> SigningKey | None:
    """Return a key, or None where there is no file.

    Parameters
    ----------
    path : Path
        The file that tells of it.
    kind : str
        What kind of key is expected.
    ask : callable
        Returns the passphrase; called only where there is one.

    Raises
    ------
    PassphraseError
        When the passphrase is another one.
    InputError
        When the file is damaged, or the keyring does not have what it should.
    """
    file = PrivateFile(path)
    if not file.exists():
        return None
    document = _read(file)
    facts = _facts(document, kind)
    if facts.ring:
        held = from_ring(facts.ring)
        if held is None:
            raise InputError(
                "The keyring was expected to hold the key, and has none of this name.",
                hint="Sign in to the account that made it; or make a new key in its place.",
            )
        return _checked(_unhex(held), facts)
    try:
        seed = opened(document["sealed"], ask(), _bound(facts))
    except (ValueError, TypeError, KeyError, AttributeError) as err:
        raise _damaged() from err
    return _checked(seed, facts)


def drop_key(path: Path, kind: Kind) -> None:
    """Destroy a key, in the keyring too.

    Raises
    ------
    InputError, SaveError
        When it cannot be read, or the keyring does not let go.
    """
    facts = read_facts(path, kind)
    if facts is None:
        return
    if facts.ring:
        drop_from_ring(facts.ring)
    path.unlink()


def _document(
    seed: bytes,
    key: SigningKey,
    facts: tuple[Kind, str, str],
    random_bytes: Random,
    passphrase: str | None,
    ring: str,
) -> str:
    kind, name, made = facts
    shown: dict[str, object] = {
        "kind": kind,
        "made": made,
        "name": name,
        "pub": to_base64(key.public),
        "v": VERSION,
    }
    if ring:
        into_ring(ring, seed.hex())
        shown["ring"] = ring
    else:
        bound = _bound(KeyFacts(kind, name, key.public, made))
        shown["sealed"] = sealed(seed, passphrase or "", bound, random_bytes)
    return json.dumps(shown, indent=2, sort_keys=True) + "\n"


def _require_place(passphrase: str | None, ring: str) -> None:
    """Refuse what could not be kept, before it is announced."""
    if ring:
        return
    if passphrase is None:
        raise InputError(
            "A key needs a passphrase where no keyring keeps it, and none was given.",
            hint="Give a passphrase, or use the system's keyring.",
        )
    check_passphrase(passphrase)


def _bound(facts: KeyFacts) -> str:
    """Return what stands beside the sealed key and must not change."""
    shown = [facts.kind, facts.name, to_base64(facts.public), facts.made, VERSION]
    return canonical.encode(shown).decode("utf-8")


def _read(file: PrivateFile) -> Mapping[str, Any]:
    try:
        document = json.loads(file.read())
    except ValueError as err:
        raise _damaged() from err
    if not isinstance(document, dict):
        raise _damaged()
    return document


def _facts(document: Mapping[str, Any], kind: Kind) -> KeyFacts:
    wanted = {*_NAMES, "ring"}, {*_NAMES, "sealed"}
    texts = all(isinstance(document.get(name), str) for name in ("made", "name", "pub"))
    if document.keys() not in wanted or not texts or document["v"] != VERSION:
        raise _damaged()
    if document["kind"] != kind:
        raise InputError(
            f"A key of the kind '{kind}' was expected, and another kind is in the file.",
            hint="Each key has a file of its own: check which file was named.",
        )
    ring = document.get("ring", "")
    if not isinstance(ring, str):
        raise _damaged()
    try:
        public = from_base64(document["pub"], 32)
    except ValueError as err:
        raise _damaged() from err
    return KeyFacts(kind, document["name"], public, document["made"], ring)


def _unhex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as err:
        raise _damaged() from err


def _checked(seed: bytes, facts: KeyFacts) -> SigningKey:
    """Return the key when it is the one that the file tells of."""
    if len(seed) != SEED_BYTES:
        raise _damaged()
    key = SigningKey(seed)
    if key.public != facts.public:
        raise _damaged()
    return key


def _damaged() -> InputError:
    return InputError(
        "A file with a signing key was expected, and this one is damaged or something else.",
        hint="Restore it from its backup; or move it away and make a new key.",
    )
