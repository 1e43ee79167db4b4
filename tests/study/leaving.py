"""What leaves the study: consensus, agreement, exports, release, and their way back."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import nibabel as nib
import numpy as np
import pydicom
import SimpleITK as sitk  # noqa: N813

from tests.study.accounts import MANAGER, STRANGER, WITNESS
from tests.study.founding import GOLD, WITNESS_NAME
from tests.study.oracle import lines_of
from tests.study.playing import Play, scan_of
from tests.study.shapes import LAYERS

AGREED, LAST, ADJUDICATED = 1, -1, 5
"""Of which cases readings become one by a rule, and by a person."""
FORMATS: Final = ("nifti", "dicom-seg", "rtstruct", "sr", "seg-nrrd", "coco", "csv")
TRAINING: Final = ("nnunet", "monai")
"""Of one modality alone: CT here."""


def consent(play: Play, readings: int) -> None:
    """Make readings one; the adjudicator may be killed over it."""
    manager, study, cases = play.people[MANAGER], play.founded.study, play.founded.cases
    rules = ("majority", "staple") if readings > 2 else ("union", "union")
    by_rule, by_rule_too = (
        ("project", "consensus", study, cases[at], "--rule", rule, "--json")
        for at, rule in zip((AGREED, LAST), rules, strict=True)
    )
    case = ("project", "consensus", study, cases[ADJUDICATED])
    rest = ("--rest", "A", "--below", 1e6, "--json")
    inside, by_hand = (*case, "--layer", 1, *rest), (*case, "--rule", "adjudicate", *rest)
    for words in (by_rule, by_rule_too, inside, by_hand):
        for _ in range(20):
            if play.ask(manager, *words) is not None:
                break


def remark(play: Play) -> None:
    """Let a reviewer say something about a reading, and its reader resolve it."""
    study, case = play.founded.study, play.founded.cases[AGREED]
    words = ("project", "comment", study, case, "--slot", "A", "--json")
    said = play.people["r04"].must(*words, "--text", "The lower border is too low.").json()
    found = said[0] if isinstance(said, list) else next(iter(said.values()))[0]
    reply = (*words, "--reply", found["thread"], "--text", "Mended.", "--resolve")
    play.people["r04"].must(*reply)


def score_gold(play: Play) -> None:
    """Let the manager score what a kill left unscored; each submission is scored once."""
    study = play.founded.study
    play.people[MANAGER].must("project", "gold", study, "--score")
    named = [play.founded.cases[at] for at in GOLD if at < len(play.founded.cases)]
    files = [study / "medlabel" / "cases" / f"{name}.json" for name in named]
    gold = {json.loads(path.read_bytes())["content"] for path in files}
    submitted, scored = Counter[str](), Counter[tuple[str, str, int]]()
    for line in lines_of(play.founded.audit):
        if line.event == "review.submit" and line.detail["case"] in gold:
            submitted[line.detail["case"]] += 1
        elif line.event == "study.gold":
            scored[line.detail["case"], line.detail["slot"], line.detail["step"]] += 1
    if set(scored.values()) - {1} or scored.total() != submitted.total():
        play.book.fault(f"{submitted.total()} submissions of gold cases, scored: {scored}")


def look_from_outside(play: Play) -> None:
    """Let the witness look at the log."""
    witness = play.people[WITNESS]
    audit = play.founded.audit
    witness.must("audit", "witness", audit, "--name", WITNESS_NAME, "--key", witness.key)


def leave(play: Play) -> dict[str, Any]:
    """Compare, export, release, verify and import elsewhere; return figures."""
    manager, study = play.people[MANAGER], play.founded.study
    out, release = manager.folder / "out", manager.folder / "release"
    agree = play.people["r04"].must("project", "agree", study, "--json").json()
    figures: dict[str, Any] = {"cases compared": len(agree["cases"])}
    look_from_outside(play)
    manager.must("export", study, out, "--format", ",".join(FORMATS), "--skip", "--scans")
    chosen = ("--case", play.founded.cases[LAST], "--layer", 0)
    training = manager.folder / "training"
    manager.must("export", study, training, "--format", ",".join(TRAINING), "--skip", *chosen)
    figures["files exported"] = sum(path.is_file() for path in out.rglob("*"))
    figures |= read_elsewhere(play, out)
    look_from_outside(play)
    made = manager.must(
        "project", "release", study, "first", "--to", release, "--skip", "--json",
        "--passphrase-file", manager.folder / "officer.txt",
    ).json()  # fmt: skip
    figures["files released"] = sum(path.is_file() for path in release.rglob("*"))
    check_release(play, release, made)
    import_elsewhere(play, out)
    return figures


def read_elsewhere(play: Play, out: Path) -> dict[str, int]:
    """Let programs of others read what was exported, and compare voxels with nibabel's."""
    masks = {path.name: path for path in (out / "nifti").rglob("*_dseg.nii.gz")}
    seen = {"masks read by others": 0}
    for path in masks.values():
        ours = np.asanyarray(nib.load(path).dataobj)
        theirs = sitk.GetArrayFromImage(sitk.ReadImage(path)).T
        if not np.array_equal(ours, theirs):
            play.book.fault(f"SimpleITK reads another mask: {path.name}")
        seen["masks read by others"] += 1
    for path in (out / "seg-nrrd").rglob("*.seg.nrrd"):
        sitk.ReadImage(path)
        seen["masks read by others"] += 1
    for path in (out / "dicom-seg").rglob("*.dcm"):
        pydicom.dcmread(path)
        seen["masks read by others"] += 1
    if not masks:
        play.book.fault("no mask was exported as NIfTI")
    return seen


