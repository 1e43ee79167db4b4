"""What the forms of other programs cannot hold of an ontology, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from napari_medlabel.io.marks.label_table import code_as_text
from napari_medlabel.project.ontology.exchange import written_names
from napari_medlabel.project.ontology.labels import OntologyLabel
from napari_medlabel.project.ontology.ontology import Ontology

_MOST_NAMED: Final = 8


def left_out(ontology: Ontology, form: str, layer: int = 0) -> tuple[str, ...]:
    """Return what a form does not hold of an ontology; nothing where it holds all.

    Parameters
    ----------
    form : str
        ``ontology``, ``terminology``, ``itksnap`` or ``dseg``.
    layer : int
        Which labels a table has: ``itksnap`` and ``dseg``.
    """
    if form == "ontology":
        return ()
    if form == "terminology":
        return tuple(_of_terminology(ontology.labels))
    return tuple(_of_table(ontology.labels, layer, has_codes=form == "dseg"))


def named(names: Sequence[str]) -> str:
    """Return some names in words, the first of many."""
    plain = list(dict.fromkeys(" ".join(name.split()) for name in names))
    more = len(plain) - _MOST_NAMED
    words = ", ".join(plain[:_MOST_NAMED])
    return f"{words} and {more} more" if more > 0 else words


def _of_terminology(labels: Sequence[OntologyLabel]) -> Iterator[str]:
    yield "A terminology has codes and colours alone: no values, names, layers, rules."
    coded = [label for label in labels if label.coding is not None]
    bare = [label.name for label in labels if label.coding is None]
    if bare:
        yield f"Left out, having no code: {named(bare)}."
    regions = [
        x.name for x in coded if x.coding and (x.coding.region or x.coding.region_modifier)
    ]
    if regions:
        yield f"Without their region: {named(regions)}."
    parts = ("category", "type", "modifier")
    shared = [
        one.name
        for one in coded
        if any(
            x is not one and x.coding and x.coding.is_alike(one.coding, *parts) for x in coded
        )
    ]
    if shared:
        yield f"One entry for all that have the same codes then: {named(shared)}."


def _of_table(labels: Sequence[OntologyLabel], layer: int, *, has_codes: bool) -> Iterator[str]:
    held = "values, names, colours and types" if has_codes else "values, names and colours"
    yield f"This table has {held} of a layer alone: no rules, landmarks, questions."
    own = [label for label in labels if label.layer == layer]
    others = [label.name for label in labels if label.layer != layer]
    if others:
        yield f"Left out, on another layer: {named(others)}."
    written = written_names(own)
    respelt = [label.name for label in own if written[label.value] != label.name]
    if respelt:
        yield f"Written with other signs: {named(respelt)}."
    coded = [label for label in own if label.coding is not None]
    if not has_codes:
        bare = [label.name for label in coded]
    else:
        bare = [x.name for x in coded if x.coding and not code_as_text(x.coding.type)]
    if bare:
        yield f"Without their code: {named(bare)}."
    further = [
        x.name
        for x in coded
        if x.coding and (x.coding.modifier or x.coding.region or x.coding.region_modifier)
    ]
    if has_codes and further:
        yield f"Without their side or region: {named(further)}."
