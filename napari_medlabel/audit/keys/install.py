"""The key of a workstation: it certifies the keys of sessions, and asks the officer for trust.

A session's key lives in memory only. What says that it was made on a certain workstation is
the certificate in its ``session.open``: the signature of the key that lasts there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.layout import install_file
from napari_medlabel.audit.format.record import time_ms
from napari_medlabel.audit.format.schema import PUBLIC_KEY, Field, group
from napari_medlabel.audit.format.seal import Head, from_base64, to_base64
from napari_medlabel.audit.keys.key_document import open_key, read_facts
from napari_medlabel.audit.keys.pem import from_pem
from napari_medlabel.audit.keys.signatures import SigningKey, is_signed, is_signed_as
from napari_medlabel.errors import InputError
from napari_medlabel.io.files import make_folder, write_bytes_aside
from napari_medlabel.secret.asking import Ask, from_variable
from napari_medlabel.secret.private_file import Hints, PrivateFile

KEY_VARIABLE: Final = "MEDLABEL_INSTALL_KEY"
"""Names a PKCS8 PEM file of mode 600, for machines where nobody types; never a default."""

PASSPHRASE_VARIABLE: Final = "MEDLABEL_INSTALL_PASSPHRASE_FILE"  # noqa: S105 - a name
"""Names a file of mode 600 with the passphrase of the key."""

_LARGEST: Final = 4096
_TEXT: Final = Field("text", lambda value: isinstance(value, str))
_FILE: Final = group(
    "public key of a workstation",
    {
        "made": _TEXT,
        "pub": PUBLIC_KEY,
        "self": _TEXT,
        "v": Field("1", lambda value: type(value) is int and value == 1),
        "writer": _TEXT,
    },
)
_HINTS: Final = Hints(
    check=f"Check the file that {KEY_VARIABLE} names, and its permissions.",
    exposed=f"Make a new key: who could read the file of {KEY_VARIABLE} can sign with it.",
)

_NO_PEM: Final = f"`openssl genpkey -algorithm ed25519` makes one; check {KEY_VARIABLE}."


def _certified(origin: str, session_public: bytes, previous: Head | None) -> bytes:
    """Return the text that a certificate signs."""
    before = ["-", "-", "-"]
    if previous is not None:
        before = [previous.origin, str(previous.size), to_base64(previous.root)]
    lines = ["medlabel-cert/v1", origin, to_base64(session_public), *before]
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def install_name(origin: str) -> str:
    """Return the key name of a workstation, ``medlabel.local/<site>/<writer>``."""
    return origin.rsplit("/", 1)[0]


class InstallKey:
    """The private key of a workstation, in memory.

    Parameters
    ----------
    key : SigningKey
        The key.

    Attributes
    ----------
    public : bytes
        32 bytes.
    """

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self.public: bytes = key.public

    def certify(self, origin: str, session_pub: bytes, previous: Head | None) -> bytes:
        """Return the certificate of a session: key id and signature, 68 bytes.

        Parameters
        ----------
        origin : str
            Of the session.
        session_pub : bytes
            Its public key.
        previous : Head or None
            Head of this writer's session before, as ``prev_session`` says.
        """
        return self._key.sign_as(
            install_name(origin), _certified(origin, session_pub, previous)
        )

    def introduce(self, writer: str, made: str) -> bytes:
        """Return ``install.json``: the public key, signed by itself.

        Parameters
        ----------
        writer : str
            Who writes on this workstation.
        made : str
            When the key was made, as `time_text` writes it.
        """
        signature = self._key.sign(_introduced(writer, self.public, made))
        document = {
            "made": made,
            "pub": to_base64(self.public),
            "self": to_base64(signature),
            "v": 1,
            "writer": writer,
        }
        return canonical.encode(document)


def _introduced(writer: str, public: bytes, made: str) -> bytes:
    return f"medlabel-install/v1\n{writer}\n{to_base64(public)}\n{made}\n".encode()


def check_certificate(
    cert: bytes, install_pub: bytes, origin: str, session_pub: bytes, previous: Head | None
) -> bool:
    """Return whether a certificate is by this install key, for this session and no other.

    Parameters
    ----------
    cert : bytes
        Key id and signature, 68 bytes.
    install_pub : bytes
        Public key of the workstation.
    origin : str
        Of the session.
    session_pub : bytes
        Its public key.
    previous : Head or None
        What its ``prev_session`` says.
    """
    text = _certified(origin, session_pub, previous)
    return is_signed_as(install_name(origin), install_pub, text, cert)


def install_key_path(state: Path) -> Path:
    """Return the file that tells of this workstation's key."""
    return state / "install.key"


