"""Signatures of people: printed name, time, meaning and content, under their own passphrase.

A statement lies beside the log, since it holds a name::

    signatures/<digest>.json
    {"meaning", "name", "object", "pub", "signature", "time", "user", "v": 1}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, get_args

from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.layout import SIGNATURES
from napari_medlabel.audit.format.schema import DIGEST, PUBLIC_KEY, USER, Field, choice, group
from napari_medlabel.audit.format.seal import from_base64, key_id, to_base64
from napari_medlabel.audit.keys.key_document import open_key
from napari_medlabel.audit.keys.signatures import SigningKey, is_signed
from napari_medlabel.audit.keys.site_schema import TIME
from napari_medlabel.errors import InputError
from napari_medlabel.io.files import make_folder, write_bytes_aside
from napari_medlabel.secret.asking import Ask

Meaning = Literal["authored", "reviewed", "approved"]
MEANINGS: Final[tuple[Meaning, ...]] = get_args(Meaning)
LONGEST_NAME: Final = 100
"""Most characters of a printed name."""

_PREFIX: Final = b"medlabel-statement/v1\n"
_LARGEST: Final = 4096


def _is_name(value: object) -> bool:
    return (
        isinstance(value, str)
        and value.strip() == value
        and 0 < len(value) <= LONGEST_NAME
        and value.isprintable()
    )


def _is_signature(value: object) -> bool:
    try:
        from_base64(value, 64)
    except ValueError:
        return False
    return True


_STATEMENT: Final = group(
    "statement",
    {
        "meaning": choice(*MEANINGS),
        "name": Field("printed name", _is_name),
        "object": DIGEST,
        "pub": PUBLIC_KEY,
        "signature": Field("Ed25519 signature, base64 of 64 bytes", _is_signature),
        "time": TIME,
        "user": USER,
        "v": Field("1", lambda value: type(value) is int and value == 1),
    },
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a person says of a content.

    Parameters
    ----------
    meaning : str
        authored, reviewed or approved.
    name : str
        As it is to be printed.
    content : str
        ``sha256:...`` of what is signed.
    time : str
        When, as `time_text` writes it.
    user : str
        Token of the person.

    Raises
    ------
    InputError
        When the name cannot be printed. Says nothing of the name.
    """

    meaning: Meaning
    name: str
    content: str
    time: str
    user: str

    def __post_init__(self) -> None:
        if not _is_name(self.name):
            raise InputError(
                f"A name of 1 to {LONGEST_NAME} printable characters was expected, without "
                "blanks around it.",
                hint='Give it with --name "First Last".',
            )

    def record(self, public: bytes) -> dict[str, object]:
        """Return what is signed."""
        return {
            "meaning": self.meaning,
            "name": self.name,
            "object": self.content,
            "pub": to_base64(public),
            "time": self.time,
            "user": self.user,
            "v": 1,
        }


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A statement whose signature holds.

    Parameters
    ----------
    said : Statement
        What it says.
    public : bytes
        Key of the person.
    signature : bytes
        64 bytes.
    """

    said: Statement
    public: bytes
    signature: bytes

    def document(self) -> bytes:
        """Return the bytes of its file."""
        record = self.said.record(self.public)
        return canonical.encode({**record, "signature": to_base64(self.signature)})

    @property
    def digest(self) -> str:
        """``sha256:`` and the hash of its file, as the log names it."""
        return f"sha256:{sha256(self.document()).hexdigest()}"

    def detail(self) -> dict[str, object]:
        """Return the detail of ``sign.apply``."""
        raw = key_id(self.said.user, self.public) + self.signature
        return {
            "meaning": self.said.meaning,
            "pub": to_base64(self.public),
            "signature": to_base64(raw),
            "statement": self.digest,
        }


def user_key_path(state: Path, token: str) -> Path:
    """Return the file with a person's signing key."""
    return state / "users" / f"{token}.key"


def load_user_key(
    state: Path, tokens: Sequence[str], ask: Ask
) -> tuple[str, SigningKey] | None:
    """Return a person's signing key, with the token under which it was made.

    Parameters
    ----------
    state : Path
        Folder of this computer's own memory.
    tokens : sequence of str
        The person's tokens, under every token key; the first that has a key counts.
    ask : callable
        Returns the passphrase. It is called at every signature.

    Returns
    -------
    tuple or None
        None where the person has no key.

    Raises
    ------
    PassphraseError
        When the passphrase is another one.
    InputError
        When the key is damaged.
    """
    for token in tokens:
        key = open_key(user_key_path(state, token), "user", ask)
        if key is not None:
            return token, key
    return None


def sign_statement(said: Statement, key: SigningKey) -> SignedStatement:
    """Return a statement under a person's signature."""
    text = _PREFIX + canonical.encode(said.record(key.public))
    return SignedStatement(said, key.public, key.sign(text))


def parse_statement(data: bytes) -> SignedStatement:
    """Return a statement, when its signature holds.

    Raises
    ------
    InputError
        When it is damaged, or was changed.
    """
    try:
        found: Any = canonical.decode(data)
    except canonical.CanonicalError as err:
        raise _broken() from err
    if not _STATEMENT.accepts(found):
        raise _broken()
    said = Statement(
        found["meaning"], found["name"], found["object"], found["time"], found["user"]
    )
    signed = SignedStatement(
        said, from_base64(found["pub"], 32), from_base64(found["signature"], 64)
    )
    text = _PREFIX + canonical.encode(said.record(signed.public))
    if not is_signed(signed.public, text, signed.signature):
        raise _broken()
    return signed


def statement_path(root: Path, digest: str) -> Path:
    """Return where a statement lies, from the digest that the log names."""
    return root / SIGNATURES / f"{digest.removeprefix('sha256:')}.json"


def keep_statement(root: Path, signed: SignedStatement) -> Path:
    """Put a statement beside the log, and return where.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    path = statement_path(root, signed.digest)
    make_folder(path.parent)
    write_bytes_aside(path, signed.document())
    return path


@dataclass(frozen=True, slots=True)
class Found:
    """The statements about a content, and how many files are not what they should be.

    Parameters
    ----------
    statements : tuple of SignedStatement
        By time.
    broken : int
        Files that are damaged, changed, or under another name than their hash.
    """

    statements: tuple[SignedStatement, ...]
    broken: int


def find_statements(root: Path, content: str) -> Found:
    """Return all statements about a content.

    Parameters
    ----------
    root : Path
        Folder of the log.
    content : str
        ``sha256:...``
    """
    statements, broken = [], 0
    for path in sorted((root / SIGNATURES).glob("*.json")):
        try:
            with path.open("rb") as stream:
                data = stream.read(_LARGEST)
            signed = parse_statement(data)
        except (OSError, InputError):
            broken += 1
            continue
        if sha256(data).hexdigest() != path.stem:
            broken += 1
        elif signed.said.content == content:
            statements.append(signed)
    return Found(tuple(sorted(statements, key=lambda one: one.said.time)), broken)


def _broken() -> InputError:
    return InputError(
        "A statement under a person's signature was expected, and this file was changed or is "
        "something else.",
        hint="Put it back from a backup; the log holds its digest.",
    )
