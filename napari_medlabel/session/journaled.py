"""What the recovery journal keeps beside labels: marks, names that are not saved, outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from napari_medlabel.edit.journal import JournalHead
from napari_medlabel.export.landmarks import to_markups

if TYPE_CHECKING:
    from napari_medlabel.session.case import Session

_SCHEME: Final = "medlabelScheme"
_DRAFTS: Final = "medlabelDrafts"
_POINTS: Final = "Fiducial"


class Journaled(NamedTuple):
    """What a journal kept beside labels.

    Parameters
    ----------
    marks : object or None
        Landmarks and measurements as plain data, None when they had not changed.
    scheme : object or None
        The label scheme before and after, None when it had not changed.
    drafts : object or None
        Outlines that were begun, None when there were none.
    """

    marks: Any = None
    scheme: Any = None
    drafts: Any = None


def journal_head(session: Session, base: str) -> JournalHead:
    """Return what a new journal is about; ``base``: content id of the mask on the disk."""
    labels, now, of = session.labels, session.desk.time(), session.place.journal
    return JournalHead(of, base, labels.grid.shape, labels.array.dtype.str, now)


def journal_document(session: Session) -> Any:
    """Return what is to be kept of a case beside its labels, as plain data."""
    document = to_markups(session.landmarks, session.measurements)
    scheme, saved = session.labels.scheme, session.scheming.saved
    if scheme != saved:
        document[_SCHEME] = {"before": saved.to_json(), "after": scheme.to_json()}
    if len(session.drafts):
        document[_DRAFTS] = session.drafts.document()
    return document


def changed_marks(marks: Any, saved: Any) -> tuple[str, ...]:
    """Return which of ``landmarks`` and ``measurements`` differ between two documents."""
    both = [document if isinstance(document, dict) else {} for document in (marks, saved)]
    lists: list[list[Any]] = [list(document.get("markups") or ()) for document in both]
    points, others = (
        [[one for one in of if (one.get("type") == _POINTS) is wanted] for of in lists]
        for wanted in (True, False)
    )
    kinds = {"landmarks": points[0] != points[1], "measurements": others[0] != others[1]}
    return tuple(kind for kind, differs in kinds.items() if differs)


def read_document(document: Any, saved: Any) -> Journaled:
    """Take apart what a journal kept.

    Parameters
    ----------
    document : object or None
        From `journal_document`, None when nothing had changed.
    saved : object
        The marks on the disk, as plain data.
    """
    if not isinstance(document, dict):
        return Journaled()
    marks = {key: value for key, value in document.items() if key not in (_SCHEME, _DRAFTS)}
    kept = None if marks == saved else marks
    return Journaled(kept, document.get(_SCHEME), document.get(_DRAFTS))
