"""The sign dialog shows the four facts, asks each time, and says what came of it; no viewer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QLineEdit

from napari_medlabel.audit.keys.people import SignedStatement, Statement
from napari_medlabel.errors import RefusedError
from napari_medlabel.session.open_signing import Done, ToSign
from napari_medlabel.session.signer import OwnKey
from napari_medlabel.widgets.sign_dialog import SignDialog

CONTENT = "sha256:" + "ab" * 32
TIME = "2026-11-22T12:00:00.000Z"
USER = "u1-00000000000000aa"
KEY = OwnKey(USER, "cHVi", "AAAA-BBBB-CCCC-DDDD")


def done(standing: str) -> Done:
    said = Statement("authored", "Dr. Jane Doe", CONTENT, TIME, USER)
    return Done(SignedStatement(said, b"p" * 32, b"s" * 64), standing, KEY)


def ask(qtbot: QtBot, *, has_key: bool = True, name: str = "Dr. Jane Doe") -> SignDialog:
    made = SignDialog(
        ToSign(CONTENT, name, has_key), lambda: datetime(2026, 11, 22, 12, tzinfo=UTC)
    )
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def dialog(qtbot: QtBot) -> SignDialog:
    return ask(qtbot)


def test_the_four_facts_are_there_before_signing(dialog: SignDialog) -> None:
    assert dialog.name.text() == "Dr. Jane Doe"
    assert dialog.time.text() == "2026-11-22 12:00:00 UTC"
    assert dialog.meaning.currentData() == "authored"
    assert dialog.version.text() == "abababababab"
    assert dialog.passphrase.echoMode() == QLineEdit.EchoMode.Password
    assert not dialog.again.isVisible()


def test_without_name_or_passphrase_nothing_is_signed(dialog: SignDialog) -> None:
    assert not dialog.sign_button.isEnabled()
    dialog.passphrase.setText("words")
    assert dialog.sign_button.isEnabled()
    dialog.name.setText("  ")
    assert not dialog.sign_button.isEnabled()


def test_what_is_asked_for_is_handed_on(dialog: SignDialog, qtbot: QtBot) -> None:
    dialog.passphrase.setText("words")
    dialog.name.setText(" A. Muster ")
    dialog.meaning.setCurrentIndex(1)
    with qtbot.waitSignal(dialog.sign_requested) as asked:
        dialog.sign_button.click()
    wish = asked.args[0]
    assert (wish.meaning, wish.name, wish.passphrase) == ("reviewed", "A. Muster", "words")
    assert not dialog.sign_button.isEnabled()
    dialog.reject()
    assert dialog.isVisible()  # not while it is being signed


def test_a_refusal_is_said_in_two_sentences_and_the_passphrase_asked_anew(
    dialog: SignDialog,
) -> None:
    dialog.passphrase.setText("words")
    dialog.sign_button.click()
    dialog.refuse(RefusedError("It is another one.", hint="Type it again."), has_key=True)
    assert dialog.notice.text.text() == "It is another one.\nType it again."
    assert dialog.passphrase.text() == ""
    assert dialog.form.isEnabled()
    dialog.reject()
    assert not dialog.isVisible()


def test_a_first_key_is_explained_and_its_passphrase_typed_twice(qtbot: QtBot) -> None:
    dialog = ask(qtbot, has_key=False, name="")
    assert "it is made now" in dialog.key_words.text()
    assert dialog.again.isVisible()
    dialog.name.setText("A. Muster")
    dialog.passphrase.setText("correct horse")
    assert not dialog.sign_button.isEnabled()
    dialog.again.setText("correct house")
    with qtbot.assertNotEmitted(dialog.sign_requested):
        dialog.sign_button.click()
    assert "The two passphrases differ." in dialog.notice.text.text()
    for line in (dialog.passphrase, dialog.again):
        line.setText("correct horse")
    with qtbot.waitSignal(dialog.sign_requested):
        dialog.sign_button.click()
    # The key was made, and the log then failed: next time the passphrase is asked for once.
    dialog.refuse(RefusedError("The log cannot be written."), has_key=True)
    assert not dialog.again.isVisible()
    assert not dialog.key_words.isVisible()


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        ("good", "the officer named your key"),
        ("unregistered", "has not named your key yet"),
        ("unlogged", "The log has no line of it"),
        ("revoked", "was revoked"),
    ],
)
def test_the_result_says_what_was_signed_and_how_it_stands(
    dialog: SignDialog, standing: str, words: str
) -> None:
    dialog.passphrase.setText("words")
    dialog.sign_button.click()
    dialog.show_done(done(standing))
    assert words in dialog.notice.text.text()
    shown = dialog.result.text()
    for fact in ("Dr. Jane Doe", "2026-11-22 12:00:00.000 UTC", "authored", "abababababab"):
        assert fact in shown
    assert (KEY.code in shown) is (standing == "unregistered")
    assert (KEY.command in shown) is (standing == "unregistered")
    assert not dialog.sign_button.isVisible()
    assert dialog.passphrase.text() == ""
    dialog.cancel_button.click()
    assert not dialog.isVisible()
