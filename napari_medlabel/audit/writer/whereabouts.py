"""Begin a session where one can be written: in the log's folder, else in the spool."""

from __future__ import annotations

from dataclasses import dataclass, replace

from napari_medlabel.audit.anchors.heads import Peers
from napari_medlabel.audit.faults import FULL, UnwritableError
from napari_medlabel.audit.writer.log import AuditLog
from napari_medlabel.audit.writer.reserve import is_low, keep_reserve, release_reserve
from napari_medlabel.audit.writer.seat import FIRST, Occasion, Seat
from napari_medlabel.audit.writer.spool import (
    NO_UPLOAD,
    Upload,
    require_known,
    require_share,
    take_home,
)


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that was begun.

    Parameters
    ----------
    log : AuditLog
        Open.
    upload : Upload
        What was taken home from the spool before.
    share : str
        Kind of network share that it lies on, or empty.
    is_low : bool
        Whether little room is left for it.
    is_local : bool
        Whether it lies in the spool.
    error : str
        Why what lets data leave must wait, or empty.
    """

    log: AuditLog
    upload: Upload = NO_UPLOAD
    share: str = ""
    is_low: bool = False
    is_local: bool = False
    error: str = ""


def room_is_low(seat: Seat) -> bool:
    """Keep room for the last words, and return whether little is left for the rest."""
    try:
        keep_reserve(seat.io, seat.home, seat.writer)
        keep_reserve(seat.io, seat.spool, seat.writer)
        return is_low(seat.home)
    except OSError:
        return True  # there was not even room for that


def begin_at_home(seat: Seat, peers: Peers, occasion: Occasion) -> Begun:
    """Begin a session in the log's folder, after taking home what waits in the spool.

    Parameters
    ----------
    seat : Seat
        Names the folders.
    peers : Peers
        Tells what other computers have published since it was asked last.
    occasion : Occasion
        What the session has to say first.

    Raises
    ------
    LogError
        When the folder cannot be written.
    """
    share = require_share(seat)
    require_known(seat)
    upload = take_home(seat)
    said = replace(
        occasion,
        is_back=occasion.is_back or bool(upload.moved),
        observed=tuple(peers.news_if_any()),
    )
    log = AuditLog.begin(seat, said)
    return Begun(log, upload, share, room_is_low(seat))


def begin_in_spool(seat: Seat, occasion: Occasion, error: str) -> Begun:
    """Begin a session in the spool, with the room that was kept for it where there is none.

    Parameters
    ----------
    seat : Seat
        Names the folders.
    occasion : Occasion
        What the session has to say first.
    error : str
        Why the log's folder cannot be written.

    Raises
    ------
    LogError
        When the spool cannot be written either.
    """
    local = seat.local()
    try:
        log = AuditLog.begin(local, occasion)
    except UnwritableError as err:
        if not err.full:
            raise
        release_reserve(seat.spool, seat.writer)
        log = AuditLog.begin(local, occasion)
    return Begun(log, is_local=True, error=error)


def begin_elsewhere(seat: Seat, occasion: Occasion) -> Begun:
    """Begin a session since none can be written in the log's folder.

    In the spool; when the disk is full, the spool's too, then in the log's folder, in the
    room that was kept there for last words.

    Parameters
    ----------
    seat : Seat
        Names the folders.
    occasion : Occasion
        What went wrong.

    Raises
    ------
    LogError
        When no session can be begun anywhere.
    """
    try:
        return begin_in_spool(seat, occasion, occasion.error)
    except UnwritableError:
        if occasion.error not in FULL:
            raise
    release_reserve(seat.home, seat.writer)
    return Begun(AuditLog.begin(seat, occasion), is_low=True, error=occasion.error)


def begin_anywhere(seat: Seat, peers: Peers, occasion: Occasion = FIRST) -> Begun:
    """Begin a session in the log's folder, or elsewhere when that cannot be written.

    Parameters
    ----------
    seat : Seat
        Names the folders.
    peers : Peers
        As for `begin_at_home`.
    occasion : Occasion
        What the session has to say first in the log's folder.

    Raises
    ------
    LogError
        When no session can be begun anywhere.
    """
    try:
        return begin_at_home(seat, peers, occasion)
    except UnwritableError as err:
        return begin_elsewhere(seat, Occasion(err.error))
