"""The question before a signature: name, time, meaning, version, and the passphrase."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.audit.keys.people import LONGEST_NAME, MEANINGS
from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.session.open_signing import Done, ToSign, Wish
from napari_medlabel.widgets.notice import Notice

_TICK_MS: Final = 1000
_SAYS: Final = {
    "authored": "authored: this is my work",
    "reviewed": "reviewed: I looked at it",
    "approved": "approved: it may be used",
}
_NEW_KEY: Final = (
    "You have no signing key yet: it is made now, under the passphrase that you choose here. "
    "With it you sign as with your hand, so the passphrase is yours alone and is asked for at "
    "every signature. At least 8 characters; nobody can recover it."
)
_NOT_NAMED: Final = (
    "▲ The log has it. The officer has not named your key yet: hand over the line below, and "
    "say the code yourself."
)
_STANDINGS: Final = {
    "good": ("green", "✔ The log has it, and the officer named your key."),
    "unregistered": ("amber", _NOT_NAMED),
    "unlogged": ("red", "✖ The log has no line of it: sign again."),
    "revoked": ("red", "✖ Your key was revoked: make a new one with medlabel sign key --renew"),
}


class SignDialog(QDialog):
    """Shows what will be signed and asks; signs nothing itself.

    Parameters
    ----------
    facts : ToSign
        The mask's version, the name that was printed last, whether there is a key.
    now : callable
        The clock.
    """

    sign_requested = Signal(object)
    """A `Wish`."""

    def __init__(
        self, facts: ToSign, now: Callable[[], datetime], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Sign this mask")
        self.setMinimumWidth(480)
        self._now = now
        self._is_busy = False
        self.key_words = _plain(_NEW_KEY)
        self.name = QLineEdit(facts.name)
        self.name.setMaxLength(LONGEST_NAME)
        self.name.setPlaceholderText("First Last, as it is to be printed")
        self.meaning = QComboBox()
        for meaning in MEANINGS:
            self.meaning.addItem(_SAYS[meaning], meaning)
        self.time = QLabel()
        self.version = QLabel(facts.version)
        self.version.setToolTip(facts.content)
        self.passphrase, self.again = _masked("Passphrase"), _masked("Passphrase once more")
        self.notice = Notice()
        self.result = _plain("")
        self.sign_button, self.cancel_button = QPushButton("Sign"), QPushButton("Cancel")
        self.form = self._lay_out()
        self._has_key = facts.has_key
        self._show_key(facts.has_key)
        self.result.hide()
        for line in (self.name, self.passphrase, self.again):
            line.textChanged.connect(self._show_ready)
        self.sign_button.clicked.connect(self._sign)
        self.sign_button.setDefault(True)
        self.cancel_button.clicked.connect(self.reject)
        self._clock = QTimer(self)
        self._clock.setInterval(_TICK_MS)
        self._clock.timeout.connect(self._tick)
        self._clock.start()
        self._tick()
        self._show_ready()
        self._fit()
        (self.passphrase if facts.name else self.name).setFocus()

    def _lay_out(self) -> QWidget:
        """Return the part that asks."""
        form = QWidget()
        rows = QFormLayout(form)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow("Name", self.name)
        rows.addRow("Time", self.time)
        rows.addRow("Meaning", self.meaning)
        rows.addRow("Mask version", self.version)
        rows.addRow(self.key_words)
        rows.addRow("Passphrase", self.passphrase)
        rows.addRow("Once more", self.again)
        self._rows = rows
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.sign_button)
        column = QVBoxLayout(self)
        for part in (form, self.notice, self.result):
            column.addWidget(part)
        column.addStretch(1)
        column.addLayout(buttons)
        return form

    def _show_key(self, has_key: bool) -> None:
        """Ask twice, and say what for, where a key is to be made."""
        self._has_key = has_key
        label = self._rows.labelForField(self.again)
        for part in (self.key_words, self.again, label):
            if part is not None:
                part.setVisible(not has_key)

    def _tick(self) -> None:
        moment = self._now().astimezone(UTC)
        self.time.setText(f"{moment:%Y-%m-%d %H:%M:%S} UTC")

    def _show_ready(self, _text: str = "") -> None:
        given = bool(self.name.text().strip() and self.passphrase.text())
        twice = self._has_key or bool(self.again.text())
        self.sign_button.setEnabled(given and twice and not self._is_busy)

    def _sign(self) -> None:
        self.notice.clear()
        passphrase, again = self.passphrase.text(), self.again.text()
        if not self._has_key and passphrase != again:
            err = InputError("The two passphrases differ.", hint="Type the same one twice.")
            self.refuse(err, has_key=False)
            return
        wish = Wish(self.meaning.currentData(), self.name.text().strip(), passphrase)
        self._work(busy=True)
        self.sign_requested.emit(wish)

    def _work(self, *, busy: bool) -> None:
        self._is_busy = busy
        self.form.setEnabled(not busy)
        self.cancel_button.setEnabled(not busy)
        self.sign_button.setText("Signing …" if busy else "Sign")
        self._show_ready()

    def _forget(self) -> None:
        self.passphrase.clear()
        self.again.clear()

    def refuse(self, err: MedlabelError, *, has_key: bool) -> None:
        """Say why nothing was signed; the passphrase is typed anew."""
        self._forget()
        self._work(busy=False)
        self._show_key(has_key)
        self.notice.say("red", f"{err.message}\n{err.hint}".strip())
        self._fit()
        self.passphrase.setFocus()

    def _fit(self) -> None:
        """Be as high as what is shown needs: words that wrap do not ask for it themselves."""
        column = self.layout()
        if column is not None:
            column.activate()
            self.resize(self.width(), column.totalHeightForWidth(self.width()))

    def show_done(self, done: Done) -> None:
        """Say what was signed, and how it stands."""
        self._clock.stop()
        self._forget()
        self._work(busy=False)
        said = done.signed.said
        self.form.hide()
        self.sign_button.hide()
        lines = [
            f"Name: {said.name}",
            f"Time: {said.time.replace('T', ' ').removesuffix('Z')} UTC",
            f"Meaning: {said.meaning}",
            f"Mask version: {done.version}",
        ]
        if done.standing == "unregistered":
            lines += ["", done.key.command, f"Code: {done.key.code}"]
        self.result.setText("\n".join(lines))
        self.result.show()
        colour, words = _STANDINGS[done.standing]
        self.notice.say(colour, f"Signed. {words}")
        self.cancel_button.setText("Close")
        self.cancel_button.setDefault(True)
        self._fit()

    def reject(self) -> None:
        """Close, but not while a signature is being made."""
        if not self._is_busy:
            self._clock.stop()
            self._forget()
            super().reject()


def _plain(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _masked(name: str) -> QLineEdit:
    line = QLineEdit()
    line.setEchoMode(QLineEdit.EchoMode.Password)
    line.setAccessibleName(name)
    return line
