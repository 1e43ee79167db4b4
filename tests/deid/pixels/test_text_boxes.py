from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from napari_medlabel._optional import folder_of
from napari_medlabel.deid.pixels import text_boxes, text_network, text_reader
from napari_medlabel.deid.pixels.text_boxes import Search, find_text, require_detector
from napari_medlabel.deid.pixels.text_decoy import HEIGHT, with_line
from napari_medlabel.deid.pixels.text_network import loaded
from napari_medlabel.deid.pixels.text_reader import Reading, read_place, reading_of
from napari_medlabel.errors import MissingPackageError

Map = np.ndarray[Any, np.dtype[np.float32]]


class Network:
    """Answers with what a test says."""

    def __init__(self, answer: Callable[[Map], Map]) -> None:
        self.answer = answer
        self.seen: list[Map] = []

    def run(self, _outputs: None, inputs: dict[str, Map], /) -> list[Map]:
        self.seen.append(inputs["x"])
        return [self.answer(inputs["x"])]


@pytest.fixture
def bright(monkeypatch):
    """A detector that takes bright pixels for text, and a reader that reads what it is told."""
    detector = Network(lambda x: (x[:, :1] > 0).astype(np.float32) * 0.9)
    monkeypatch.setattr(text_boxes, "session", lambda _name: detector)
    readings = [Reading(0.9, 8)]
    monkeypatch.setattr(text_boxes, "read_place", lambda _part: readings[-1])
    return detector, readings


def picture(*places: tuple[slice, slice], shape: tuple[int, int] = (200, 300)) -> Any:
    made = np.zeros(shape, np.uint8)
    for place in places:
        made[place] = 255
    return made


LINE = (slice(50, 58), slice(60, 160))


def test_a_line_is_marked_with_a_margin(bright):
    found = find_text(picture(LINE))
    assert found.count == 1
    rows, columns = np.nonzero(found.mask)
    assert (rows.min(), rows.max() + 1) == (43, 65)
    assert (columns.min(), columns.max() + 1) == (53, 167)


def test_what_was_enlarged_is_marked_on_the_picture_s_own_grid(bright):
    once, twice = (find_text(picture(LINE), scale=scale).mask for scale in (1, 2))
    assert twice.shape == once.shape == (200, 300)
    assert np.abs(twice.sum() / once.sum() - 1) < 0.2
    assert twice[LINE].all()


def test_specks_and_what_is_hardly_seen_are_no_text(bright):
    detector, _ = bright
    assert find_text(picture((slice(5, 7), slice(5, 7)))).count == 0
    detector.answer = lambda x: (x[:, :1] > 0).astype(np.float32) * 0.4
    assert find_text(picture(LINE)).count == 0


def test_a_slanted_line_is_marked_along_its_slant(bright):
    made = picture()
    for n in range(90):
        made[40 + n : 48 + n, 40 + n : 48 + n] = 255
    found = find_text(made, Search(tallest=0.5))
    assert found.mask[made > 0].all()
    assert not found.mask[45, 125]
    assert found.mask.mean() < 0.25


def test_a_slanted_line_at_the_edge_stays_inside(bright):
    made = picture(shape=(90, 90))
    for n in range(90):
        made[n : n + 4, n : n + 4] = 255
    assert find_text(made, Search(tallest=0.5)).mask.shape == (90, 90)


def test_what_is_blanked_is_not_found_again(bright):
    ignored = np.zeros((200, 300), bool)
    ignored[40:70, 40:140] = True
    assert find_text(picture(LINE), ignored=ignored).count == 0
    ignored[:] = False
    assert find_text(picture(LINE), ignored=ignored).count == 1


def test_very_tall_things_are_text_only_where_they_can_be_read(bright):
    _, readings = bright
    tall = picture((slice(50, 70), slice(60, 160)))
    assert find_text(tall).count == 1
    readings.append(Reading(0.2, 1))
    assert find_text(tall).count == 0
    assert find_text(picture(LINE)).count == 1
    readings.append(Reading(0.9, 8))
    assert find_text(picture((slice(50, 90), slice(60, 160)))).count == 0


def test_a_strict_search_wants_all_of_it_readable_and_says_what_is_doubtful(bright):
    _, readings = bright
    strict = Search(read=True)
    assert find_text(picture(LINE), strict).count == 1
    readings.append(Reading(0.5, 3))
    found = find_text(picture(LINE), strict)
    assert (found.count, found.unsure) == (0, 1)
    readings.append(Reading(0.1, 3))
    assert find_text(picture(LINE), strict).unsure == 0


def test_the_line_below_the_picture_is_never_part_of_the_answer(bright):
    detector, _ = bright
    found = find_text(picture(), Search(line=True))
    assert (found.count, found.mask.shape) == (0, (200, 300))
    assert (detector.seen[0][0, 0, 200 : 200 + HEIGHT] > 0).any()


@pytest.mark.parametrize("shape", [(50, 400), (50, 400, 3), (50, 20), (50, 6)])
def test_the_line_is_put_below_without_touching_the_picture(shape):
    made = np.full(shape, 7, np.uint8)
    with_it = with_line(made)
    assert (with_it[:50] == 7).all()
    assert with_it.shape == (50 + HEIGHT, *shape[1:])
    assert with_it[50:].any() == (shape[1] > 8)


