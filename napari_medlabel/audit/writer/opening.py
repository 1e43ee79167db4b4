"""The first events of a session: which software, whose key, after whom, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence

from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.format.seal import Head, SessionKey, to_base64
from napari_medlabel.audit.writer.seat import Occasion, Seat
from napari_medlabel.audit.writer.software import software
from napari_medlabel.audit.writer.succession import Succession


def observation(heads: Sequence[Head]) -> Event:
    """Return the event that says how far the sessions of other computers had come."""
    return Event(
        "anchor.observe",
        detail={"heads": [head.record() for head in heads], "source": "peer"},
    )


def _open(seat: Seat, origin: str, key: SessionKey, past: Succession) -> Event:
    identity = seat.identity
    detail: dict[str, object] = {
        **software(seat.clock, identity.validated),
        "origin": origin,
        "pub": to_base64(key.public),
    }
    previous = past.heads[-1] if past.heads else None
    if previous is not None:
        detail["prev_session"] = previous.record()
    if past.heads[:-1]:
        detail["peers"] = [head.record() for head in past.heads[:-1]]
    if identity.install is not None:
        detail["install"] = to_base64(identity.install.public)
        detail["cert"] = to_base64(identity.install.certify(origin, key.public, previous))
    if identity.policy:
        detail["policy"] = identity.policy
    if seat.is_local:
        detail["spool"] = True
    return Event("session.open", detail=detail)


def first_events(
    seat: Seat, origin: str, key: SessionKey, past: Succession, occasion: Occasion
) -> list[Event]:
    """Return what a session begins with.

    Parameters
    ----------
    seat : Seat
        Where and by whom it is written.
    origin : str
        Of the session.
    key : SessionKey
        Signs its seals.
    past : Succession
        What is to be said about earlier sessions.
    occasion : Occasion
        Why it begins now.
    """
    events = [_open(seat, origin, key, past), *past.events]
    if occasion.error:
        failed: dict[str, object] = {"error": occasion.error}
        if occasion.head is not None and occasion.head.size:
            failed["head"] = occasion.head.record()
        events.append(Event("audit.fail", detail=failed))
    if occasion.error or occasion.is_back:
        events.append(Event("audit.resume", detail={"spool": seat.is_local}))
    if occasion.observed:
        events.append(observation(occasion.observed))
    return events
