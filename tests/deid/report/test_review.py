"""A review folder: what waits moves on or goes as decided, and nothing is overwritten."""

from __future__ import annotations

import errno
import json
import os
import shutil

import pytest

from napari_medlabel.deid.report import review
from napari_medlabel.deid.report.counts import Look, Queued
from napari_medlabel.deid.report.review import (
    PAGE_NAME,
    QUEUE_NAME,
    Decided,
    decide,
    read_queue,
    write_queue,
)
from napari_medlabel.errors import InputError, LogError, SaveError

TOKENS = ("F-AAAA", "F-BBBB", "F-CCCC")


class Sink:
    """Takes events, and what was where when they came."""

    def __init__(self, watched=None, fail: bool = False) -> None:
        self.events, self.there, self._watched, self._fail = [], [], watched, fail

    def append(self, event, *, subject=(), detail=None, outcome=None):
        if self._fail:
            raise LogError("The log cannot be written.", hint="Free some space.")
        self.events.append((event, detail))
        if self._watched is not None:
            self.there.append(sorted(p.name for p in self._watched.rglob("I-*")))


@pytest.fixture
def folder(ct, as_file, tmp_path):
    """A review folder with three images."""
    result = tmp_path / "out-review"
    queued = []
    for number, token in enumerate(TOKENS, start=1):
        name = ("P-1", "ST-1", f"SE-{number}", f"I-{number}.dcm")
        path = result.joinpath(*name)
        path.parent.mkdir(parents=True)
        path.write_bytes(as_file(ct(number)))
        looks = frozenset({Look.ULTRASOUND, Look.LOW_CONTRAST})
        queued.append(Queued(number, token, name, looks if number == 1 else frozenset()))
    assert write_queue(result, queued) == 3
    return result


@pytest.fixture
def target(tmp_path):
    result = tmp_path / "out"
    result.mkdir()
    (result / "deid-report.json").write_text("{}")
    return result


def files(path) -> list[str]:
    return sorted(p.name for p in path.rglob("I-*"))


def test_the_list_tells_token_name_reasons_and_hash(folder):
    waiting = read_queue(folder)
    assert [each.token for each in waiting] == list(TOKENS)
    first = waiting[0]
    assert first.look == (Look.LOW_CONTRAST.value, Look.ULTRASOUND.value)
    assert first.path(folder).is_file()
    document = json.loads((folder / QUEUE_NAME).read_text())
    assert document["version"] == 1
    assert len(document["files"][0]["sha256"]) == 64


def test_accepted_images_move_and_rejected_ones_go_and_the_rest_waits(folder, target):
    content = (folder / "P-1" / "ST-1" / "SE-1" / "I-1.dcm").read_bytes()
    sink = Sink(target)
    done = decide(folder, target, accept=["F-AAAA"], reject=["F-BBBB"], log=sink)
    assert done == Decided(1, 1, 1)
    assert (target / "P-1" / "ST-1" / "SE-1" / "I-1.dcm").read_bytes() == content
    assert files(target) == ["I-1.dcm"]
    assert files(folder) == ["I-3.dcm"]
    assert [each.token for each in read_queue(folder)] == ["F-CCCC"]
    assert not (folder / "P-1" / "ST-1" / "SE-1").exists()
    ((event, detail),) = sink.events
    assert event == "deid.review"
    assert {k: detail[k] for k in ("accepted", "rejected", "files", "left")} == {
        "accepted": 1, "rejected": 1, "files": 3, "left": 1,
    }  # fmt: skip
    assert detail["manifest"].startswith("sha256:")
    assert sink.there == [[]]


def test_when_all_is_decided_the_page_says_that_nothing_waits(folder, target):
    assert decide(folder, target, accept=TOKENS) == Decided(3, 0, 0)
    assert read_queue(folder) == ()
    assert b"Nothing waits for your eyes" in (folder / PAGE_NAME).read_bytes()
    assert sorted(p.name for p in folder.iterdir()) == [PAGE_NAME, QUEUE_NAME]
    assert decide(folder, target) == Decided(0, 0, 0)


def test_without_a_log_line_nothing_moves(folder, target):
    with pytest.raises(LogError):
        decide(folder, target, accept=TOKENS, log=Sink(fail=True))
    assert files(folder) == ["I-1.dcm", "I-2.dcm", "I-3.dcm"]
    assert files(target) == []


