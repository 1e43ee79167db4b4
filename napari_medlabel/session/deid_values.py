"""Values of the open scan beside what would become of them; logged before they show."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from pydicom.dataset import Dataset

from napari_medlabel.deid.dicom.file import quiet, read
from napari_medlabel.deid.keys.pseudonyms import KEY_BYTES, Pseudonyms
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.explain import Row, explain, values_of
from napari_medlabel.deid.rules.profile import Profile
from napari_medlabel.errors import InputError
from napari_medlabel.model.volume import Volume
from napari_medlabel.session.desk import Desk

_UNREADABLE = "(cannot be read)"


@dataclass(frozen=True)
class ShownRow:
    """A row of the preview with its value.

    Parameters
    ----------
    row : Row
        What would become of the attribute.
    value : str
        What stands there now. Identity: for the screen of who opened the scan, nowhere else.
    """

    row: Row
    value: str = field(repr=False)


def show_values(desk: Desk, volume: Volume, profile: Profile) -> tuple[ShownRow, ...]:
    """Return the attributes of the open scan's middle file with their values.

    Parameters
    ----------
    desk : Desk
        Its log takes ``deid.preview`` and ``header.view`` first: no log, no values.
    volume : Volume
        The scan that the person opened.
    profile : Profile
        The rules of the preview.

    Returns
    -------
    tuple of ShownRow
        In order of the data set.

    Raises
    ------
    InputError
        When the scan is not from DICOM files, or its file cannot be read any more.
    LogError
        When the log cannot be written.
    QuarantineError
        When the file would not be passed on.
    """
    files = volume.source.files
    if volume.source.format != "dicom" or not files:
        raise InputError(
            "Values are shown of DICOM scans; the open scan is not one.",
            hint="Open a DICOM scan, or look at the preview without values.",
        )
    detail: dict[str, object] = {
        "profile": profile.name,
        "edition": profile.edition,
        "profile_hash": f"sha256:{profile.sha256}",
        "options": sorted(profile.options),
        "site_rules": profile.site is not None,
        "files": 1,
        "values_shown": True,
    }
    subject, _weak = desk.subject(volume.source)
    desk.log.append("deid.preview", subject=(subject,), detail=detail)
    try:
        content = files[len(files) // 2].read_bytes()
    except OSError as err:
        raise InputError(
            f"The file of the open scan could not be read ({err.strerror}).",
            hint="It was moved or removed: open the scan again.",
        ) from err
    # Codes decide nothing about the rules, so that no key is needed to look.
    throwaway = Pseudonyms(secrets.token_bytes(KEY_BYTES))
    rows = explain(content, profile, throwaway)
    with quiet():
        dataset = read(content)
        shown = tuple(ShownRow(row, _value(dataset, row)) for row in rows)
    # Read, and not yet shown: values that the log does not know of are seen by nobody.
    desk.log.append("header.view", subject=(subject,), detail={"tags": len(shown)})
    return shown


def _value(dataset: Dataset, row: Row) -> str:
    try:
        return values_of(dataset, row.path)
    except (QuarantineError, InputError):
        return _UNREADABLE
