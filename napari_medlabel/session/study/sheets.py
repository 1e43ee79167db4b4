"""Sheets of open work: a mask for each layer of the ontology, since labels may overlap."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari_medlabel.export.mask import load_mask
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.cases.versions import Labelled, Sheet
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.work.notes import WorkNotes, read_notes, write_notes
from napari_medlabel.session.case import MASK_FILE
from napari_medlabel.session.study.seat import Seat
from napari_medlabel.session.trailing import read_origins


def sheet_folder(folder: Path, layer: int) -> Path:
    """Return the folder of a layer's mask in that of open work; the first lies in it itself."""
    return folder / f"sheet-{layer}" if layer else folder


def open_sheets(
    layout: Layout, folder: Path, scan: Volume
) -> tuple[dict[int, Sheet], list[str]]:
    """Return the saved masks of layers above 0, empty ones where nothing was drawn.

    Parameters
    ----------
    folder : Path
        Of the open work.
    scan : Volume
        The study's scan.

    Returns
    -------
    dict of int to Sheet
        By layer.
    list of str
        What a person should know of them, in sentences.

    Raises
    ------
    InputError, GeometryError
        When a mask cannot be read, or lies on another grid.
    """
    ontology = read_ontology(layout.ontology)
    sheets: dict[int, Sheet] = {}
    words: list[str] = []
    for layer in ontology.layers:
        if layer:
            scheme, place = ontology.scheme(layer), sheet_folder(folder, layer)
            labels = LabelMap.empty(scan.grid, scheme)
            if (place / MASK_FILE).is_file():
                labels = load_mask(place / MASK_FILE, scan.grid, scheme=scheme)
            origins, said = read_origins(place, scan.grid, labels.content_id())
            sheets[layer] = Sheet(labels, origins)
            words.append(said)
    return sheets, words


def notes_of_sheets(layout: Layout, folder: Path) -> WorkNotes:
    """Return the notes beside open work, with those that were taken at further sheets.

    Times add up; what was shown, is absent or was answered at any of them counts.

    Raises
    ------
    InputError
        When notes cannot be read.
    """
    notes = read_notes(folder)
    for layer in read_ontology(layout.ontology).layers:
        if layer:
            more = read_notes(sheet_folder(folder, layer))
            shown = notes.shown
            if more.shown is not None:
                shown = more.shown | (shown or frozenset())
            notes = replace(
                notes,
                active_s=notes.active_s + more.active_s,
                shown=shown,
                absent=notes.absent | more.absent,
                answers={**notes.answers, **more.answers},
            )
    return notes


def read_sheet_notes(folder: Path, sheet: int) -> WorkNotes:
    """Return the notes beside a layer's work: answers, and what is absent, are those of all.

    Raises
    ------
    InputError
        When notes cannot be read.
    """
    notes = read_notes(folder)
    if sheet:
        first = read_notes(folder.parent)
        notes = replace(notes, answers=first.answers, absent=first.absent)
    return notes


def write_sheet_notes(folder: Path, sheet: int, notes: WorkNotes) -> None:
    """Write the notes beside a layer's work; what is one for all layers lies with the first.

    Raises
    ------
    InputError, SaveError
        When notes cannot be read or written.
    """
    if sheet:
        first = read_notes(folder.parent)
        after = replace(first, answers=notes.answers, absent=notes.absent)
        if after != first:
            write_notes(folder.parent, after)
        notes = replace(notes, answers={}, absent=frozenset())
    write_notes(folder, notes)


def other_masks(
    seat: Seat,
    where: tuple[CaseId, str, int],
    folder: Path,
    grid: Grid,
    *,
    submitted: bool,
) -> dict[int, LabelMap]:
    """Return the masks of a reading's other layers: to be looked at beside the open one.

    Parameters
    ----------
    where : (CaseId, str, int)
        Case, slot, and the layer that is open.
    folder : Path
        Of the open layer's work.
    grid : Grid
        Of the scan.
    submitted : bool
        Whether what was submitted is shown where nothing of a layer lies in the folder.

    Raises
    ------
    RefusedError
        When the rater is still blind to what was submitted.
    InputError, GeometryError
        When a mask cannot be read, or lies on another grid.
    """
    from napari_medlabel.session.study.submitted import submitted_work

    case, slot, sheet = where
    ontology, first = read_ontology(seat.layout.ontology), folder.parent if sheet else folder
    found: dict[int, LabelMap] = {}
    made: Labelled | None = None
    for layer in sorted({0, *ontology.layers} - {sheet}):
        mask = sheet_folder(first, layer) / MASK_FILE
        if mask.is_file():
            found[layer] = load_mask(mask, grid, scheme=ontology.scheme(layer))
        elif submitted:
            made = submitted_work(seat, case, slot, grid) if made is None else made
            further = made.sheets.get(layer)
            if layer == 0 or further is not None:
                found[layer] = made.labels if further is None else further.labels
    return found