def test_a_record_that_is_not_ours_is_refused_before_the_log_has_its_line(folder, target):
    (target / "deid-review.json").write_text("{}")
    sink = Sink()
    with pytest.raises(InputError, match=r"deid-review\.json"):
        decide(folder, target, accept=TOKENS, log=sink)
    assert sink.events == []
    assert len(files(folder)) == 3


def test_the_target_has_the_record_before_anything_moves(folder, target, monkeypatch):
    monkeypatch.setattr(review, "_move", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        decide(folder, target, accept=["F-AAAA"], date="2026-11-22")
    (row,) = json.loads((target / "deid-review.json").read_text())["files"]
    assert (row["token"], row["decision"], row["date"]) == ("F-AAAA", "accepted", "2026-11-22")


def test_a_target_that_is_not_there_is_made(folder, tmp_path):
    decide(folder, tmp_path / "new", accept=["F-AAAA"])
    assert files(tmp_path / "new") == ["I-1.dcm"]


@pytest.mark.parametrize(
    ("accept", "reject", "message"),
    [
        (["F-ZZZZ"], [], "1 of 1 tokens do not wait"),
        ([], ["F-AAAA", "F-YYYY"], "1 of 2 tokens do not wait"),
        (["F-AAAA"], ["F-AAAA"], "accepted and rejected at once"),
    ],
)
def test_wrong_tokens_are_refused_before_anything_moves(
    folder, target, accept, reject, message
):
    with pytest.raises(InputError, match=message):
        decide(folder, target, accept=accept, reject=reject)
    assert len(files(folder)) == 3


def test_nothing_is_overwritten(folder, target):
    there = target / "P-1" / "ST-1" / "SE-2" / "I-2.dcm"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"another")
    with pytest.raises(InputError, match="has a file of the same name"):
        decide(folder, target, accept=TOKENS)
    assert there.read_bytes() == b"another"
    assert len(files(folder)) == 3


def test_an_image_that_was_changed_since_does_not_leave(folder, target):
    path = folder / "P-1" / "ST-1" / "SE-2" / "I-2.dcm"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(InputError, match="not the one that was written for review"):
        decide(folder, target, accept=["F-BBBB"])
    path.unlink()
    with pytest.raises(InputError, match="not the one that was written for review"):
        decide(folder, target, accept=["F-BBBB"])
    assert decide(folder, target, reject=["F-BBBB"]) == Decided(0, 1, 2)


@pytest.mark.parametrize("where", [".", "P-1", ".."])
def test_target_and_review_folder_must_lie_apart(folder, where):
    with pytest.raises(InputError, match="outside each other"):
        decide(folder, folder / where, accept=["F-AAAA"])


def test_a_target_that_is_a_file_is_refused(folder, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="must be a folder"):
        decide(folder, tmp_path / "file", accept=["F-AAAA"])


def test_a_decision_that_was_broken_off_goes_on(folder, target, monkeypatch):
    moved = []
    real = review._move

    def once(here, there):
        if moved:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(here, there)
        moved.append(here)

    monkeypatch.setattr(review, "_move", once)
    with pytest.raises(SaveError, match="No space left"):
        decide(folder, target, accept=["F-AAAA", "F-BBBB"])
    assert files(target) == ["I-1.dcm"]
    monkeypatch.undo()
    assert decide(folder, target, accept=["F-AAAA", "F-BBBB"]) == Decided(2, 0, 1)
    assert files(target) == ["I-1.dcm", "I-2.dcm"]


def test_a_kill_between_new_name_and_old_one_leaves_what_can_be_finished(folder, target):
    here = folder / "P-1" / "ST-1" / "SE-1" / "I-1.dcm"
    there = target / "P-1" / "ST-1" / "SE-1" / "I-1.dcm"
    there.parent.mkdir(parents=True)
    os.link(here, there)
    assert decide(folder, target, accept=["F-AAAA"]) == Decided(1, 0, 2)
    assert not here.exists()
    assert there.is_file()


