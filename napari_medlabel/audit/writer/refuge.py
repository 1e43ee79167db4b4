"""A refuge for what was written into a file that is not in its place any more.

The log's folder may be deleted, renamed or unmounted while a session is open. What was
acknowledged can then be read through the open file alone, and is gone with it. So before it
is closed it is copied into the spool, byte for byte, and goes home as the spool does.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from napari_medlabel.audit.anchors.memory import HeadMemory
from napari_medlabel.audit.disk import SHARED, place_key, write_over
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.writer.chain import SessionFile
from napari_medlabel.audit.writer.seat import Seat


@dataclass(frozen=True, slots=True)
class Refuge:
    """Where a session's lines go when its file is lost.

    Parameters
    ----------
    seat : Seat
        Names the spool.
    """

    seat: Seat

    def take_in(self, file: SessionFile, memory: HeadMemory) -> None:
        """Copy a lost file into the spool, and let the memory of it belong there.

        Nothing is done for a file of the spool itself. Where it cannot be done, the memory
        stays where it is, and verification misses the session.

        Parameters
        ----------
        file : SessionFile
            Still open.
        memory : HeadMemory
            Still open, so that nobody takes the session for one that ended.
        """
        if self.seat.is_local or not file.head.size:
            return
        with suppress(OSError):  # the memory says it: the session is missing
            path = self.seat.spool / session_file(file.head.origin)
            write_over(self.seat.io, path, file.read_back(), SHARED)
            memory.move(self.seat.state / "heads" / place_key(self.seat.spool))
