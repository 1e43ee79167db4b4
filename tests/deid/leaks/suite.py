"""The whole suite of plants, written into a folder."""

from __future__ import annotations

from pathlib import Path

from tests.deid.leaks.in_bytes import (
    plant_charsets,
    plant_encodings,
    plant_meta,
    plant_misused,
    plant_names,
    plant_pixels,
)
from tests.deid.leaks.in_companions import plant_companions
from tests.deid.leaks.in_headers import (
    plant_deep,
    plant_documents,
    plant_families,
    plant_private,
    plant_table,
    plant_unlisted,
)
from tests.deid.leaks.planting import Plant, Planter

PARTS = (
    plant_table, plant_families, plant_private, plant_unlisted, plant_deep, plant_documents,
    plant_meta, plant_charsets, plant_misused, plant_encodings, plant_pixels, plant_names,
    plant_companions,
)  # fmt: skip


def plant_all(folder: Path, seed: int) -> list[Plant]:
    """Write every file and return what was planted; another seed plants other values."""
    planter = Planter(seed)
    folder.mkdir(parents=True)
    for part in PARTS:
        part(planter, folder)
    return planter.plants
