"""Croissant 1.0 with RAI 1.0: the release as machines read it, from the facts alone.

https://docs.mlcommons.org/croissant/docs/croissant-spec.html and croissant-rai-spec.html. A
property that nothing is known of is left out: validators warn of some, and rightly.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.project.cases.participants import ID, MISSING, SPLIT
from napari_medlabel.project.release import sentences as say
from napari_medlabel.project.release.appendices import Sentence
from napari_medlabel.project.release.facts import Facts
from napari_medlabel.project.release.manifest import ReleasedFile

PARTICIPANTS: Final = "participants.tsv"
# Without **: readers do not agree on whether it stands for no folder too.
_SETS: Final[Mapping[str, tuple[str, ...]]] = {
    "scans": ("sub-*/anat/*.nii.gz", "sub-*/ses-*/anat/*.nii.gz"),
    "masks": (
        "derivatives/*/sub-*/anat/*_dseg.nii.gz",
        "derivatives/*/sub-*/ses-*/anat/*_dseg.nii.gz",
        "derivatives/*/sub-*/anat/*_l*dseg.nii.gz",
        "derivatives/*/sub-*/ses-*/anat/*_l*dseg.nii.gz",
    ),
}
_CONTEXT: Final[Mapping[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
# Property, key of what people stated, and what the facts say.
_PLAIN: Final = (("license", "licence"), ("url", "url"), ("citeAs", "citation"))
_RAI: Final[tuple[tuple[str, str, tuple[Sentence, ...]], ...]] = (
    ("dataCollection", "acquisition", (say.instances, say.custody)),
    ("dataCollectionTimeframe", "timeframe", ()),
    ("dataCollectionMissingData", "missing_data", ()),
    ("dataPreprocessingProtocol", "preprocessing", ()),
    ("dataManipulationProtocol", "manipulation", (say.cleaning,)),
    ("dataAnnotationProtocol", "labelling", (say.labels, say.protocol, say.unresolved)),
    ("dataAnnotationPlatform", "tools", (say.software,)),
    ("dataAnnotationAnalysis", "variability", (say.agreement,)),
    ("annotatorDemographics", "annotators", ()),
    ("machineAnnotationTools", "machine_tools", ()),
    ("dataBiases", "biases", ()),
    ("dataLimitations", "limitations", ()),
    ("dataSocialImpact", "social_impact", ()),
    ("dataUseCases", "uses", ()),
    ("personalSensitiveInformation", "identification", (say.cleaning, say.smallest)),
    ("dataReleaseMaintenancePlan", "maintenance", ()),
)
KEYS: Final = tuple(
    dict.fromkeys([*(key for _, key in _PLAIN), *(key for _, key, _ in _RAI), "creators"])
)
"""What people may state for it; most are those of the datasheet."""


def croissant(facts: Facts, files: Iterable[ReleasedFile], columns: Sequence[str]) -> bytes:
    """Return ``croissant.json``.

    Parameters
    ----------
    facts : Facts
        Of the release.
    files : iterable of ReleasedFile
        What is released, without this document.
    columns : sequence of str
        Head of ``participants.tsv``; empty where the release has none.

    Raises
    ------
    InputError
        When columns are given for a table that is not released, or the first is not the code.
    """
    released = {one.path: one for one in files}
    if columns and (PARTICIPANTS not in released or columns[0] != ID):
        raise InputError(
            "Columns were given for a table of patients that the release does not have.",
            hint="Export participants.tsv with the release.",
        )
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": facts.study,
        "description": _joined(facts, "purpose", (say.instances, say.labels)),
        "conformsTo": [
            "http://mlcommons.org/croissant/1.0",
            "http://mlcommons.org/croissant/RAI/1.0",
        ],
        "version": facts.release,
        "datePublished": facts.made[:10],
        **_people(facts),
        **{name: facts.stated.get(key, "").strip() for name, key in _PLAIN},
        **{f"rai:{name}": _joined(facts, key, known) for name, key, known in _RAI},
        "rai:annotationsPerItem": say.readings(facts),
        "distribution": _distribution(released, has_table=bool(columns)),
        "recordSet": [_record_set(columns)] if columns else [],
    }
    kept = {name: value for name, value in document.items() if value not in ("", [])}
    return (json.dumps(kept, indent=2, ensure_ascii=False) + "\n").encode()


def _people(facts: Facts) -> dict[str, Any]:
    words = facts.stated.get("creators", "").strip()
    return {"creator": {"@type": "sc:Organization", "name": words}} if words else {}


def _joined(facts: Facts, key: str, known: Iterable[Sentence]) -> str:
    words = [facts.stated.get(key, "").strip(), *(sentence(facts) for sentence in known)]
    return "\n\n".join(filter(None, words))


def _distribution(
    released: Mapping[str, ReleasedFile], *, has_table: bool
) -> list[dict[str, Any]]:
    """Return the table with its hash, and scans and masks as sets of files."""
    found: list[dict[str, Any]] = []
    if has_table:
        table = released[PARTICIPANTS]
        found.append(
            {
                "@type": "cr:FileObject",
                "@id": "participants",
                "name": PARTICIPANTS,
                "contentUrl": PARTICIPANTS,
                "contentSize": f"{table.size} B",
                "encodingFormat": "text/tab-separated-values",
                "sha256": table.digest.partition(":")[2],
            }
        )
    for name, patterns in _SETS.items():
        used = [one for one in patterns if any(_matches(path, one) for path in released)]
        if used:
            found.append(
                {
                    "@type": "cr:FileSet",
                    "@id": name,
                    "name": name,
                    "encodingFormat": "application/gzip",
                    "includes": used,
                }
            )
    return found


def _matches(path: str, pattern: str) -> bool:
    """Tell whether a path is of a pattern, part by part: a star never stands for a slash."""
    is_as_deep = path.count("/") == pattern.count("/")
    return is_as_deep and PurePosixPath(path).match(pattern)


def _record_set(columns: Sequence[str]) -> dict[str, Any]:
    """Return the patients, a record for each line; every column is text: some cells are n/a."""
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"patients/{column}",
            "name": column,
            "description": _ABOUT.get(column, f"Column {column} of {PARTICIPANTS}."),
            "dataType": "sc:Text",
            "source": {
                "fileObject": {"@id": "participants"},
                "extract": {"column": column},
            },
        }
        for column in columns
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": "patients",
        "name": "patients",
        "key": {"@id": f"patients/{ID}"},
        "field": fields,
    }


_ABOUT: Final = {
    ID: "Code of the patient in this study.",
    SPLIT: f"Split of all scans of the patient, or {MISSING}.",
}
