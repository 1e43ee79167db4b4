"""Which officer this computer knows: remembered apart from the log, against a false one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.format.schema import PUBLIC_KEY, group
from napari_medlabel.audit.format.seal import from_base64, to_base64
from napari_medlabel.audit.keys.site_schema import NAME
from napari_medlabel.errors import InputError
from napari_medlabel.io.files import make_folder, write_bytes_aside

_PIN: Final = group("pin", {"pub": PUBLIC_KEY, "site": NAME})
_LARGEST: Final = 4096


@dataclass(frozen=True, slots=True)
class Pin:
    """The officer that this computer knows.

    Parameters
    ----------
    site : str
        Name of the site.
    public : bytes
        Key of the officer.
    """

    site: str
    public: bytes


def _path(state: Path) -> Path:
    return state / "officer.pub"


def read_pin(state: Path) -> Pin | None:
    """Return the officer that this computer knows, or None before it has seen one.

    Parameters
    ----------
    state : Path
        Folder of this computer's own memory.

    Raises
    ------
    InputError
        When the file is damaged.
    """
    try:
        with _path(state).open("rb") as stream:
            found: Any = json.loads(stream.read(_LARGEST))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as err:
        raise _damaged() from err
    if not _PIN.accepts(found):
        raise _damaged()
    return Pin(found["site"], from_base64(found["pub"], 32))


def pinned_officer(state: Path) -> bytes | None:
    """Return the key of the officer that this computer knows, or None; see `read_pin`."""
    pin = read_pin(state)
    return None if pin is None else pin.public


def pin_officer(state: Path, site: str, public: bytes) -> None:
    """Remember an officer, in place of another.

    Parameters
    ----------
    state : Path
        Folder of this computer's own memory.
    site : str
        Name of the site.
    public : bytes
        Key of the officer.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    make_folder(state)
    text = json.dumps({"pub": to_base64(public), "site": site}, sort_keys=True)
    write_bytes_aside(_path(state), text.encode() + b"\n", mode=0o600)


def _damaged() -> InputError:
    return InputError(
        "The file 'officer.pub' must hold the officer's public key, and something else is "
        "there.",
        hint="Ask the officer for the code of the key, and run `medlabel audit site pin CODE`.",
    )
