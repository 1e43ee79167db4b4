"""A key under a passphrase: Argon2id makes the key of the key, AES-256-GCM seals it.

Parameters are the second recommended option of RFC 9106 section 4, for where memory is
scarce: 3 passes, 4 lanes, 64 MiB, 128 bits of salt, 256 bits of output. NIST SP 800-63B
asks for passphrases of at least 8 characters; more are better, since whoever has the file
can try without limit.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final

from napari_medlabel.errors import InputError

ITERATIONS: Final = 3
LANES: Final = 4
MEMORY_KIB: Final = 64 * 1024
FEWEST_CHARACTERS: Final = 8
_MOST: Final = {"iterations": 64, "lanes": 64, "memory_kib": 4 * 1024 * 1024}
_KDF, _CIPHER = "argon2id", "aes-256-gcm"
_SALT_BYTES, _NONCE_BYTES, _LENGTH = 16, 12, 32

Random = Callable[[int], bytes]


class PassphraseError(InputError):
    """A passphrase does not open the key."""


def check_passphrase(passphrase: str) -> None:
    """Refuse a new passphrase that is too short.

    Raises
    ------
    InputError
        With how many characters there must be.
    """
    if len(_normalised(passphrase)) < FEWEST_CHARACTERS:
        raise InputError(
            f"A passphrase of at least {FEWEST_CHARACTERS} characters was expected, and this "
            "one is shorter.",
            hint="Take several random words: who has the key file can try as often as wanted.",
        )


def sealed(key: bytes, passphrase: str, bound: str, random_bytes: Random) -> dict[str, object]:
    """Return a key under a passphrase, as JSON.

    Parameters
    ----------
    key : bytes
        What to seal.
    passphrase : str
        In any Unicode form; NFC counts.
    bound : str
        What stands beside it in the open and must not change, such as the key id.
    random_bytes : callable
        ``count -> bytes`` from a cryptographic source.

    Raises
    ------
    InputError
        When the passphrase is too short, or this Python's OpenSSL has no Argon2id.
    """
    check_passphrase(passphrase)
    salt, nonce = random_bytes(_SALT_BYTES), random_bytes(_NONCE_BYTES)
    shown: dict[str, object] = {
        "kdf": _KDF,
        "iterations": ITERATIONS,
        "lanes": LANES,
        "memory_kib": MEMORY_KIB,
        "salt": salt.hex(),
        "cipher": _CIPHER,
        "nonce": nonce.hex(),
    }
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    box = AESGCM(_derived(shown, passphrase)).encrypt(nonce, key, _associated(shown, bound))
    return {**shown, "box": box.hex()}


def opened(found: Mapping[str, Any], passphrase: str, bound: str) -> bytes:
    """Return the key that `sealed` sealed.

    Raises
    ------
    PassphraseError
        When the passphrase is another one, or the file was changed.
    InputError
        When it asks for what this program does not do.
    """
    shown = {name: value for name, value in found.items() if name != "box"}
    if not _is_known(shown):
        raise InputError(
            "A key sealed with Argon2id and AES-256-GCM was expected, and this one is sealed "
            "in another way.",
            hint="Use the version of the program that sealed it, or restore its backup.",
        )
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher = AESGCM(_derived(shown, passphrase))
    nonce, box = bytes.fromhex(shown["nonce"]), bytes.fromhex(found["box"])
    try:
        return cipher.decrypt(nonce, box, _associated(shown, bound))
    except InvalidTag as err:
        raise PassphraseError(
            "The passphrase does not open the key.",
            hint="Type it again: capitals count. A lost passphrase cannot be recovered; then "
            "only a backup of the key without one, or with one that is known, helps.",
        ) from err


def _is_known(shown: Mapping[str, Any]) -> bool:
    """Whether all that is needed is there, and within limits that a computer can bear."""
    if (shown.get("kdf"), shown.get("cipher")) != (_KDF, _CIPHER):
        return False
    numbers = all(
        type(shown.get(name)) is int and 0 < shown[name] <= most for name, most in _MOST.items()
    )
    return (
        numbers and isinstance(shown.get("salt"), str) and isinstance(shown.get("nonce"), str)
    )


def _derived(shown: Mapping[str, Any], passphrase: str) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    try:
        kdf = Argon2id(
            salt=bytes.fromhex(shown["salt"]),
            length=_LENGTH,
            iterations=shown["iterations"],
            lanes=shown["lanes"],
            memory_cost=shown["memory_kib"],
        )
        return kdf.derive(_normalised(passphrase).encode("utf-8", "surrogatepass"))
    except (UnsupportedAlgorithm, MemoryError) as err:
        raise InputError(
            f"Argon2id with {shown['memory_kib'] // 1024} MiB of memory is not to be had here.",
            hint="Free some memory, or install a wheel of `cryptography` from PyPI: it brings "
            "an OpenSSL that has it.",
        ) from err


def _associated(shown: Mapping[str, Any], bound: str) -> bytes:
    """Return what is authenticated with the key: how it was sealed, and what stands beside."""
    return json.dumps([bound, shown], sort_keys=True, separators=(",", ":")).encode("ascii")


def _normalised(passphrase: str) -> str:
    return unicodedata.normalize("NFC", passphrase)
