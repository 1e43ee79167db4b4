"""When a scan certainly shows no face."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.deid.faces.field import coarse
from napari_medlabel.deid.faces.none import is_other_part, is_trunk
from tests.deid.head_phantom import grid_around, scanned

MATRIX = np.diag([4.0, 4.0, 5.0, 1.0])


def trunk(radius_mm: float = 170.0) -> np.ndarray:
    i, j = (np.arange(110) * 4.0 - 220)[:, None], np.arange(90) * 4.0 - 180
    body = (i / radius_mm) ** 2 + (j / (radius_mm * 0.7)) ** 2 <= 1
    return np.where(body, 40, -1000)[:, :, None] * np.ones(12, dtype=np.int16)


@pytest.mark.parametrize("part", ["CHEST", " abdomen ", "PELVIS", "KNEE"])
def test_a_named_part_without_a_face_is_taken_at_its_word(part: str) -> None:
    assert is_other_part(part)


@pytest.mark.parametrize("part", ["", "HEAD", "NECK", "WHOLEBODY", "ORBIT", "EAR", "???"])
def test_any_other_name_may_be_a_head(part: str) -> None:
    assert not is_other_part(part)


def test_a_trunk_is_larger_than_any_head() -> None:
    assert is_trunk(coarse(trunk(), MATRIX))


def test_a_head_or_thin_body_is_no_trunk_nor_is_one_that_ends_in_the_scan() -> None:
    scan = scanned(*grid_around((4.0, 4.0, 4.0)))
    assert not is_trunk(coarse(scan.hu, scan.matrix))
    assert not is_trunk(coarse(trunk(110), MATRIX))
    ends = trunk()
    ends[:, :, 8:] = -1000
    assert not is_trunk(coarse(ends, MATRIX))


def test_a_hollow_ring_is_no_trunk() -> None:
    ring = trunk()
    i, j = (np.arange(110) * 4.0 - 220)[:, None], np.arange(90) * 4.0 - 180
    ring[(i / 160) ** 2 + (j / 110) ** 2 <= 1] = -1000
    assert not is_trunk(coarse(ring, MATRIX))
