"""The record of a case: what it is, written once when it is added, and never again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.io.files import make_folder, write_bytes_aside
from napari_medlabel.project.layout import CaseId, Layout

VERSION: Final = 1
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_TOKEN: Final = re.compile(r"s[0-9]{1,4}-[0-9a-f]{32}")


@dataclass(frozen=True)
class CaseRecord:
    """One case.

    Parameters
    ----------
    case : CaseId
        Its name in the study.
    content : str
        Content id of the scan, as the log names the case.
    subject : str
        The patient's token in the log.
    file : str
        ``sha256:<hex>`` of the scan's file in the study.
    pixels : str
        ``sha256:<hex>`` of the voxels as (k, j, i) little endian: the same scan under two names
        is found by it.
    originals : tuple of str
        ``sha256:<hex>`` of each file it was made of, sorted: the beginning of the chain.
    manifest : str
        ``sha256:<hex>`` of the report of the de-identification; empty where the scan came
        de-identified.
    modality : str
        As DICOM has it: ``CT``.
    shape : tuple of int
        Voxels along i, j and k.
    spacing_mm : tuple of float
        Along i, j and k.
    added : str
        When, ISO 8601 in UTC.
    link : str
        The patient under the project key of the de-identification: equal for one patient, on
        every computer that has the key; empty where a scan names nobody.
    key : str
        Key id of that project key; empty with ``link``.
    dicom : tuple of str
        ``sha256:<hex>`` of each de-identified DICOM image that is kept, in the order of
        `Layout.dicom_files`; empty where the scan came as NIfTI or none is kept.
    sidecar : str
        ``sha256:<hex>`` of the scan's sidecar; empty in records from before there was this.

    Raises
    ------
    InputError
        When a digest or the token has another form.
    """

    case: CaseId
    content: str
    subject: str
    file: str
    pixels: str
    originals: tuple[str, ...]
    manifest: str
    modality: str
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    added: str
    link: str = ""
    key: str = ""
    dicom: tuple[str, ...] = ()
    sidecar: str = ""

    def __post_init__(self) -> None:
        digests = [self.content, self.file, self.pixels, *self.originals, *self.dicom]
        digests += [one for one in (self.manifest, self.sidecar) if one]
        if not all(_DIGEST.fullmatch(one) for one in digests):
            raise InputError(
                "A case's record holds digests such as sha256:<64 hex digits>.",
                hint="Do not edit records: remove the case and add it again.",
            )
        if not _TOKEN.fullmatch(self.subject):
            raise InputError(
                "A case's record names its patient by a token of the log.",
                hint="Do not edit records: remove the case and add it again.",
            )

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        data = {"medlabel": "case", "v": VERSION, **asdict(self), "case": str(self.case)}
        if not self.dicom:  # as records were before there were any
            del data["dicom"]
        if not self.sidecar:
            del data["sidecar"]
        return (json.dumps(data, indent=1, sort_keys=True) + "\n").encode()


def write_record(layout: Layout, record: CaseRecord) -> Path:
    """Write a record.

    Raises
    ------
    RefusedError
        When the study has a case of that name.
    SaveError
        When it cannot be written.
    """
    path = layout.case_file(record.case)
    if path.exists():
        raise RefusedError(
            f"The study has a case {record.case} already.",
            hint="Choose another visit or run: a case is added once and never replaced.",
        )
    make_folder(path.parent)
    write_bytes_aside(path, record.to_bytes())
    return path


def read_record(path: Path) -> CaseRecord:
    """Read a record.

    Raises
    ------
    InputError
        When it cannot be read, is none, or of a later version.
    """
    try:
        data: dict[str, Any] = json.loads(path.read_bytes())
        if data.pop("medlabel") != "case":
            raise TypeError  # noqa: TRY301 - joins what a wrong form raises by itself
        version = data.pop("v")
        if version != VERSION:
            raise InputError(
                f"A case's record is of version {version!r}; this program knows {VERSION}.",
                hint="Update the program.",
            )
        data["case"] = CaseId.parse(str(data["case"]))
        for key in ("originals", "shape", "spacing_mm"):
            data[key] = tuple(data[key])
        data["dicom"] = tuple(data.get("dicom", ()))
        return CaseRecord(**data)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as err:
        raise InputError(
            "A case's record cannot be read, or is none.",
            hint="Let the study's manager see which one: medlabel project validate STUDY",
        ) from err


def all_records(layout: Layout) -> tuple[CaseRecord, ...]:
    """Return the records of a study, by name.

    Raises
    ------
    InputError
        When one of them cannot be read or lies under another name.
    """
    return tuple(sorted(_each(layout), key=lambda record: str(record.case)))


def _each(layout: Layout) -> Iterator[CaseRecord]:
    for path in layout.cases.glob("*.json"):
        if path.name.startswith("."):
            continue  # somebody is just writing it, or was broken off
        record = read_record(path)
        if path != layout.case_file(record.case):
            raise InputError(
                "A case's record lies under the name of another case.",
                hint="Records are not copied or renamed: add the scan under its own name.",
            )
        yield record
