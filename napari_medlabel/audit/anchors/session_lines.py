"""One session's events and seals as they stand in its file, read without judging them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.seal import from_base64

_SEAL: Final = b'{"seal":'


@dataclass(frozen=True, slots=True)
class SessionLines:
    """The events and seals of a session, in order.

    Parameters
    ----------
    lines : list of bytes
        One for each event.
    heads : list of (int, bytes, bytes)
        Size, root and signature of each seal, as they stand there.
    """

    lines: list[bytes]
    heads: list[tuple[int, bytes, bytes]]

    def opening(self) -> Mapping[str, Any]:
        """Return the detail of ``session.open``.

        Raises
        ------
        ValueError
            When the first event has none.
        """
        detail = record_of(self.lines[0]).get("detail") if self.lines else None
        if not isinstance(detail, dict):
            raise ValueError("the session's first event is missing")  # noqa: TRY004
        return detail

    def seal_after(self, index: int) -> tuple[int, bytes, bytes]:
        """Return the first seal that covers an event.

        Raises
        ------
        ValueError
            When there is none yet.
        """
        for seal in self.heads:
            if seal[0] > index:
                return seal
        raise ValueError("the event is not sealed")


def read_lines(path: Path) -> SessionLines:
    """Read a session's file without judging it; an unfinished line at its end is left out.

    Raises
    ------
    OSError, ValueError
        When it cannot be read, or holds something else than events and seals.
    """
    found = SessionLines([], [])
    for line in path.read_bytes().split(b"\n")[:-1]:
        if not line.startswith(_SEAL):
            found.lines.append(line)
            continue
        seal = record_of(line)["seal"]
        if not isinstance(seal, dict):
            raise ValueError("a seal is not an object")  # noqa: TRY004 - about the file
        root, signature = from_base64(seal.get("root"), 32), from_base64(seal.get("sig"), 68)
        found.heads.append((len(found.lines), root, signature))
    return found


def record_of(line: bytes) -> Mapping[str, Any]:
    """Return the object in a line.

    Raises
    ------
    ValueError
        When it is not the canonical form of one.
    """
    value = canonical.decode(line)
    if not isinstance(value, dict):
        raise ValueError("a line is not an object")  # noqa: TRY004 - a fact about the file
    return value
