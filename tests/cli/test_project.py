"""``medlabel project``: init, rater, add, validate, and no identity in any byte they leave."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_medlabel import samples
from napari_medlabel.cli.main import main
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.settings import read_settings
from tests.canary.marks import make_study
from tests.canary.traces import traces, views
from tests.io.scans import voxels, write_series

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; return exit code, stdout and stderr."""

    def command(*words: object) -> tuple[int, str, str]:
        code = main(["project", *(str(word) for word in words)])
        out, err = capsys.readouterr()
        return code, out, err

    return command


@pytest.fixture
def study(tmp_path: Path, run: Run) -> Layout:
    folder = tmp_path / "study"
    assert run("init", folder, "--name", "Livers", "--readings", 2)[0] == 0
    return Layout(folder)


def test_a_study_is_made_by_the_rules_that_were_given(tmp_path: Path, run: Run) -> None:
    code, out, err = run(
        "init", tmp_path / "s", "--name", "Lebern", "--readings", 2, "--rule", "majority",
        "--ontology", "abdomen", "--landmarks", "afids-32", "--gold-share", 0.1,
        "--review-share", 0.5, "--repeat-days", 30, "--seed", 7, "--rater", "boss",
    )  # fmt: skip
    assert code == 0
    assert "13 labels, 2 reading(s)" in out
    assert "medlabel project add STUDY" in err
    settings = read_settings(tmp_path / "s" / "medlabel" / "project.json")
    assert (settings.rule, settings.gold_share, settings.seed) == ("majority", 0.1, 7)
    assert settings.rater("boss").roles == ("manager",)
    assert run("init", tmp_path / "s", "--name", "Again")[0] == 3
    code, out, _ = run("init", tmp_path / "t", "--name", "T", "--json")
    assert json.loads(out)["study"]["name"] == "T"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--readings", 9), "read by 1 to 8 raters"),
        (("--gold-share", 2), "share from 0 to 1"),
        (("--ontology", "livers"), "no label scheme of that name"),
        (("--rater", "Erika Muster"), "by a code such as r01"),
    ],
)
def test_a_rule_out_of_its_range_makes_no_folder(
    tmp_path: Path, run: Run, words: tuple[object, ...], said: str
) -> None:
    code, _, err = run("init", tmp_path / "s", "--name", "S", *words)
    assert code == 2
    assert said in err
    assert not (tmp_path / "s").exists()


def test_raters_come_by_code_and_token(study: Layout, run: Run) -> None:
    code, out, _ = run("rater", study.root, "r02", "--roles", "annotator", "reviewer")
    assert (code, out) == (0, "r02: annotator, reviewer; no account yet\n")
    account = "u1-00112233445566ff"
    code, out, _ = run("rater", study.root / "medlabel", "r02", "--user", account, "--json")
    assert json.loads(out) == {
        "code": "r02",
        "user": account,
        "roles": ["annotator", "reviewer"],
    }
    assert run("rater", study.root, "r03", "--me")[0] == 3
    code, _, err = run("rater", study.root, "Muster", "--me")
    assert code == 2
    assert "Muster" not in err


