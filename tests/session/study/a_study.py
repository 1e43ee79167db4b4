"""A study with a log, and what is needed to add scans to it: for tests."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from napari_medlabel.deid.rules.profile import load_profile
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.settings import Rater, Settings
from napari_medlabel.session.desk import Desk, open_desk
from napari_medlabel.session.study.adding import Cleaning
from napari_medlabel.session.study.setting_up import init_study, prepare_study
from napari_medlabel.session.study.templates import find_ontology

RULES = Settings("Livers", (Rater("r01", roles=("manager",)),), readings=2)


@dataclass
class Codes:
    """A link table that forgets."""

    known: dict[tuple[str, str], str] = field(default_factory=dict)

    def code_for(self, issuer: str, patient_id: str) -> str:
        return self.known.setdefault((issuer, patient_id), f"P-{len(self.known):08d}")

    def sync(self) -> None:
        pass


def cleaning(key: int = 0, *options: str) -> Cleaning:
    profile = load_profile("basic", edition="2026c", options=options)
    return Cleaning(profile, bytes([key]) * 32, Codes())


def set_up(root: Path) -> tuple[Layout, Desk]:
    layout = prepare_study(root)
    desk = open_desk(layout.audit, role="researcher")
    init_study(layout, RULES, find_ontology("regions"), desk)
    return layout, desk


def events(layout: Layout) -> list[dict]:
    """Return the events of the study's log, the log's own left out."""
    paths = sorted(layout.audit.glob("writers/*/*/*/*.jsonl"), key=lambda path: path.name)
    lines = [json.loads(x) for path in paths for x in path.read_text().splitlines()]
    own = ("session.", "anchor.", "key.")
    return [x for x in lines if "event" in x and not x["event"].startswith(own)]
