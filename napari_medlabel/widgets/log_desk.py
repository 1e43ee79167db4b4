"""What the dock does with the log: the lamp, the log of the case, versions of its mask."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from qtpy.QtCore import QObject

from napari_medlabel.errors import MedlabelError
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.plugin.layers import KEY, labels_to_layer
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.session.case import Session
from napari_medlabel.session.mask_log import Version
from napari_medlabel.session.steps_back import labels_of_version, restore_step, versions_in
from napari_medlabel.widgets.audit_lamp import AuditLamp
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.case_log import own_user, show_case_log
from napari_medlabel.widgets.versions_dialog import VersionsDialog

_ROLE: Final = "version"


class LogDesk(QObject):
    """Carries out what lamp and buttons ask for.

    Parameters
    ----------
    dock : MedlabelDock
        Shows what came of it.
    """

    def __init__(self, dock: Any) -> None:
        super().__init__(dock)
        self._dock = dock
        self._session: Session | None = None
        self.lamp = AuditLamp(self._log)
        self.lamp.asked.connect(self._say)
        self._background = Background(self)
        self.dialog: VersionsDialog | None = None
        self._shown: Any = None

    def _say(self, colour: str, words: str) -> None:
        self._dock.notice.say(colour, words, {"Dismiss": self._dock.notice.clear})

    def _log(self) -> Any:
        """Return the log that counts now: that of the study while somebody sits at one."""
        seat, session = self._dock.study_desk.seat, self._session
        if seat is not None and (session is None or session.desk is seat.desk):
            return seat.desk.log
        return WORKPLACE.log

    def case_opened(self, session: Session) -> None:
        """Say what was found about the log when the case was opened."""
        self._session = session
        if session.found:
            self._say("amber", session.found)
        self.lamp.look()

    def case_closed(self) -> None:
        """Take away what belonged to the case."""
        self._session = None
        self._remove_preview()
        if self.dialog is not None:
            self.dialog.close()

    def show_log(self) -> None:
        """Show the log of the open case beside the dock."""
        show_case_log(self._dock.viewer)

    # -- versions ------------------------------------------------------------------------

    def show_versions(self) -> None:
        """List the versions of the open mask, after the log has it that somebody looked."""
        session = self._dock.session
        if session is None or self.dialog is not None or self._background.is_busy:
            return
        # The log of a year is large, and may lie on a share.
        seat = self._dock.study_desk.seat
        # In a study several people read one scan, blind to one another.
        own = seat if seat is not None and session.desk is seat.desk else None
        self._background.run(
            lambda: versions_in(session, None if own is None else own.users),
            lambda versions: self._list(session, versions),
            self._dock.show_error,
        )

    def _list(self, session: Session, versions: tuple[Version, ...]) -> None:
        if session is not self._dock.session:
            return
        self.dialog = VersionsDialog(versions, own_user(session.desk), self._dock.window())
        self.dialog.preview_requested.connect(self.preview)
        self.dialog.restore_requested.connect(self.restore)
        self.dialog.finished.connect(lambda _result: self._let_go())
        self.dialog.open()

    def _let_go(self) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.deleteLater()

    def preview(self, version: Version) -> None:
        """Show a version as a layer of its own, on which nothing can be painted."""
        session, binding = self._dock.session, self._dock.desk.binding
        if session is None or binding is None:
            return
        try:
            array = labels_of_version(session, version)
        except MedlabelError as err:
            self._dock.show_error(err)
            return
        self._remove_preview()
        counts = (int(v) for v in np.unique(array) if v)
        labels = LabelMap(
            session.labels.grid, array, session.labels.scheme.with_unnamed(counts)
        )
        pictures = binding.display.pictures
        data, keywords, _ = labels_to_layer(labels, session.place.case, pictures=pictures)
        keywords["name"] = f"Version {version.number} (preview)"
        keywords["metadata"][KEY]["role"] = _ROLE
        layer = self._dock.viewer.add_labels(data, **keywords)
        layer.editable = False
        layer.contour = 1
        self._shown = layer
        self._dock.viewer.layers.selection.active = binding.labels

    def restore(self, version: Version, reason: str, text: str = "") -> None:
        """Put a version into the labels as one step; what is refused is said in the dialog."""
        session, dialog = self._dock.session, self.dialog
        if session is None:
            return
        self._remove_preview()
        try:
            step = restore_step(session, version, reason=reason, text=text)
        except MedlabelError as err:
            (self._dock.show_error if dialog is None else dialog.refuse)(err)
            return
        if dialog is not None:
            dialog.accept()
        if step is None:
            self._say("green", "The labels are this version already: nothing changed.")
        else:
            self._say(
                "green",
                f"Version {version.number} is in the labels as one step; undo takes it back. "
                "Save to make it the mask on the disk.",
            )

    def _remove_preview(self) -> None:
        layer, self._shown = self._shown, None
        if layer is not None and layer in self._dock.viewer.layers:
            self._dock.viewer.layers.remove(layer)