def test_who_is_no_manager_is_told_the_token_for_the_manager(
    study: Layout, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("session.study.setting_up", "audit.writer.place"):
        monkeypatch.setattr(f"napari_medlabel.{place}.account_name", lambda: "colleague")
    monkeypatch.setattr("napari_medlabel.session.study.setting_up.own_tokens", lambda _: [])
    code, _, err = run("rater", study.root, "r02", "--me")
    token = err.partition("token is ")[2].partition(".")[0]
    assert code == 3
    assert f"medlabel project rater STUDY r02 --user {token}" in err
    assert "colleague" not in err
    assert run("rater", study.root, "r02")[0] == 3
    monkeypatch.undo()


def test_one_source_that_is_refused_does_not_stop_the_others(
    study: Layout, run: Run, tmp_path: Path
) -> None:
    write_series(tmp_path / "in" / "a", voxels(3))
    write_series(tmp_path / "in" / "b", voxels(3) + 1, series="2")
    broken = tmp_path / "in" / "Muster.dcm"
    broken.write_bytes((tmp_path / "in" / "a" / "000.dcm").read_bytes()[:600])
    sources = (tmp_path / "in" / "a", broken, tmp_path / "in" / "b")
    key = ("--key", tmp_path / "key")
    code, out, err = run("add", study.root, *sources, *key)
    assert (code, out) == (3, "sub-001_ct\nsub-001_run-2_ct\n")
    assert "source 2: 1 of 1 files could not be de-identified" in err
    assert "A project key was made" in err
    assert "Muster" not in out + err
    code, out, err = run("add", study.root, tmp_path / "in" / "a", *key)
    assert (code, out) == (3, "")
    assert "as sub-001_ct" in err
    shutil.rmtree(tmp_path / "in" / "b")
    write_series(tmp_path / "in" / "b", voxels(3) + 2, series="3")
    code, out, _ = run(
        "add", study.root, broken, tmp_path / "in" / "b", *key, "--kind", "pet", "--json"
    )
    told = json.loads(out)["sources"]
    assert code == 3
    assert [one["cases"] for one in told] == [[], ["sub-001_pet"]]


def test_a_key_in_the_study_is_refused_before_anything_is_done(
    study: Layout, run: Run, tmp_path: Path
) -> None:
    write_series(tmp_path / "in", voxels(3))
    code, _, err = run("add", study.root, tmp_path / "in", "--key", study.own / "key")
    assert code == 2
    assert "must lie outside" in err
    assert not (study.own / "key").exists()


def test_validation_speaks_by_words_json_and_exit_code(study: Layout, run: Run) -> None:
    code, out, _ = run("validate", study.root)
    assert code == 4
    assert "0 cases, 0 versions; 0 errors, 0 warnings." in out
    assert "Log: AMBER." in out
    (study.root / "Muster.txt").write_text("")
    code, out, _ = run("validate", study.root, "--json")
    told = json.loads(out)
    assert code == 2
    assert told["log"] == "amber"
    assert [one["rule"] for one in told["findings"]] == ["name"]
    assert "Muster" not in out
    assert "ERROR   name:" in run("validate", study.root)[1]
    path = next(study.audit.glob("writers/**/*.jsonl"))
    path.write_bytes(path.read_bytes().replace(b'"setting":"project"', b'"setting":"ontology"'))
    assert run("validate", study.root)[0] == 5
    assert run("validate", study.root.parent)[0] == 2


def test_no_mark_of_a_marked_study_is_in_any_byte_of_a_study(tmp_path: Path, run: Run) -> None:
    marked = make_study(tmp_path / "in", 11)
    said = tmp_path / "world" / "said.txt"
    folder = tmp_path / "world" / "study"
    said.parent.mkdir()
    outcomes = [run("init", folder, "--name", "Livers")]
    series = next(p for p in marked.folder.iterdir() if p.is_dir() and p.name != "broken")
    nifti = next(marked.folder.glob("*.nii.gz"))
    broken = sorted((marked.folder / "broken").iterdir())
    key = ("--key", tmp_path / "world" / "key")
    outcomes += [
        run("add", folder, series, *key),
        run("add", folder, nifti, *key, "--subject", "001", "--kind", "T1w", "--session", "2"),
        run("add", folder, *broken, *key),
        run("add", folder, marked.folder, *key),
        run("add", folder, series, *key, "--subject", "009"),
        run("validate", folder),
        run("validate", folder, "--json"),
    ]
    said.write_text("\n".join(out + err for _, out, err in outcomes))
    assert [code for code, _, _ in outcomes] == [0, 0, 0, 3, 2, 3, 4, 4]
    assert len(list((folder / "medlabel" / "cases").iterdir())) == 2
    assert traces(tmp_path / "world", marked.marks) == []


@pytest.mark.slow
def test_no_planted_identity_of_the_samples_is_in_any_byte_of_a_study(
    study: Layout, run: Run, tmp_path: Path
) -> None:
    rows = json.loads((samples.folder() / "identities.json").read_text(encoding="utf-8"))
    planted = {
        row["value"]
        for row in rows
        if row["kind"] not in ("pixels", "date")
        # Six digits occur by chance in digests and clocks of the log.
        and len(row["value"]) > (7 if row["value"].isdigit() else 5)
    }
    assert len(planted) > 50
    names = ("ct_abdomen", "mr_head_oblique", "us_burned_in")
    sources = [samples.path(name) for name in names]
    code, out, err = run("add", study.root, *sources, "--key", tmp_path / "key")
    assert code == 3  # the ultrasound shows a name
    assert out.split() == ["sub-001_ct", "sub-002_scan"]
    told = [(out + err).encode()]
    for path in (path for path in study.root.rglob("*") if path.is_file()):
        # The voxels are those of the scan; what a header could say stands before them.
        told += [
            view[:4096] if path.suffix == ".gz" else view for view in views(path.read_bytes())
        ]
        told.append(path.relative_to(study.root).as_posix().encode())
    text = b"\n".join(told)
    forms = {value.encode(code, "ignore") for value in planted for code in ("utf-8", "latin-1")}
    assert not [form for form in forms if form in text]
    assert run("validate", study.root)[0] == 4
