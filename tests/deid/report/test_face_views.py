"""Heads drawn from three sides: a face shows before it is removed, and what cannot be drawn."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from napari_medlabel.deid.report import face_views as drawn
from napari_medlabel.deid.report import review_page
from napari_medlabel.deid.report.counts import Look, Queued
from napari_medlabel.deid.report.face_views import face_views
from napari_medlabel.deid.report.review import decide, read_queue, write_queue
from napari_medlabel.deid.report.review_page import views_of_waiting
from napari_medlabel.errors import InputError
from tests.deid.head_phantom import as_mr, grid_around, scanned

STEP = 5.0


@pytest.fixture(scope="module")
def head():
    return scanned(*grid_around((STEP, STEP, STEP)))


@pytest.fixture
def series(tmp_path, ct, as_file):
    """Write a volume with axes along R, A and S as axial slices of a series."""

    def make(array: np.ndarray, **changed: object):
        folder = tmp_path / "P-1" / "ST-1" / "SE-1"
        folder.mkdir(parents=True)
        for k in range(array.shape[2]):
            ds = ct(
                k + 1,
                Rows=array.shape[1],
                Columns=array.shape[0],
                ImagePositionPatient=["0", "0", str(STEP * k)],
                ImageOrientationPatient=["-1", "0", "0", "0", "-1", "0"],
                PixelSpacing=[str(STEP), str(STEP)],
                **changed,
            )
            ds.PixelData = array[:, :, k].T.astype("<u2").tobytes()
            (folder / f"I-{k + 1}.dcm").write_bytes(as_file(ds))
        return folder

    return make


def opened(picture) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(picture.png))).astype(int)


def test_a_nose_is_seen_in_front_and_to_either_side(series, head):
    views = face_views(series(head.hu + 1024), "Image 1")
    assert [view.alt.partition(", ")[2] for view in views] == [
        "from the front", "from its left", "from its right", "slice through the middle",
    ]  # fmt: skip
    front, left, right, middle = (opened(view) for view in views)
    assert front.shape[0] == left.shape[0] == middle.shape[0]
    rows = slice(int(0.55 * len(left)), int(0.62 * len(left)))
    first = [int(np.flatnonzero(row > 20)[0]) for row in left[rows]]
    neck = [int(np.flatnonzero(row > 20)[0]) for row in left[-8:-4]]
    assert min(first) + 10 < min(neck)
    last = [int(np.flatnonzero(row > 20)[-1]) for row in right[rows]]
    assert max(last) > max(int(np.flatnonzero(row > 20)[-1]) for row in right[-8:-4]) + 10
    assert front[:, front.shape[1] // 2].max() > 200
    assert middle.min() == 0


def test_mr_is_drawn_by_its_own_skin(series, head):
    views = face_views(series(as_mr(head), Modality="MR"), "Image 1", largest=60)
    assert len(views) == 4
    assert all(max(view.width, view.height) <= 60 for view in views)
    shown = opened(views[0]) > 0
    assert 0.2 < shown.mean() < 0.8


def test_large_scans_are_drawn_coarser(series, head, monkeypatch):
    folder = series(head.hu + 1024)
    monkeypatch.setattr(drawn, "_MOST", 2000)
    assert max(face_views(folder, "x")[0].width, 1) < 20


def test_nothing_but_air_is_black(series):
    views = face_views(series(np.zeros((12, 12, 12))), "x")
    assert all(opened(view).max() == 0 for view in views)


def test_pictures_without_a_place_several_volumes_and_broken_files_are_not_drawn(
    series, head, tmp_path, monkeypatch
):
    assert face_views(tmp_path / "nowhere", "x") == ()
    folder = series(head.hu[:, :, :6] + 1024)
    extra = tmp_path / "one"
    extra.mkdir()
    (extra / "a.dcm").write_bytes(b"broken")
    assert face_views(extra / "a.dcm", "x") == ()

    def full(_bytes: int) -> None:
        raise InputError("The volume needs more memory.", hint="Elsewhere.")

    monkeypatch.setattr(drawn, "require_room", full)
    assert face_views(folder, "x") == ()


def queue(folder, root, look=frozenset({Look.FACE})) -> None:
    names = sorted(path.relative_to(root).parts for path in folder.iterdir())
    files = [Queued(n, f"F-{n:04}", name, look) for n, name in enumerate(names)]
    assert write_queue(root, files) == len(files)


def test_a_head_is_one_entry_of_the_page_and_leaves_as_a_whole(series, head, tmp_path):
    folder = series(head.hu + 1024)
    count = len(list(folder.iterdir()))
    queue(folder, tmp_path)
    (entry,) = read_queue(tmp_path)
    assert len(entry.files) == count
    page = (tmp_path / "index.html").read_text("utf-8")
    assert page.count("<img ") == 4
    assert f"<strong>1</strong> waiting, {count} files." in page
    assert f"All {count} files of <code>P-1/ST-1/SE-1</code>" in page
    target = tmp_path.parent / f"{tmp_path.name}-out"
    done = decide(tmp_path, target, accept=[entry.token])
    assert (done.accepted, done.left) == (count, 0)
    assert len(list(target.rglob("*.dcm"))) == count
    assert not folder.exists()


def test_a_rejected_head_is_deleted_as_a_whole(series, head, tmp_path):
    folder = series(head.hu[:, :, ::8] + 1024)
    queue(folder, tmp_path)
    (entry,) = read_queue(tmp_path)
    decide(tmp_path, tmp_path.parent / f"{tmp_path.name}-out", reject=[entry.token])
    assert not folder.exists()


def test_a_head_that_cannot_be_drawn_shows_its_middle_slice(
    series, head, tmp_path, monkeypatch
):
    folder = series(head.hu[:, :, ::8] + 1024)
    queue(folder, tmp_path)
    (entry,) = read_queue(tmp_path)
    monkeypatch.setattr(review_page, "face_views", lambda *_, **__: ())
    views = views_of_waiting(tmp_path, entry, "Image 1")
    assert [view.alt for view in views] == ["Image 1, as it is", "Image 1, contrast raised"]


def test_a_slice_of_a_head_with_text_in_doubt_is_shown_by_itself(series, head, tmp_path):
    folder = series(head.hu[:, :, :3] + 1024)
    queue(folder, tmp_path, frozenset({Look.FACE, Look.LOW_CONTRAST}))
    entries = read_queue(tmp_path)
    assert len(entries) == 3
    alts = [view.alt for view in views_of_waiting(tmp_path, entries[0], "Image 1")]
    assert alts[-2:] == ["Image 1, as it is", "Image 1, contrast raised"]
