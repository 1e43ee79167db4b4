"""What the values of an open case mean: each change is a step of its history, and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_medlabel.edit.relabel import SchemeChange
from napari_medlabel.errors import InputError
from napari_medlabel.model.labelmap import LabelScheme
from napari_medlabel.session.logged import scheme_changed

if TYPE_CHECKING:
    from napari_medlabel.session.case import Session


class Scheming:
    """The label scheme of a session.

    Parameters
    ----------
    session : Session
        The open case.

    Attributes
    ----------
    saved : LabelScheme
        As it is on the disk, or was at the opening.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.saved = session.labels.scheme

    def put(self, scheme: LabelScheme, *, name: str) -> None:
        """Change what the values mean as one step of the history.

        Raises
        ------
        InputError
            When its values do not fit the mask's type.
        """
        session, old = self._session, self._session.labels.scheme
        self._require_room(scheme)
        if self._replace(scheme):
            session.add_step(SchemeChange(old, session.labels.scheme, name))
        session.scheme_changed.emit(session.labels.scheme)

    def put_along(self, scheme: LabelScheme) -> None:
        """Change what the values mean with a step of the labels that brings it.

        Raises
        ------
        InputError
            When its values do not fit the mask's type.
        """
        self._require_room(scheme)
        self._replace(scheme)
        self._session.note_change()
        self._session.scheme_changed.emit(self._session.labels.scheme)

    def follow(self, change: SchemeChange) -> None:
        """Take a step of the history over, back or forth."""
        labels = self._session.labels
        gone = set(change.before.values) - set(change.after.values)
        used = labels.voxel_counts() if gone else ()
        self._replace(change.onto(labels.scheme, used))
        self._session.scheme_changed.emit(labels.scheme)

    def _require_room(self, scheme: LabelScheme) -> None:
        if scheme.dtype.itemsize > self._session.labels.array.dtype.itemsize:
            raise InputError(
                "This scheme has values above 255 and the open mask holds up to 255.",
                hint="Open the scan with this scheme from the start: "
                "medlabel open SCAN --scheme FILE",
            )

    def _replace(self, scheme: LabelScheme) -> bool:
        """Let a scheme hold, with a name for every value in use; say whether it is another."""
        session, old = self._session, self._session.labels.scheme
        if not set(old.values) <= set(scheme.values):
            scheme = scheme.with_unnamed(session.labels.voxel_counts())
        if scheme == old:
            return False
        session.labels.scheme = scheme
        session.outbox.tell(scheme_changed(old, scheme))
        return True

    def recover(self, kept: Any) -> None:
        """Take names and colours of an earlier run back as one step, which can be undone.

        Parameters
        ----------
        kept : object
            What the journal had of them.
        """
        change = SchemeChange(
            LabelScheme.from_json(kept["before"]), LabelScheme.from_json(kept["after"])
        )
        labels = self._session.labels
        scheme = change.onto(labels.scheme, labels.voxel_counts())
        self.put(scheme, name="Recover names of segments")
