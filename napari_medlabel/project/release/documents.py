"""All documents of a release at once, from one object of facts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.project.release import appendices, croissant
from napari_medlabel.project.release.facts import Facts
from napari_medlabel.project.release.manifest import ReleasedFile

KEYS: Final = tuple(dict.fromkeys((*appendices.KEYS, *croissant.KEYS)))
"""What people may state: at least one document asks for each."""


def documents(
    facts: Facts, files: Iterable[ReleasedFile], columns: Sequence[str]
) -> dict[str, bytes]:
    """Return the documents by their names in the release.

    They are written before the manifest is made, which then names them too.

    Parameters
    ----------
    facts : Facts
        Of the release.
    files : iterable of ReleasedFile
        What is released beside them.
    columns : sequence of str
        Head of ``participants.tsv``; empty where the release has none.

    Returns
    -------
    dict of str to bytes
        ``facts.json``, ``DATASHEET.md``, ``CLAIM.md`` and ``croissant.json``.

    Raises
    ------
    InputError
        When words are stated under a key that no document asks for, or columns of a table
        that is not released.
    """
    strange = set(facts.stated) - set(KEYS)
    if strange:
        raise InputError(
            f"{len(strange)} of the statements answer nothing that is asked.",
            hint=f"Use these keys: {', '.join(KEYS)}.",
        )
    plain = json.dumps(facts.record(), indent=1, sort_keys=True, ensure_ascii=False)
    return {
        "facts.json": f"{plain}\n".encode(),
        "DATASHEET.md": appendices.datasheet(facts).encode(),
        "CLAIM.md": appendices.claim(facts).encode(),
        "croissant.json": croissant.croissant(facts, files, columns),
    }
