"""Comments: threads pinned in the patient, each writer in a file of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.project.comments import (
    Comment,
    add_comment,
    comments_file,
    read_comments,
)
from napari_medlabel.project.layout import CaseId, Layout

CASE = CaseId("001")
ONE, TWO, THREE, FOUR = (digit * 16 for digit in "1234")


def said(key: str, rater: str, second: int, thread: str = "", **more: object) -> Comment:
    time = f"2026-11-22T12:00:{second:02d}Z"
    text = str(more.pop("text", "Is this still liver?"))
    slot = str(more.pop("slot", "A"))
    return Comment(key, thread or key, rater, slot, time, text, **more)  # type: ignore[arg-type]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


def test_a_thread_is_put_together_from_all_writers(layout: Layout) -> None:
    first = said(ONE, "r04", 1, at_ras=(1.5, -2.0, 30.0), label=1)
    add_comment(layout, CASE, first)
    (thread,) = read_comments(layout, CASE).threads
    assert (thread.standing, thread.first) == ("open", first)
    add_comment(layout, CASE, said(TWO, "r01", 2, ONE, text="No, it is the gall bladder."))
    (thread,) = read_comments(layout, CASE).threads
    assert (thread.standing, len(thread.comments)) == ("answered", 2)
    add_comment(layout, CASE, said(THREE, "r04", 3, ONE, text="", resolves=True))
    found = read_comments(layout, CASE)
    assert (found.threads[0].standing, found.unresolved) == ("resolved", ())
    add_comment(layout, CASE, said(FOUR, "r01", 4, ONE, text="Wait."))
    assert read_comments(layout, CASE).threads[0].standing == "answered"
    assert len(list((layout.comments / str(CASE)).iterdir())) == 2


def test_a_clock_that_is_wrong_does_not_put_an_answer_before_its_question(
    layout: Layout,
) -> None:
    add_comment(layout, CASE, said(ONE, "r04", 30))
    add_comment(layout, CASE, said(TWO, "r01", 5, ONE))
    assert read_comments(layout, CASE).threads[0].first.id == ONE


def test_a_comment_added_twice_stands_once(layout: Layout) -> None:
    for _ in range(2):
        path = add_comment(layout, CASE, said(ONE, "r04", 1))
    assert path.read_bytes().count(b"\n") == 1


def test_a_line_that_a_crash_cut_takes_no_other_with_it(layout: Layout) -> None:
    path = add_comment(layout, CASE, said(ONE, "r04", 1))
    path.write_bytes(path.read_bytes() + said(TWO, "r04", 2).to_line()[:40])
    add_comment(layout, CASE, said(THREE, "r04", 3))
    found = read_comments(layout, CASE)
    assert [one.first.id for one in found.threads] == [ONE, THREE]
    assert found.damaged == 1


def test_nobody_writes_in_somebody_elses_file(layout: Layout) -> None:
    path = add_comment(layout, CASE, said(ONE, "r04", 1))
    path.write_bytes(path.read_bytes() + said(TWO, "r01", 2).to_line())
    found = read_comments(layout, CASE)
    assert (len(found.threads), found.damaged) == (1, 1)


def test_a_blind_reader_sees_what_is_about_the_own_reading(layout: Layout) -> None:
    add_comment(layout, CASE, said(ONE, "r04", 1, slot="A"))
    add_comment(layout, CASE, said(TWO, "r04", 2, slot="B"))
    add_comment(layout, CASE, said(THREE, "r02", 3, slot="A"))
    found = read_comments(layout, CASE).visible({"B"}, "r02")
    assert [one.first.id for one in found.threads] == [TWO, THREE]


@pytest.mark.parametrize(
    "text",
    ["seen on 1961-04-12", "born 12.04.1961", "number 4711081512", "ask a.muster@clinic.org"],
)
def test_what_looks_like_identity_is_refused(layout: Layout, text: str) -> None:
    with pytest.raises(InputError, match="something like a date") as caught:
        add_comment(layout, CASE, said(ONE, "r04", 1, text=text))
    assert "1961" not in caught.value.message
    assert not layout.comments.exists()


def test_a_comment_that_is_none_is_refused() -> None:
    good = said(ONE, "r04", 1)
    assert good.digest.startswith("sha256:")
    for change, words in (
        ({"id": "x"}, "an id, a thread"),
        ({"slot": "Z"}, "an id, a thread"),
        ({"text": " "}, "1 to 4000 signs"),
        ({"at_ras": (0.0, float("nan"), 0.0)}, "three numbers in mm"),
    ):
        with pytest.raises(InputError, match=words):
            replace(good, **change)  # type: ignore[arg-type]


def test_a_file_that_cannot_be_read_is_said(layout: Layout) -> None:
    comments_file(layout, CASE, "r01").mkdir(parents=True)
    with pytest.raises(InputError, match="cannot be read"):
        read_comments(layout, CASE)


def test_tags_are_kept_and_lines_without_them_keep_their_digest(layout: Layout) -> None:
    plain = said(ONE, "r04", 1)
    assert b"tags" not in plain.to_line()
    tagged = said(TWO, "r04", 2, tags=("boundary", "missed"))
    for one in (plain, tagged):
        add_comment(layout, CASE, one)
    found = [thread.first for thread in read_comments(layout, CASE).threads]
    assert found == [plain, tagged]
    with pytest.raises(InputError, match="A tag is"):
        said(THREE, "r04", 3, tags=("ugly",))
