"""A study that is ready to be released: two cases agreed on, one read once and approved."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from unittest.mock import patch

from napari_medlabel.audit.format.event import ObjectRef
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.project.cases.participants import to_tsv
from napari_medlabel.project.cases.record import read_record
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.ontology.ontology import Template
from napari_medlabel.secret import passphrase
from napari_medlabel.session.signer import make_own_key
from napari_medlabel.session.study.agreeing import reach
from napari_medlabel.session.study.release_papers import Telling
from napari_medlabel.session.study.releasing import Released, ReleaseWish, make_release
from napari_medlabel.session.study.reviewing import approve, begin_review
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import skip, start
from tests.session.study.small_study import ONTOLOGY, SmallStudy, make_study

WORDS = "correct horse battery staple"
REPORT = {"profile": "basic", "edition": "2026c", "chosen": []}


def ready_study(tmp: Path) -> SmallStudy:
    """Return a study of three cases whose work is done."""
    template = Template("dome", "Dome", LandmarkSet((Landmark("Dome"),)))
    study = make_study(
        tmp, cases=3, readings=2, ontology=replace(ONTOLOGY, templates=(template,))
    )
    for case in study.cases:
        add_as_cleaned(study, case)
    rows = {"001": {"sex": "F", "age": "63"}, "002": {"sex": "F", "age": "67"},
            "003": {"sex": "M", "age": "41"}}  # fmt: skip
    study.layout.participants.write_bytes(to_tsv(rows))
    for number in (0, 1):
        _read(study, "r01", "A", number, place=2)
        _read(study, "r02", "B", number, place=2)
    _read(study, "r01", "A", 2, place=1)
    skip(study.seat("r02"), study.cases[2], "B", reason="OTHER")
    begin_review(study.seat("r04"), study.cases[2], "A")
    approve(study.seat("r04"), study.cases[2], "A")
    for number in (0, 1):
        reach(study.seat("m1"), study.cases[number], "adjudicate", study.scan(number))
    return study


def release(study: SmallStudy, name: str = "2026-11", *, signed: bool = True) -> Released:
    """Release it, under the manager's signature."""
    seat = study.seat("m1")
    if signed:
        with_key(study)
    wish = ReleaseWish(name, study.tmp / name, Telling(seed=3), reason="PROTOCOL")
    return make_release(seat, wish, ask=(lambda: WORDS) if signed else None)


def with_key(study: SmallStudy) -> None:
    """Give the manager a signing key, once."""
    desk = study.seat("m1").desk
    if not any((desk.state / "users").glob("*.key")):
        # Quick to open: tests ask for it often.
        with (
            patch.object(passphrase, "MEMORY_KIB", 64),
            patch.object(passphrase, "ITERATIONS", 1),
        ):
            make_own_key(desk, lambda: WORDS)


def _read(study: SmallStudy, code: str, slot: str, number: int, *, place: int) -> None:
    case, seat = study.cases[number], study.seat(code)
    start(seat, case, slot)
    work = study.work(1, number=number, place=place)
    marks = LandmarkSet((Landmark("Dome", (1.0, 2.5, 3.0)),))
    work = replace(work, labelled=replace(work.labelled, landmarks=marks))
    submit(seat, case, slot, study.scan(number), work)


def add_as_cleaned(study: SmallStudy, case: CaseId) -> None:
    """Give a case what a real adding gives it: raw hashes, a report, a line in the log."""
    layout = study.layout
    data = json.dumps(REPORT).encode()
    digest = sha256(data).hexdigest()
    layout.cleanings.mkdir(exist_ok=True)
    (layout.cleanings / f"{digest}.json").write_bytes(data)
    raw = f"sha256:{sha256(str(case).encode()).hexdigest()}"
    path = layout.case_file(case)
    token = f"s1-{sha256(case.subject.encode()).hexdigest()[:32]}"
    record = replace(
        read_record(path), originals=(raw,), manifest=f"sha256:{digest}", subject=token
    )
    path.write_bytes(record.to_bytes())
    study.desk("m1").log.append(
        "study.case",
        subject=(record.subject,),
        objects=(ObjectRef(record.file, "new", "volume"),),
        detail={"case": record.content, "slots": 2, "file": record.file},
    )
