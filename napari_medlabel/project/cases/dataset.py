"""The BIDS side of a study: what describes its root and each rater's own data set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from napari_medlabel import __version__
from napari_medlabel.project.cases.naming import OUTSIDE_BIDS
from napari_medlabel.project.cases.participants import COLUMNS, ID
from napari_medlabel.project.ontology.exchange import to_dseg_tsv
from napari_medlabel.project.ontology.ontology import Ontology

BIDS: Final = "1.10.0"
_TOOL: Final[Mapping[str, str]] = {"Name": "napari-medlabel", "Version": __version__}
OF_RELEASE: Final = (
    "DATASHEET.md", "CLAIM.md", "GRRAS.md", "facts.json", "chain.json", "manifest.json",
    "manifest.signature.json", "audit_receipt.json", "agreement",
)  # fmt: skip
"""What lies at the top of a release and is none of BIDS's files."""
# Bare names: bids-validator-deno 3.0.2 takes `/medlabel/` and `medlabel/**` for something else.
_IGNORED: Final = ("medlabel", "exports", "croissant.json", *OF_RELEASE)
_UNSHARED: Final = ("sourcedata", "exports", "medlabel/.*", "medlabel/claims")
_IGNORED_BELOW: Final = (
    "*.mrk.json",
    "*_prov.*",
    "*_answers.json",
    "*_boxes.json",
    "*_l*dseg.nii.gz",
    "*_l*prov.nii.gz",
)


def as_json(document: Mapping[str, Any]) -> bytes:
    """Return a document as it is written."""
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def root_files(name: str) -> dict[str, bytes]:
    """Return what makes a folder a raw BIDS data set, by name.

    Parameters
    ----------
    name : str
        Of the study.
    """
    description = {
        "Name": name,
        "BIDSVersion": BIDS,
        "DatasetType": "raw",
        "GeneratedBy": [dict(_TOOL)],
    }
    participants = {ID: {"Description": "Code of the patient in this study"}, **COLUMNS}
    ignored = (*_IGNORED, *(f"*_{kind}.*" for kind in OUTSIDE_BIDS))
    return {
        "dataset_description.json": as_json(description),
        "README.md": _readme(name).encode(),
        ".bidsignore": ("\n".join(ignored) + "\n").encode(),
        ".gitignore": ("\n".join(_UNSHARED) + "\n").encode(),
        "participants.tsv": ("\t".join((ID, *COLUMNS)) + "\n").encode(),
        "participants.json": as_json(participants),
    }


def derivative_files(rater: str, ontology: Ontology) -> dict[str, bytes]:
    """Return what makes a rater's folder a derivative, by name.

    Parameters
    ----------
    rater : str
        Code of the rater, or ``consensus``.
    ontology : Ontology
        Whose labels ``dseg.tsv`` explains.
    """
    description = {
        "Name": f"Labels by {rater}",
        "BIDSVersion": BIDS,
        "DatasetType": "derivative",
        "GeneratedBy": [dict(_TOOL)],
        "SourceDatasets": [{"URL": "../.."}],
        "DatasetLinks": {"raw": "../.."},
    }
    ignored = (*_IGNORED_BELOW, *(f"*_{kind}.*" for kind in OUTSIDE_BIDS))
    return {
        "dataset_description.json": as_json(description),
        "README.md": _readme_below(rater).encode(),
        ".bidsignore": ("\n".join(ignored) + "\n").encode(),
        "dseg.tsv": _labels(ontology).encode(),
    }


def _labels(ontology: Ontology) -> str:
    """Return the table of the labels of all layers: a value is one label in all of them."""
    first, *further = ontology.layers or (0,)
    rows = [to_dseg_tsv(ontology, layer).partition("\n")[2] for layer in further]
    return to_dseg_tsv(ontology, first) + "".join(rows)


def _readme(name: str) -> str:
    return f"""# {name}

A study made with napari-medlabel: de-identified scans, and what raters labelled on them.

- `sub-*/`: the scans, as NIfTI. Codes stand for patients; nothing here says whose they are.
- `derivatives/medlabel-*/`: one data set for each rater (`r01`, ...) and one for the consensus.
  Versions are never overwritten.
- `medlabel/`: rules, ontology, guidelines, records of the cases, and the audit log.
- `participants.tsv`: one line for each patient.

Check it with `medlabel project validate FOLDER`. CT, PET and other kinds of scan that BIDS does
not have in `anat` are listed in `.bidsignore`.
"""


def _readme_below(rater: str) -> str:
    return f"""# Labels by {rater}

Each `_dseg.nii.gz` is a version of this rater's work on one scan; `dseg.tsv` says what its
values mean, the `.json` beside it under which ontology and guidelines it was made. Versions are
never overwritten.
"""