def load_install_key(
    state: Path,
    *,
    passphrase: str | Ask | None = None,
    environ: Mapping[str, str] = os.environ,
) -> InstallKey | None:
    """Return this workstation's key.

    The first counts that is there: the PEM file that ``$MEDLABEL_INSTALL_KEY`` names; the
    keyring; the file under a passphrase, which is `passphrase`, else the first line of the
    file that ``$MEDLABEL_INSTALL_PASSPHRASE_FILE`` names.

    Parameters
    ----------
    state : Path
        Folder of this computer's own memory.
    passphrase : str or callable, optional
        The passphrase, or what asks for it; called only where it is needed.
    environ : mapping
        The environment.

    Returns
    -------
    InstallKey or None
        None where there is no key, or nobody gives its passphrase: work goes on then, and
        verification says that the session is not certified.

    Raises
    ------
    PassphraseError
        When a passphrase is given and is another one.
    InputError
        When the key is damaged, others may read it, or the keyring does not have it.
    """
    named = environ.get(KEY_VARIABLE)
    if named:
        return InstallKey(from_pem(PrivateFile(Path(named), hints=_HINTS).read(), _NO_PEM))
    path = install_key_path(state)
    facts = read_facts(path, "install")
    if facts is None:
        return None
    if not isinstance(passphrase, str) and facts.is_sealed:
        given = from_variable(PASSPHRASE_VARIABLE, environ)
        passphrase = given if given is not None else passphrase and passphrase()
        if passphrase is None:
            return None
    key = open_key(path, "install", lambda: str(passphrase))
    return None if key is None else InstallKey(key)


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a workstation says of its key, under the log's folder.

    Parameters
    ----------
    writer : str
        Who writes there.
    public : bytes
        The key.
    made : str
        When it was made.
    """

    writer: str
    public: bytes
    made: str


def publish_install(root: Path, writer: str, key: InstallKey, made: str) -> None:
    """Show a workstation's public key under the log's folder, so that the officer can trust it.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    path = root / install_file(writer)
    make_folder(path.parent)
    write_bytes_aside(path, key.introduce(writer, made))


def copy_introduction(root: Path, state: Path, writer: str) -> bool:
    """Show a workstation's public key under the log's folder again, from its own copy.

    Parameters
    ----------
    root : Path
        Folder of the log.
    state : Path
        Folder of this computer's own memory.
    writer : str
        Who writes here.

    Returns
    -------
    bool
        Whether it was missing there, or another one.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    own = state / "install.json"
    path = root / install_file(writer)
    if not own.is_file() or (path.is_file() and path.read_bytes() == own.read_bytes()):
        return False
    make_folder(path.parent)
    write_bytes_aside(path, own.read_bytes())
    return True


def keep_introduction(state: Path, writer: str, key: InstallKey, made: str) -> None:
    """Keep a copy of what the workstation shows of its key.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    make_folder(state)
    write_bytes_aside(state / "install.json", key.introduce(writer, made))


def read_introduction(root: Path, writer: str) -> Introduction | None:
    """Return what a workstation shows of its key, or None where it shows none.

    Raises
    ------
    InputError
        When the file is damaged, is about another writer, or not signed by its own key.
    """
    path = root / install_file(writer)
    try:
        with path.open("rb") as stream:
            found: Any = json.loads(stream.read(_LARGEST))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as err:
        raise _no_introduction() from err
    if not _FILE.accepts(found) or found["writer"] != writer:
        raise _no_introduction()
    public = from_base64(found["pub"], 32)
    try:
        time_ms(found["made"])
        signature = from_base64(found["self"], 64)
    except ValueError as err:
        raise _no_introduction() from err
    if not is_signed(public, _introduced(writer, public, found["made"]), signature):
        raise _no_introduction()
    return Introduction(writer, public, found["made"])


def _no_introduction() -> InputError:
    return InputError(
        "The file 'install.json' of the workstation must hold its public key, signed by that "
        "key, and something else is there.",
        hint="Run `medlabel audit key show` on that workstation: it writes the file anew.",
    )
