"""`medlabel deid review`: lists, accepts, rejects; the log has each decision."""

from __future__ import annotations

import argparse
import json

import pytest

from napari_medlabel.cli import deid_review
from napari_medlabel.deid.report.counts import Look, Queued
from napari_medlabel.deid.report.review import write_queue
from napari_medlabel.errors import InputError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "state"))
    result = tmp_path / "out-review"
    (result / "P-1").mkdir(parents=True)
    queued = []
    for number, token in enumerate(("F-AAAA", "F-BBBB", "F-CCCC"), start=1):
        name = ("P-1", f"I-{number}.dcm")
        result.joinpath(*name).write_bytes(bytes([number]))
        queued.append(Queued(number, token, name, frozenset({Look.ULTRASOUND})))
    write_queue(result, queued)
    delivered(tmp_path / "out", "F-AAAA", "F-BBBB", "F-CCCC")
    return result


def delivered(target, *tokens: str) -> None:
    """Make what `check_batch` looks for in the folder of the same batch."""
    target.mkdir(exist_ok=True)
    document = {"review": [{"token": token} for token in tokens]}
    (target / "deid-report.json").write_text(json.dumps(document), "utf-8")


def run(folder, *words: str) -> int:
    parser = argparse.ArgumentParser()
    deid_review.add_parser(parser.add_subparsers())
    audit = folder.parent / "audit"
    args = parser.parse_args(["review", str(folder), "--audit", str(audit), *words])
    return args.run(args)


def test_without_a_decision_it_lists_tokens_and_reasons(folder, capsys):
    assert run(folder) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[0] == "F-AAAA  ultrasound"
    assert "3 images waiting" in shown.err
    assert not (folder.parent / "audit").exists()
    assert run(folder, "--json") == 0
    assert json.loads(capsys.readouterr().out)["waiting"][2] == {
        "token": "F-CCCC", "name": "P-1/I-3.dcm", "look": ["ultrasound"], "files": 1,
    }  # fmt: skip


def test_it_moves_and_deletes_and_the_log_has_it(folder, capsys):
    target = folder.parent / "out"
    words = ("--accept", "F-AAAA", "--reject", "F-BBBB", "--into", str(target))
    assert run(folder, *words) == 0
    assert "1 image moved, 1 image deleted, 1 image still waiting." in capsys.readouterr().out
    assert (target / "P-1" / "I-1.dcm").is_file()
    assert not (folder / "P-1" / "I-2.dcm").exists()
    logged = "".join(
        path.read_text("utf-8", "ignore") for path in (folder.parent / "audit").rglob("*.jsonl")
    )
    assert '"deid.review"' in logged


def test_accepting_all_leaves_out_what_is_rejected(folder, capsys):
    target = folder.parent / "out"
    words = ("--accept-all", "--reject", "F-CCCC", "--into", str(target), "--json")
    assert run(folder, *words) == 0
    assert json.loads(capsys.readouterr().out) == {"accepted": 2, "rejected": 1, "left": 0}
    assert sorted(p.name for p in (target / "P-1").iterdir()) == ["I-1.dcm", "I-2.dcm"]
    assert run(folder) == 0
    assert "Nothing waits." in capsys.readouterr().err


def test_a_decision_needs_a_target_and_one_kind_of_accepting(folder):
    with pytest.raises(InputError, match="needs the folder that the batch wrote"):
        run(folder, "--accept-all")
    with pytest.raises(InputError, match="exclude each other"):
        run(folder, "--accept-all", "--accept", "F-AAAA", "--into", "x")


def test_a_series_is_one_line_and_says_how_many_files_it_is(tmp_path, capsys):
    result = tmp_path / "heads-review"
    queued = []
    for number in (1, 2):
        name = ("P-1", "ST-1", "SE-1", f"I-{number}.dcm")
        path = result.joinpath(*name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        queued.append(Queued(number, f"F-000{number}", name, frozenset({Look.FACE})))
    write_queue(result, queued)
    assert run(result) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line == "F-0001  face removed automatically (2 files of a series)"


def test_a_folder_of_no_batch_or_another_takes_no_images(folder):
    with pytest.raises(InputError, match=r"with its deid-report\.json"):
        run(folder, "--accept-all", "--into", str(folder.parent / "mistyped"))
    assert not (folder.parent / "mistyped").exists()
    delivered(folder.parent / "other", "F-AAAA")
    with pytest.raises(InputError, match="names other images"):
        run(folder, "--accept-all", "--into", str(folder.parent / "other"))
    assert (folder / "P-1" / "I-1.dcm").is_file()