def check_release(play: Play, release: Path, made: dict[str, Any]) -> None:
    """Let a stranger verify the release: alone, with the study, and with one bit changed."""
    stranger = play.people[STRANGER]
    letters = ["--trust", play.founded.letters]
    for words in ([], ["--study", play.founded.study]):
        done = stranger.medlabel("verify", release, *letters, *words, "--json")
        if done.code:
            told = done.json()["findings"] if done.out else done.err
            play.book.fault(f"a stranger's verification gives {done.code}: {str(told)[:500]}")
    mask = next(iter(sorted(release.rglob("*_dseg.nii.gz"))))
    whole = mask.read_bytes()
    mask.chmod(0o600)
    mask.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    if stranger.medlabel("verify", release, *letters).code != 5:
        play.book.fault("one bit of a released mask was changed, and it is not red")
    mask.write_bytes(whole)


def import_elsewhere(play: Play, out: Path) -> None:
    """Let a stranger take an exported mask into a study of their own."""
    stranger, name = play.people[STRANGER], play.founded.cases[AGREED]
    study = stranger.folder / "study"
    ontology = play.founded.base / "ontology.json"
    stranger.must("project", "init", study, "--name", "Elsewhere", "--ontology", ontology)
    stranger.must("project", "rater", study, "r01", "--roles", "manager", "annotator")
    stranger.must("project", "add", study, scan_of(play.founded.study, name))
    case = next((study / "medlabel" / "cases").glob("*.json")).stem
    stranger.must("project", "claim", study, case)
    stem, _, suffix = name.rpartition("_")
    for layer in LAYERS:
        end = f"desc-{suffix}{f'l{layer}' if layer else ''}_dseg.nii.gz"
        mask = next((out / "nifti").rglob(f"{stem}_{end}"))
        stranger.must("project", "import", study, case, mask, "--by-value", "--layer", layer)
        place = f"sheet-{layer}/mask.nii.gz" if layer else f".{case}/mask.nii.gz"
        saved = next((study / "derivatives").rglob(place))
        before, after = (np.asanyarray(nib.load(path).dataobj) for path in (mask, saved))
        if not before.any() or not np.array_equal(before, after):
            play.book.fault(f"what was imported elsewhere is not what was exported: {layer}")