def test_large_pictures_are_searched_in_parts_that_overlap(bright):
    detector, _ = bright
    made = picture((slice(1590, 1598), slice(100, 300)), shape=(1900, 400))
    found = find_text(made, Search())
    assert found.count == 1
    assert found.mask[1590:1598, 100:300].all()
    assert max(seen.shape[2] for seen in detector.seen) <= 1600


def test_colours_reach_the_network_in_its_order(bright):
    detector, _ = bright
    made = np.zeros((32, 32, 3), np.uint8)
    made[..., 0] = 255
    find_text(made, scale=2)
    assert detector.seen[0][0, :, 0, 0].tolist() == [-1, -1, 1]


@pytest.mark.parametrize(
    ("best", "sureness", "characters"),
    [([0, 0], 0.0, 0), ([5, 5, 0, 5, 7], 0.5, 3), ([7], 0.5, 1)],
)
def test_repeated_steps_are_one_character(best, sureness, characters):
    steps = np.full((len(best), 9), 0.01, np.float32)
    steps[np.arange(len(best)), best] = 0.5
    reading = reading_of(steps)
    assert reading.characters == characters
    assert reading.sureness == pytest.approx(sureness)


def test_readings_are_text_doubtful_or_neither():
    assert Reading(0.7, 1).is_text
    assert Reading(0.4, 5).is_text
    assert not Reading(0.4, 4).is_text
    assert Reading(0.4, 4).is_doubtful
    assert not Reading(0.7, 1).is_doubtful
    assert not Reading(0.4, 1).is_doubtful


def test_upright_lines_are_turned_both_ways(monkeypatch):
    network = Network(lambda x: np.full((1, 4, 9), 0.3 + x[0, 0, 0, 0] / 10, np.float32))
    monkeypatch.setattr(text_reader, "session", lambda _name: network)
    part = np.zeros((60, 20), np.uint8)
    part[:30] = 255
    read_place(part)
    assert len(network.seen) == 2
    read_place(np.zeros((20, 60, 3), np.uint8))
    assert network.seen[2].shape == (1, 3, 48, 320)


def test_without_the_model_s_file_the_package_is_to_be_installed_again(tmp_path):
    with pytest.raises(MissingPackageError, match="not in the installed") as refused:
        loaded(None, tmp_path / "model.onnx")
    assert "rapidocr-onnxruntime==1.4.4" in str(refused.value.hint)


def test_a_package_is_located_without_running_it():
    assert folder_of("json", extra="pixels").name == "json"
    with pytest.raises(MissingPackageError, match="no_such_package") as refused:
        folder_of("no_such_package", extra="pixels")
    assert "napari-medlabel[pixels]" in str(refused.value.hint)


def test_without_the_extra_the_search_is_refused_with_what_to_install(monkeypatch):
    text_network.session.cache_clear()

    def missing(*_: object, **__: object) -> None:
        raise MissingPackageError("no", hint="[pixels]")

    monkeypatch.setattr(text_network, "require", missing)
    with pytest.raises(MissingPackageError):
        require_detector()


@pytest.fixture(scope="module")
def networks() -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("PIL.ImageFont")
    try:
        text_network.session.cache_clear()
        require_detector()
    except MissingPackageError as err:
        pytest.skip(str(err))


def written(text: str, size: int, at: tuple[int, int] = (80, 60)) -> Any:
    from PIL import Image, ImageDraw, ImageFont

    made = Image.new("L", (320, 224))
    font = ImageFont.load_default(size=size)
    ImageDraw.Draw(made).text(at, text, fill=255, font=font)
    return np.asarray(made)


@pytest.mark.usefixtures("networks")
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("size", [9, 14, 20])
def test_real_lines_are_found_and_empty_pictures_are_not_text(size, strict):
    made = written("MUSTER ERIKA 1963", size)
    search = Search(line=strict, read=strict)
    found = find_text(made, search, scale=2)
    assert found.count >= 1
    assert found.mask[made > 100].mean() > 0.99
    assert found.mask.mean() < 0.2
    assert find_text(np.zeros_like(made), search).count == 0


@pytest.mark.usefixtures("networks")
def test_upright_lines_are_read():
    made = np.ascontiguousarray(np.rot90(written("MUSTER ERIKA", 16)))
    assert find_text(made, Search(line=True, read=True), scale=2).count >= 1


@pytest.mark.usefixtures("networks")
def test_searching_leaves_opencv_and_qt_alone():
    code = (
        "import os, sys, numpy as np\n"
        "from napari_medlabel.deid.pixels.text_boxes import find_text\n"
        "find_text(np.zeros((32, 32), np.uint8))\n"
        "assert 'cv2' not in sys.modules and 'rapidocr_onnxruntime' not in sys.modules\n"
        "assert not any(name.startswith('QT_') for name in os.environ), 'Qt'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        env={"PATH": ""},
        capture_output=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr.decode()
