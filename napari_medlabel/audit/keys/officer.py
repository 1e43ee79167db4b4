"""The officer's key: it signs the site's document, and opens what is encrypted to her."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from napari_medlabel.audit.format.seal import from_base64, to_base64
from napari_medlabel.audit.keys.key_document import open_key
from napari_medlabel.audit.keys.signatures import SigningKey, is_signed
from napari_medlabel.errors import InputError
from napari_medlabel.secret.asking import Ask

PASSPHRASE_VARIABLE: Final = "MEDLABEL_OFFICER_PASSPHRASE_FILE"  # noqa: S105 - a name
"""Names a file of mode 600 with the passphrase of the officer's key."""

_BOX: Final = b"medlabel-officer-box/v1"
_CARD: Final = b"medlabel-officer/v1\n"
_CARD_BYTES: Final = 128


class OfficerKey:
    """The private keys of an officer, in memory.

    Parameters
    ----------
    key : SigningKey
        Signs; the key of the box is derived from it.

    Attributes
    ----------
    signing : SigningKey
        Signs the site's document.
    public : bytes
        32 bytes.
    box : bytes
        X25519 public key to which free text is encrypted, 32 bytes.
    """

    def __init__(self, key: SigningKey) -> None:
        self.signing = key
        self.public: bytes = key.public
        self.opening = X25519PrivateKey.from_private_bytes(key.derived(_BOX))
        self.box: bytes = self.opening.public_key().public_bytes_raw()

    def card(self) -> str:
        """Return both public keys, signed: what an officer in office needs to name this one."""
        shown = self.public + self.box
        return to_base64(shown + self.signing.sign(_CARD + shown))


def read_card(text: str) -> tuple[bytes, bytes]:
    """Return the public keys of an officer, signing and box, from a card.

    Raises
    ------
    InputError
        When it is no card, or was changed.
    """
    try:
        raw = from_base64(text.strip(), _CARD_BYTES)
    except ValueError as err:
        raise _no_card() from err
    public, box, signature = raw[:32], raw[32:64], raw[64:]
    if not is_signed(public, _CARD + raw[:64], signature):
        raise _no_card()
    return public, box


def officer_key_path(state: Path) -> Path:
    """Return the file that tells of the officer's key."""
    return state / "officer.key"


def load_officer_key(state: Path, ask: Ask) -> OfficerKey:
    """Return the officer's key.

    Parameters
    ----------
    state : Path
        Folder of this computer's own memory.
    ask : callable
        Returns the passphrase; called only where one is needed.

    Raises
    ------
    PassphraseError
        When the passphrase is another one.
    InputError
        When there is no officer's key here, or it is damaged.
    """
    key = open_key(officer_key_path(state), "officer", ask)
    if key is None:
        raise InputError(
            "The officer's key was expected in this account, and there is none.",
            hint="Run it in the officer's account; `medlabel audit site init NAME` makes the "
            "first key, `medlabel audit site join NAME` that of a second officer.",
        )
    return OfficerKey(key)


def _no_card() -> InputError:
    return InputError(
        "The card of an officer was expected, 172 letters, and something else came.",
        hint="`medlabel audit site join NAME` prints it in the new officer's account.",
    )
