"""Denials: a scan that somebody wanted to open and did not see is in the log too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from napari_medlabel.errors import (
    GeometryError,
    InputError,
    LogError,
    MedlabelError,
    RefusedError,
    SaveError,
    SeriesChoiceError,
)
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.logged import LOGGED_AS


@contextmanager
def denials(
    desk: Desk,
    paths: Sequence[Path],
    *,
    kind: str = "",
    subject: str = "",
    opened: Callable[[], bool] = lambda: False,
) -> Iterator[None]:
    """Log ``volume.open.denied`` when what is inside is refused, and let the error go on.

    So is another's reading of a study that would end the blindness of who opens it.

    Nothing is logged for a path at which there is nothing, nor for a choice that is still to
    be made: there nothing was denied.

    Parameters
    ----------
    desk : Desk
        Its log.
    paths : sequence of Path
        What was to be opened.
    kind : str
        Format, where it is known.
    subject : str
        The patient's token, where it is known.
    opened : callable
        Tells whether the opening is in the log already: then it was not denied.
    """
    from napari_medlabel.session.study.blind import require_may_open

    try:
        require_may_open(desk, *paths)
        yield
    except (LogError, SeriesChoiceError):
        raise
    except MedlabelError as err:
        if not opened() and any(path.exists() for path in paths):
            log_denial(desk, err, kind=kind, subject=subject)
        raise


@contextmanager
def denials_alone(path: Path, open_desk: Callable[[], Desk]) -> Iterator[None]:
    """As `denials`, where no log is open: one is opened for the denial alone."""
    try:
        yield
    except (LogError, SeriesChoiceError):
        raise
    except MedlabelError as err:
        if path.exists():
            desk = open_desk()
            try:
                log_denial(desk, err)
            finally:
                desk.log.close()
        raise


def log_denial(desk: Desk, err: MedlabelError, *, kind: str = "", subject: str = "") -> None:
    """Log that a scan was not shown, and why.

    Raises
    ------
    LogError
        When the log cannot be written.
    """
    detail: dict[str, object] = {"cause": cause_of(err)}
    if kind:
        detail["format"] = LOGGED_AS.get(kind, "other")
    desk.log.append("volume.open.denied", subject=(subject,) if subject else (), detail=detail)


def cause_of(err: MedlabelError) -> str:
    """Return the log's word for an error: never its text."""
    if isinstance(err, GeometryError):
        return "geometry"
    if isinstance(err, InputError):
        return "unreadable"
    if isinstance(err, SaveError):
        return "permission"
    return "policy" if isinstance(err, RefusedError) else "other"
