"""``medlabel project agree`` and ``consensus`` on a small study, as its manager runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_medlabel.cli.main import main
from napari_medlabel.project.cases.version import whole_versions
from napari_medlabel.project.layout import CONSENSUS
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start
from tests.session.study.small_study import SmallStudy, make_study


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallStudy:
    made = make_study(tmp_path, cases=3)
    for number in (0, 1):
        for who, slot, place in (("r01", "A", 2), ("r02", "B", 3)):
            seat, case = made.seat(who), made.cases[number]
            start(seat, case, slot)
            work = made.work(1, number=number, place=place)
            submit(seat, case, slot, made.scan(number), work)
    made.close()
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "pc-m1"))
    return made


def test_a_study_is_compared_listed_decided_and_reported(
    study: SmallStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: object) -> tuple[int, str]:
        code = main(["project", *(str(word) for word in words)])
        out = capsys.readouterr()
        return code, out.out + out.err

    root, case = study.layout.root, study.cases[0]
    code, said = run("consensus", root, case)
    assert code == 0
    assert "A only" in said
    assert "2 differences, 2 not decided." in said
    assert run("consensus", root, case, "--decide", "0=majority")[0] == 3
    assert run("consensus", root, case, "--decide", "7=A")[0] == 2
    assert run("consensus", root, case, "--rest", "A")[0] == 2
    code, said = run("consensus", root, case, "--decide", "0=A", "1=A", "--json")
    assert json.loads(said)["open"] == 0
    code, said = run("consensus", root, case, "--rule", "adjudicate")
    assert (code, "consensus version 1 of 2 readings" in said) == (0, True)
    assert whole_versions(study.layout, CONSENSUS, case) == (1,)

    code, said = run("agree", root)
    assert code == 0
    assert "2 of 3 cases, 2 raters." in said
    assert "against the consensus" in said
    assert "not compared: 1 with less than two readings" in said
    facts = tmp_path / "facts.json"
    facts.write_text('{"raters": "Two radiologists."}')
    report, tables = tmp_path / "r" / "report.md", tmp_path / "tables"
    code, said = run("agree", root, "--json", "--csv", tables, "--report", report,
                     "--facts", facts)  # fmt: skip
    assert code == 0
    found = json.loads(said[said.index("{") : said.rindex("}") + 1])
    (one,) = [row for row in found["between_raters"] if row["name"] == "Liver"]
    assert one["figures"]["dice"]["mean"] == pytest.approx(0.5)
    assert (tables / "labels.csv").read_text().count("r01,r02") == 4
    assert "Two radiologists." in report.read_text()
    assert (report.parent / "report-dice.svg").is_file()
    facts.write_text('{"weather": "fine"}')
    assert run("agree", root, "--facts", facts)[0] == 2


def test_a_reviewer_is_not_told_whose_reading_is_whose_and_an_annotator_nothing(
    study: SmallStudy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    reviewer = study.seat("r04")
    assert not {"manager", "releaser"} & set(reviewer.rater.roles)
    study.close()
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "pc-r04"))
    words = ["agree", study.layout.root, "--json", "--csv", tmp_path / "t"]
    words += ["--report", tmp_path / "t" / "report.md"]
    assert main(["project", *map(str, words)]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["raters"] == ["R1", "R2"]
    written = [path.read_text() for path in (tmp_path / "t").iterdir()]
    assert any("R1" in text for text in written)
    for text in (said.out, said.err, *written):
        assert "r01" not in text
        assert "r02" not in text
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "pc-r01"))
    assert main(["project", "agree", str(study.layout.root)]) == 3
    assert main(["project", "consensus", str(study.layout.root), "sub-001_ct"]) == 3
