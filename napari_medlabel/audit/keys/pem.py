"""An Ed25519 key as PKCS8 in PEM without a passphrase: for machines where nobody types one."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from napari_medlabel.audit.keys.signatures import SigningKey
from napari_medlabel.errors import InputError


def to_pem(seed: bytes) -> str:
    """Return the text of a key from its 32 bytes."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def from_pem(text: str, hint: str) -> SigningKey:
    """Return the key of a text.

    Parameters
    ----------
    text : str
        PKCS8 in PEM (RFC 8410).
    hint : str
        What to do where it is none.

    Raises
    ------
    InputError
        When it is something else.
    """
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError) as err:
        raise _no_pem(hint) from err
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_pem(hint)
    return SigningKey(key.private_bytes_raw())


def _no_pem(hint: str) -> InputError:
    return InputError(
        "An Ed25519 private key was expected, PKCS8 in PEM without a passphrase, and something "
        "else is there.",
        hint=hint,
    )
