"""Sheets of open work: a mask for each layer of the ontology, since labels may overlap."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari_medlabel.export.mask import load_mask
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.cases.versions import Sheet
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.work.notes import WorkNotes, read_notes
from napari_medlabel.session.case import MASK_FILE
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
