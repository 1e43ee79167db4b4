"""Conflicted copies: each client's form is found, and nothing that a study calls its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.audit.format import layout as log_names
from napari_medlabel.project.cases.version import KINDS, sheet_kind
from napari_medlabel.project.layout import CONSENSUS, CaseId, Layout
from napari_medlabel.project.reading.gold import truth_files, truth_mask
from napari_medlabel.project.work.copies import conflicted_copies, is_known, is_of_log

CASE = CaseId("001")
SESSION = "20261122T101010Z-01M8438B461VTR3DS86EGYR8QE"
FORMS = {
    "Dropbox": "{stem} (Anna's conflicted copy 2026-11-22){end}",
    "Dropbox in German": "{stem} (In Konflikt stehende Kopie von Anna 2026-11-22){end}",
    "Dropbox, capitals": "{stem} (Case Conflict){end}",
    "Dropbox, selection": "{stem} (Selective Sync Conflict){end}",
    "Box": "{stem} (conflicted copy 2026-11-22){end}",
    "OneDrive": "{stem}-DESKTOP-1A2B3C4{end}",
    "OneDrive, short": "{stem}-LAPTOP{end}",
    "OneDrive on a Mac": "{stem}-Anna's MacBook Pro{end}",
    "OneDrive, twice": "{stem}-LAPTOP-2{end}",
    "Google Drive": "{stem} (1){end}",
    "Google Drive, conflict": "{stem} [Conflict]{end}",
    "iCloud": "{stem} 2{end}",
    "Finder": "{stem} copy{end}",
    "Nextcloud": "{stem} (conflicted copy 2026-11-22 101010){end}",
    "Nextcloud before": "{stem}_conflict-20261122-101010{end}",
    "ownCloud": "{stem}-conflict-20261122-101010{end}",
    "Seafile": "{stem} (SFConflict anna@example.org 2026-11-22-10-10-10){end}",
    "Seafile and kin": "{stem}_conf(1){end}",
    "Syncthing": "{stem}.sync-conflict-20261122-101010-ABCDEFG{end}",
    "Resilio": "{stem}.Conflict{end}",
    "Resilio, ending kept": "{stem}{end}.Conflict",
    "git": "{stem}{end}.orig",
    "git, folders": "{stem}{end}~HEAD",
}
FILES = (
    "medlabel/project.json",
    "medlabel/ontology.json",
    "medlabel/calibration.json",
    "medlabel/guidelines/guidelines.md",
    "medlabel/cases/sub-001_ct.json",
    "medlabel/claims/sub-001_ct.A.json",
    "medlabel/comments/sub-001_ct/r02.jsonl",
    "medlabel/gold/sub-001_ct_dseg.nii.gz",
    f"medlabel/deid/{'ab' * 32}.json",
    "medlabel/releases/2026-11/manifest.json",
    f"medlabel/audit/writers/wf13d43703a138d3e/2026/11/{SESSION}.jsonl",
    f"medlabel/audit/heads/wf13d43703a138d3e/{SESSION}.note",
    "derivatives/medlabel-r01/dataset_description.json",
    "derivatives/medlabel-r01/sub-001/anat/sub-001_desc-ctv001_dseg.nii.gz",
    "derivatives/medlabel-r01/sub-001/anat/.sub-001_ct/mask.nii.gz",
)


def put(root: Path, names: Iterable[str]) -> Layout:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return Layout(root)


def copy_of(name: str, form: str) -> str:
    folder, _, file = name.rpartition("/")
    end = re.search(r"(\.nii)?\.[a-z]+$", file)
    assert end is not None
    return f"{folder}/{form.format(stem=file[: end.start()], end=end[0])}"


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_the_copy_of_each_client_is_found_beside_each_file_of_a_study(
    tmp_path: Path, form: str
) -> None:
    study = put(tmp_path, FILES)
    assert conflicted_copies(study) == ()
    copies = [copy_of(name, form) for name in FILES]
    put(tmp_path, copies)
    assert conflicted_copies(study) == tuple(sorted(copies))


@pytest.mark.parametrize(
    "name",
    [
        "sub-001_ct.A (Anna's conflicted copy 2026-11-22).json",
        "sub-001_ct.A.sync-conflict-20261122-101010-ABC.json",
        "project-DESKTOP42.json",
        "project_conf(1).json",
        "ontology [Conflict].json",
        "ontology-conflict-20261122-101010.json",
        "ontology (SFConflict anna@example.org 2026-11-22-10-10-10).json",
        "ontology.Conflict.json",
    ],
)
def test_a_copy_whose_file_is_gone_is_known_by_its_words(tmp_path: Path, name: str) -> None:
    study = put(tmp_path, [f"medlabel/{name}"])
    assert conflicted_copies(study) == (f"medlabel/{name}",)


def test_a_copied_folder_is_named_once_without_what_lies_in_it(tmp_path: Path) -> None:
    inside = ("medlabel/cases (1)/sub-001_ct.json", "derivatives/medlabel-r01 2/README.md")
    study = put(tmp_path, (*FILES, *inside))
    assert conflicted_copies(study) == ("derivatives/medlabel-r01 2", "medlabel/cases (1)")


def test_copies_in_the_folder_of_the_log_are_told_from_others(tmp_path: Path) -> None:
    study = put(tmp_path, [*FILES, "medlabel/project (1).json"])
    put(tmp_path, [copy_of(FILES[-5], "{stem} (1){end}")])
    assert [is_of_log(one) for one in conflicted_copies(study)] == [True, False]


def test_what_a_killed_process_had_begun_to_write_is_no_copy(tmp_path: Path) -> None:
    left = [f"{name}.5493538865521622" for name in FILES]
    assert conflicted_copies(put(tmp_path, (*FILES, *left))) == ()
    copies = [copy_of(name, "{stem} (1){end}.5493538865521622") for name in FILES]
    assert conflicted_copies(put(tmp_path, copies)) == tuple(sorted(copies))


def test_what_other_programs_and_people_put_there_is_no_copy(tmp_path: Path) -> None:
    others = (
        "derivatives/nnunet/sub-001/model-ABCDEF1.json",
        "derivatives/nnunet/sub-001/model (1).json",
        "derivatives/medlabel-r01-nnunet/README.md",
        "medlabel/guidelines/liver 2.png",
        "medlabel/guidelines/liver (1).png",
        "medlabel/guidelines/liver.png",
        "medlabel/guidelines/guidelines.png",
        "medlabel/project.md",
        "medlabel/Thumbs.db",
        "medlabel/.project.lock",
        "medlabel/claims/.sub-001_ct.A.json.4711-0a1b2c3d",
    )
    assert conflicted_copies(put(tmp_path, (*FILES, *others))) == ()


def test_a_folder_that_cannot_be_listed_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = put(tmp_path, FILES)

    def closed(*_: object) -> object:
        raise PermissionError

    monkeypatch.setattr("os.scandir", closed)
    assert conflicted_copies(study) == ()


LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz0123456789"
words = st.text(LETTERS, min_size=1, max_size=16)
cases = st.builds(
    CaseId,
    words,
    st.one_of(st.just(""), words),
    st.integers(0, 12),
    st.one_of(st.sampled_from(["ct", "ct2", "T1w", "pet"]), words),
)
raters = st.one_of(st.from_regex(r"[a-z][a-z0-9]{0,15}", fullmatch=True), st.just(CONSENSUS))
digests = st.text("0123456789abcdef", min_size=64, max_size=64)
origins = st.builds(
    "medlabel.local/{}/w{}/{}".format,
    words,
    st.text("0123456789abcdef", min_size=16, max_size=16),
    st.from_regex(r"20[0-9]{6}T[0-9]{6}Z-[0-9A-HJKMNP-TV-Z]{26}", fullmatch=True),
)
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,30}", fullmatch=True)


@st.composite
def legitimate(draw: st.DrawFn) -> list[str]:
    """Draw names of files as the program itself makes them, from the study's root."""
    study = Layout(Path("/s"))
    case, rater, digest = draw(cases), draw(raters), draw(digests)
    origin, layer, number = draw(origins), draw(st.integers(0, 12)), draw(st.integers(1, 1200))
    kinds = [*KINDS, sheet_kind(layer, KINDS[0])]
    paths = [
        study.project,
        study.ontology,
        study.guidelines,
        study.own / "assignment.json",
        study.own / "calibration.json",
        study.case_file(case),
        study.claim(case, draw(st.sampled_from(["A", "H", "review", "consensus"]))),
        study.comments / str(case) / f"{rater}.jsonl",
        study.own / "rules" / f"{digest}.json",
        study.cleanings / f"{digest}.json",
        study.gold / "gold.json",
        truth_mask(study, case, layer),
        truth_files(study, case)[1],
        *study.dicom_files(case, 2),
        *(study.version(rater, case, number, kind) for kind in kinds),
        study.derivative(rater) / "dseg.tsv",
        study.derivative(rater) / "dataset_description.json",
    ]
    work = study.work(rater, case)
    paths += [work / one for one in ("mask.nii.gz", "mask.json", "origins.zst")]
    paths += [work / "reading-B" / "mask.nii.gz", work / f"sheet-{layer}" / "mask.json"]
    paths += [work / f"adjudication-{rater}-l{layer}.json", work / f"adjudication-{rater}.json"]
    release = study.releases / draw(names)
    paths += [release / "manifest.json", release / "manifest.signature.json"]
    writer = log_names.writer_of(origin)
    paths += [
        study.audit / one
        for one in (
            log_names.SITE,
            log_names.site_version(number),
            log_names.session_file(origin),
            log_names.install_file(writer),
            log_names.head_note(origin),
            log_names.witness_note(draw(words), origin),
            log_names.object_file(f"sha256:{digest}"),
            f"{log_names.SIGNATURES}/{digest}.json",
            f"{log_names.REASONS}/{digest}.bin",
        )
    ]
    return [study.relative(path) for path in paths]


@settings(max_examples=60, deadline=None)
@given(st.lists(legitimate(), min_size=1, max_size=3))
def test_no_name_that_the_program_itself_gives_is_taken_for_a_copy(
    many: list[list[str]],
) -> None:
    found = [one for each in many for one in each]
    assert all(map(is_known, found)), [one for one in found if not is_known(one)]
    with TemporaryDirectory() as folder:
        assert conflicted_copies(put(Path(folder), found)) == ()
