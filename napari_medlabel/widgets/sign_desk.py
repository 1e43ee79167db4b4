"""What the dock does to sign: refuses unsaved work, asks, and signs in the background."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject

from napari_medlabel.errors import MedlabelError
from napari_medlabel.session.case import Session
from napari_medlabel.session.open_signing import (
    Done,
    ToSign,
    Wish,
    look_before_signing,
    require_saved,
    sign_open_mask,
)
from napari_medlabel.session.signer import own_key
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.case_log import refresh_case_log
from napari_medlabel.widgets.sign_dialog import SignDialog


class SignDesk(QObject):
    """Carries out what the button "Sign" asks for.

    Parameters
    ----------
    dock : MedlabelDock
        Shows what came of it.
    """

    def __init__(self, dock: Any) -> None:
        super().__init__(dock)
        self._dock = dock
        self._background = Background(self)
        self.dialog: SignDialog | None = None

    def ask(self) -> None:
        """Show what will be signed, and ask for name, meaning and passphrase."""
        session = self._dock.session
        if session is None or self.dialog is not None or self._background.is_busy:
            return
        try:
            require_saved(session)
        except MedlabelError as err:
            self._dock.show_error(err)
            return
        # The mask is read and its content computed: a second for a large one.
        self._background.run(
            lambda: look_before_signing(session),
            lambda facts: self._open(session, facts),
            self._dock.show_error,
        )

    def _open(self, session: Session, facts: ToSign) -> None:
        if session is not self._dock.session:
            return
        self.dialog = SignDialog(facts, session.desk.now, self._dock.window())
        self.dialog.sign_requested.connect(lambda wish: self._sign(session, facts, wish))
        self.dialog.finished.connect(lambda _result: self._let_go())
        self.dialog.open()

    def _sign(self, session: Session, facts: ToSign, wish: Wish) -> None:
        if self._background.is_busy:
            return
        self._background.run(
            lambda: sign_open_mask(session, facts.content, wish),
            self._signed,
            lambda err: self._refused(session, err),
        )

    def _signed(self, done: Done) -> None:
        self._show_log()
        if self.dialog is not None:
            self.dialog.show_done(done)

    def _refused(self, session: Session, err: MedlabelError) -> None:
        self._show_log()
        if self.dialog is None:
            self._dock.show_error(err)
            return
        try:
            has_key = own_key(session.desk.state) is not None
        except MedlabelError:
            has_key = True  # damaged: the refusal says so
        self.dialog.refuse(err, has_key=has_key)

    def _show_log(self) -> None:
        """Show what the log has now: a signature is a line, and so is a failed one."""
        self._dock.log_desk.lamp.look()
        refresh_case_log(self._dock.viewer)

    def case_closed(self) -> None:
        """Take away what belonged to the case."""
        if self.dialog is not None:
            self.dialog.close()

    def _let_go(self) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.deleteLater()
