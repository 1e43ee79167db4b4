"""Guidelines, questions and trees as plain widgets."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import QUrl
from qtpy.QtGui import QColor, QImage, QTextDocument

from napari_medlabel.project.guidelines import changes, read_guidelines
from napari_medlabel.project.ontology.labels import OntologyLabel
from napari_medlabel.project.ontology.questions import Choice, Question
from napari_medlabel.project.ontology.trees import Node, Tree, Way
from napari_medlabel.widgets.study.guideline_panel import GuidelinePanel, in_words
from napari_medlabel.widgets.study.question_panel import QuestionPanel
from napari_medlabel.widgets.study.tree_panel import TreePanel

IMAGE = int(QTextDocument.ResourceType.ImageResource.value)
TEXT = """# Study

See [the *spleen*](#the-spleen), [more](https://example.org/x) and <b>this</b>.

## Liver

![good](img/good.png)

## The *Spleen*

- Hilum: not.
"""


@pytest.fixture
def panel(qtbot: Any, tmp_path: Path) -> GuidelinePanel:
    picture = QImage(900, 300, QImage.Format.Format_RGB32)
    picture.fill(0x336699)
    (tmp_path / "g" / "img").mkdir(parents=True)
    picture.save(str(tmp_path / "g" / "img" / "good.png"))
    picture.save(str(tmp_path / "outside.png"))
    (tmp_path / "g" / "img" / "link.png").symlink_to(tmp_path / "outside.png")
    (tmp_path / "g" / "guidelines.md").write_text(TEXT, encoding="utf-8")
    made = GuidelinePanel()
    qtbot.addWidget(made)
    made.show_guidelines(read_guidelines(tmp_path / "g" / "guidelines.md"))
    return made


def test_pictures_of_the_folder_are_shown_and_nothing_else_is_loaded(
    panel: GuidelinePanel, tmp_path: Path
) -> None:
    def wide(name: str) -> int:
        return panel.page.loadResource(IMAGE, QUrl(name)).width()

    assert 160 <= wide("img/good.png") <= panel.page.width(), "no wider than the page"
    for name in (
        "../outside.png",
        "img/link.png",
        str(tmp_path / "outside.png"),
        (tmp_path / "outside.png").as_uri(),
        "http://127.0.0.1/x.png",
        "//server/share/x.png",
        "img/gone.png",
    ):
        assert wide(name) == 16, name
    style = int(QTextDocument.ResourceType.StyleSheetResource.value)
    assert panel.page.loadResource(style, QUrl("img/good.png")) is None
    assert "<b>this</b>" in panel.page.toPlainText(), "HTML is text here"


def test_long_code_and_tables_break_and_a_giant_picture_is_not_opened(
    qtbot: Any, tmp_path: Path
) -> None:
    code = "```\n" + "a_word_without_an_end_" * 40 + "\n```\n"
    table = "| a | b |\n|---|---|\n| " + "x" * 400 + " | y |\n"
    words = f"# Study\n\n{code}\n{table}\n![giant](giant.png)\n\n" + "## S\n\nWords.\n" * 500
    (tmp_path / "guidelines.md").write_text(words, encoding="utf-8")
    head = struct.pack(">4sIIBBBBB", b"IHDR", 60_000, 60_000, 8, 2, 0, 0, 0)
    signed = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    (tmp_path / "giant.png").write_bytes(b"\x89PNG\r\n\x1a\n" + signed)
    made = GuidelinePanel()
    qtbot.addWidget(made)
    made.resize(300, 700)
    made.show()
    made.show_guidelines(read_guidelines(tmp_path / "guidelines.md"))
    assert made.page.document().documentLayout().documentSize().height() > 10_000
    assert made.page.horizontalScrollBar().maximum() == 0
    assert made.page.loadResource(IMAGE, QUrl("giant.png")).width() == 16


def test_pictures_come_later_into_room_that_was_kept(qtbot: Any, tmp_path: Path) -> None:
    for name, colour in (("red.png", 0xFF0000), ("blue.png", 0x0000FF)):
        image = QImage(900, 600, QImage.Format.Format_RGB32)
        image.fill(colour)
        assert image.save(str(tmp_path / name))
    (tmp_path / "guidelines.md").write_text("![r](red.png)\n\n![b](blue.png)\n", "utf-8")
    made = GuidelinePanel()
    qtbot.addWidget(made)
    made.resize(300, 700)
    made.show()
    made.show_guidelines(read_guidelines(tmp_path / "guidelines.md"))
    made.show_guidelines(read_guidelines(tmp_path / "guidelines.md"))  # while they are read
    page, text = made.page, made.page.document()
    tall = text.documentLayout().documentSize().height()
    held = text.resource(IMAGE, QUrl("red.png"))
    assert held.pixelColor(5, 5) == QColor(0x909090)
    qtbot.waitUntil(lambda: page.pictures.are_there, timeout=5000)
    for name, colour in (("red.png", 0xFF0000), ("blue.png", 0x0000FF)):
        shown = text.resource(IMAGE, QUrl(name))
        assert shown.pixelColor(5, 5) == QColor(colour)
        assert shown.size() == held.size()
    assert text.documentLayout().documentSize().height() == tall, "nothing jumps"


def test_guidelines_begin_at_their_beginning(panel: GuidelinePanel, qtbot: Any) -> None:
    panel.resize(260, 240)
    with qtbot.waitExposed(panel):
        panel.show()
    assert panel.page.verticalScrollBar().maximum() > 0
    assert panel.page.share == 0, "Qt scrolls to the page's own cursor"


def test_links_inside_jump_and_those_outside_are_asked_for(panel: GuidelinePanel) -> None:
    asked: list[str] = []
    panel.link_requested.connect(asked.append)
    panel.page.anchorClicked.emit(QUrl("#the-spleen"))
    assert panel.headings.currentText() == "The Spleen"
    panel.page.anchorClicked.emit(QUrl("https://example.org/x"))
    panel.page.anchorClicked.emit(QUrl("file:///etc/passwd"))
    assert asked == ["https://example.org/x"]


def test_the_section_of_the_label_in_hand_is_shown_with_its_rules(
    panel: GuidelinePanel,
) -> None:
    spleen = OntologyLabel(
        "spleen", 2, "Spleen <x>", "#5fd65f", hu_range=(-10, 200), smallest_mm3=1500,
        most_parts=1, laterality="left", guide="the *Spleen*",
    )  # fmt: skip
    panel.show_label(spleen, "HU")
    assert panel.headings.currentText() == "The Spleen"
    for words in ("-10 to 200 HU", "1.5 ml", "at most 1", "on the left", "Spleen &lt;x&gt;"):
        assert words in panel.rules.text()
    panel.follow.setChecked(False)
    panel.show_label(OntologyLabel("liver", 1, "liver", "#d65f5f"))
    assert panel.headings.currentText() == "The Spleen", "the person reads on"


def test_changes_are_told_section_by_section() -> None:
    found = changes(
        TEXT, TEXT.replace("Hilum: not", "Hilum: too").replace("## Liver", "## Lung")
    )
    assert [(one.heading, one.kind) for one in found] == [
        ("Lung", "new"),
        ("The *Spleen*", "changed"),
        ("Liver", "gone"),
    ]
    assert found[1].lines == ("- - Hilum: not.", "+ - Hilum: too.")
    assert "<s>- Hilum: not.</s>" in in_words(found)
    assert changes(TEXT, TEXT) == ()


def test_every_kind_of_answer_is_given_shown_and_taken_back(qtbot: Any) -> None:
    few = (Choice("a", "A"), Choice("b", "B"))
    many = tuple(Choice(f"c{n}", f"C{n}") for n in range(9))
    asked = (
        Question("yes", "Yes?", "study", "boolean", required=True),
        Question("one", "One?", "study", "choice", few),
        Question("long", "Long?", "study", "choice", many),
        Question("some", "Some?", "study", "multiple", few),
        Question("mm", "How long?", "study", "number", low=0, unit="mm"),
        Question("words", "Words?", "study", "text"),
    )
    panel = QuestionPanel()
    qtbot.addWidget(panel)
    told: dict[str, object] = {}
    panel.answered.connect(lambda name, _place, answer: told.update({name: answer}))
    panel.show_questions([("The case", "", asked)], {})
    field = {name: row.field for (name, _), row in panel.rows.items()}
    field["yes"].buttons[0].click()
    field["one"].buttons[1].click()
    field["long"].box.setCurrentIndex(3)
    field["long"].box.activated.emit(3)
    field["some"].boxes["b"].click()
    field["mm"].line.setText("-1")
    assert told.pop("mm") is None
    assert "0 or more mm" in panel.rows["mm", ""].problem.text()
    field["mm"].line.setText("12,5")
    field["words"].line.setPlainText(" Some ")
    given = {
        "yes": True, "one": "b", "long": "c2", "some": ("b",), "mm": 12.5, "words": "Some",
    }  # fmt: skip
    assert told == given
    panel.show_questions([("The case", "", asked)], {(key, ""): v for key, v in given.items()})
    panel.rows["one", ""].clear_button.click()
    assert told["one"] is None
    assert panel.point_out("yes")
    assert "needs an answer" in panel.rows["yes", ""].problem.text()
    panel.set_read_only(True)
    assert not field["yes"].isEnabled()
    absent: list[frozenset[str]] = []
    panel.absent_changed.connect(absent.append)
    panel.show_absent([("liver", "Liver"), ("spleen", "Spleen")], {"spleen"})
    assert not absent, "showing is not telling"
    item = panel.absent.item(0)
    item.setCheckState(panel.absent.item(1).checkState())
    assert absent == [frozenset({"liver", "spleen"})]


def test_a_tree_goes_forth_and_back_and_ends(qtbot: Any) -> None:
    nodes = (
        Node("first", "Round?", (Way("Yes", "label:node"), Way("No", "second"))),
        Node("second", "Long?", (Way("Yes", "label:duct"), Way("No", "problem"))),
    )
    panel = TreePanel()
    qtbot.addWidget(panel)
    ends: list[str] = []
    panel.label_reached.connect(ends.append)
    panel.problem_reached.connect(lambda: ends.append("problem"))
    panel.show_trees([Tree("t", "Round or long", nodes)], {"node": "Node", "duct": "Duct"})
    panel.buttons[1].click()
    assert panel.text.text() == "Long?"
    panel.back_button.click()
    assert panel.text.text() == "Round?"
    panel.buttons[0].click()
    assert panel.text.text() == "This is: Node."
    panel.buttons[0].click()
    panel.begin()
    panel.answer("No")
    panel.answer("No")
    panel.buttons[0].click()
    assert ends == ["node", "problem"]
    panel.set_read_only(True)
    assert not panel.buttons[0].isEnabled()