def test_across_disks_files_are_copied_whole_or_not_at_all(folder, target, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    content = (folder / "P-1" / "ST-1" / "SE-1" / "I-1.dcm").read_bytes()
    decide(folder, target, accept=["F-AAAA"])
    assert (target / "P-1" / "ST-1" / "SE-1" / "I-1.dcm").read_bytes() == content

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(SaveError, match="No space left"):
        decide(folder, target, accept=["F-BBBB"])
    assert files(target) == ["I-1.dcm"]
    assert files(folder) == ["I-2.dcm", "I-3.dcm"]


@pytest.mark.parametrize("linked", [True, False])
def test_a_file_that_appears_meanwhile_is_not_overwritten(folder, target, monkeypatch, linked):
    there = target / "P-1" / "ST-1" / "SE-1" / "I-1.dcm"
    real = os.link

    def late(here, path):
        there.write_bytes(b"another")
        if linked:
            return real(here, path)
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(SaveError, match="File exists"):
        decide(folder, target, accept=["F-AAAA"])
    assert there.read_bytes() == b"another"
    assert (folder / "P-1" / "ST-1" / "SE-1" / "I-1.dcm").is_file()


def test_a_file_that_cannot_be_read_does_not_count_as_moved(folder, target, monkeypatch):
    def shut(_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(review, "sha256_file", shut)
    with pytest.raises(InputError, match="not the one that was written"):
        decide(folder, target, accept=["F-AAAA"])


def test_a_queue_over_files_that_are_not_there_is_refused(tmp_path):
    with pytest.raises(SaveError, match="could not be read"):
        write_queue(tmp_path, [Queued(1, "F-AAAA", ("P-1", "I-1.dcm"), frozenset())])


GOOD = {"token": "F-AAAA", "name": ["P-1", "I-1.dcm"], "look": [], "sha256": "0" * 64}
BAD = [
    "not JSON",
    [],
    {"version": 2, "files": []},
    {"version": 1},
    {"version": 1, "files": [{**GOOD, "name": ["..", "I-1.dcm"]}]},
    {"version": 1, "files": [{**GOOD, "name": ["/etc", "I-1.dcm"]}]},
    {"version": 1, "files": [{**GOOD, "name": []}]},
    {"version": 1, "files": [{**GOOD, "name": [QUEUE_NAME]}]},
    {"version": 1, "files": [{**GOOD, "name": [7]}]},
    {"version": 1, "files": [{**GOOD, "token": "-"}]},
    {"version": 1, "files": [{**GOOD, "sha256": "x"}]},
    {"version": 1, "files": [GOOD, GOOD]},
    {"version": 1, "files": [GOOD, {**GOOD, "token": "F-BBBB"}]},
    {"version": 1, "files": ["x"]},
]


@pytest.mark.parametrize("document", BAD)
def test_a_list_that_was_changed_by_hand_is_refused(tmp_path, document):
    text = document if isinstance(document, str) else json.dumps(document)
    (tmp_path / QUEUE_NAME).write_text(text)
    with pytest.raises(InputError, match=r"not one that `medlabel deid` wrote"):
        read_queue(tmp_path)


def test_a_folder_without_a_list_is_no_review_folder(tmp_path):
    with pytest.raises(InputError, match="A review folder was expected"):
        read_queue(tmp_path)


def test_the_page_shows_pictures_reasons_and_names_from_codes_only(folder):
    page = (folder / PAGE_NAME).read_text("utf-8")
    assert page.count("<img ") == 6
    assert page.count('alt="Image 1, as it is"') == 1
    assert "Ultrasound: names and dates" in page
    assert all(token in page for token in TOKENS)
    assert str(folder) not in page
    assert "Featherstone" not in page


def test_what_cannot_be_drawn_is_said_and_many_images_are_small(folder, target, monkeypatch):
    monkeypatch.setattr("napari_medlabel.deid.report.review_page.FEW", 0)
    (folder / "P-1" / "ST-1" / "SE-3" / "I-3.dcm").write_bytes(b"broken")
    decide(folder, target, reject=["F-AAAA"])
    page = (folder / PAGE_NAME).read_text("utf-8")
    assert page.count("<img ") == 2
    assert "No picture could be drawn" in page


def test_a_reason_that_is_not_known_here_is_shown_as_it_is(folder, target):
    document = json.loads((folder / QUEUE_NAME).read_text())
    document["files"][1]["look"] = ["something <new>"]
    (folder / QUEUE_NAME).write_text(json.dumps(document))
    decide(folder, target, reject=["F-AAAA"])
    assert "<li>something &lt;new&gt;</li>" in (folder / PAGE_NAME).read_text("utf-8")
