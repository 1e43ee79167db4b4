"""The key of a witness: in the keyring, under a passphrase, or in a file that was named."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from napari_medlabel.audit.anchors.witness import witness_folder
from napari_medlabel.audit.keys.key_document import Kind, make_key, open_key
from napari_medlabel.audit.keys.pem import from_pem, to_pem
from napari_medlabel.audit.keys.signatures import SEED_BYTES, SigningKey
from napari_medlabel.errors import InputError
from napari_medlabel.secret.asking import Ask, from_variable
from napari_medlabel.secret.private_file import Hints, PrivateFile

PASSPHRASE_VARIABLE: Final = "MEDLABEL_WITNESS_PASSPHRASE_FILE"  # noqa: S105 - a name
"""Names a file of mode 600 with the passphrase of the key, for a witness that cron starts."""

_HINTS: Final = Hints(
    check="Check --key, and the permissions of the file.",
    exposed="Make a new key: who could read the file can sign as this witness.",
    occupied="Choose another place with --key; an existing key is never overwritten.",
)

_NO_PEM: Final = "Make one with --new-key --key FILE."


def witness_key_path(state: Path, name: str) -> Path:
    """Return the file that tells of a witness's key, where no other was named."""
    return witness_folder(state, name) / "key"


def passphrase_or(ask: Ask, environ: Mapping[str, str] = os.environ) -> Ask:
    """Return what gives the passphrase: the file that the environment names, else `ask`."""

    def give() -> str:
        given = from_variable(PASSPHRASE_VARIABLE, environ)
        return ask() if given is None else given

    return give


def load_witness_key(state: Path, name: str, ask: Ask, file: Path | None = None) -> SigningKey:
    """Return the key of a witness.

    Parameters
    ----------
    state : Path
        Folder of this account's own memory.
    name : str
        Of the witness.
    ask : callable
        Returns the passphrase; called only where there is one.
    file : Path, optional
        A plain PKCS8 PEM file of mode 600 instead.

    Raises
    ------
    PassphraseError
        When the passphrase is another one.
    InputError
        When there is no key, it is damaged, or others may read it.
    """
    if file is not None:
        return from_pem(PrivateFile(file, hints=_HINTS).read(), _NO_PEM)
    key = open_key(witness_key_path(state, name), "witness", ask)
    if key is None:
        raise InputError(
            "The key of the witness was expected, and there is none under this account.",
            hint="Make one with --new-key, and have the officer trust it.",
        )
    return key


def make_witness_key(
    state: Path,
    name: str,
    made: str,
    random_bytes: Callable[[int], bytes],
    *,
    passphrase: str | None = None,
    file: Path | None = None,
) -> SigningKey:
    """Make the key of a witness.

    Parameters
    ----------
    state, name
        As for `load_witness_key`.
    made : str
        Now, as `time_text` writes it.
    random_bytes : callable
        ``count -> bytes`` from a cryptographic source.
    passphrase : str, optional
        To seal it in a file; without one it goes into the keyring.
    file : Path, optional
        Where a plain PKCS8 PEM file of mode 600 is to be made instead.

    Raises
    ------
    InputError, SaveError
        When the passphrase is too short, there is a key, or it cannot be written.
    """
    if file is None:
        ring = "" if passphrase is not None else f"witness-{name}"
        facts: tuple[Kind, str, str] = ("witness", name, made)
        path = witness_key_path(state, name)
        return make_key(path, facts, random_bytes, passphrase=passphrase, ring=ring)
    seed = random_bytes(SEED_BYTES)
    private = PrivateFile(file, hints=_HINTS)
    private.prepare()
    private.create(to_pem(seed))
    return SigningKey(seed)
