"""Text burned into ultrasound: lines found, area lost and CPU time, beside deid and tesseract.

The frames are drawn: a fan of speckle with six lines of text. A line counts as found when at
least 95 % of its dots are blanked. ``--table`` prints each size on each ground.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from _measure import Side, Work, main
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import binary_dilation, gaussian_filter

from napari_medlabel.errors import MissingPackageError

Array = npt.NDArray[Any]
SIDE = 512
LINES = ("MUSTER ERIKA", "1963-04-12", "ID 4711-0815", "St. Example", "Dr Quincy", "09:34:12")
SIZES = (6, 8, 10, 12, 16, 24)
GROUNDS = ("black", "speckle", "dark on bright", "contrast +90", "contrast +45")
ANGLES = (0, 90, 20)
_FOUND = 0.95
_REFUSED = 0.5


@dataclass(frozen=True)
class Drawn:
    """A frame with text, and the dots of each line."""

    frame: npt.NDArray[np.uint8]
    lines: tuple[Array, ...]


def speckle(rng: np.random.Generator) -> Array:
    """Return a fan of speckle with cysts, a grey bar and ticks; no text."""
    noise = [gaussian_filter(rng.normal(size=(SIDE, SIDE)), (0.7, 1.6)) for _ in range(2)]
    grain = np.hypot(*noise)
    tissue = gaussian_filter(rng.normal(size=(SIDE, SIDE)), 25)
    level = 60 * np.clip(0.8 + 0.25 * tissue / tissue.std(), 0.1, 2)
    y, x = np.mgrid[:SIDE, :SIDE]
    far = np.hypot(x - SIDE / 2, y + 20)
    fan = (far > 60) & (far < SIDE) & (np.abs(x - SIDE / 2) < (y + 20) * 0.62)
    made: Array = np.where(fan, level * grain / grain.mean(), 2)
    for _ in range(4):
        cx, cy, r = rng.integers(180, 330), rng.integers(150, 420), rng.integers(10, 40)
        made[np.hypot(x - cx, (y - cy) * 1.3) < r] *= 0.12
    made[100:300, 20:32] = np.linspace(255, 0, 200)[:, None]
    for k in range(12):
        made[60 + k * 35, 500:508] = 200
    return np.clip(made, 0, 255)


@cache
def letters(text: str, size: int, angle: int) -> Array:
    """Return a line of text, 0 to 1."""
    font = ImageFont.load_default(size=size)
    left, top, right, bottom = font.getbbox(text)
    line = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2))
    ImageDraw.Draw(line).text((1 - left, 1 - top), text, fill=255, font=font)
    return np.asarray(line.rotate(angle, expand=True) if angle else line) / 255


@cache
def drawn(seed: int, size: int, ground: str, angle: int = 0) -> Drawn:
    """Return a frame with six lines that do not touch."""
    rng = np.random.default_rng(1000 * seed + size)
    frame, taken, lines = speckle(rng), np.zeros((SIDE, SIDE), bool), []
    for text in LINES:
        line = letters(text, size, angle)
        rows, columns = line.shape
        for _ in range(400):
            top, left = rng.integers(4, SIDE - rows - 4), rng.integers(40, SIDE - columns - 14)
            place = (slice(top, top + rows), slice(left, left + columns))
            inside = frame[place].max() > 20
            if not taken[place].any() and inside == (ground != "black"):
                break
        else:
            continue
        part = frame[place]
        if ground == "dark on bright":
            part[:] = 210 * (1 - line) + 30 * line
        elif ground.startswith("contrast"):
            part[:] = np.clip(part + int(ground.split("+")[1]) * line, 0, 255)
        else:
            part[:] = part * (1 - line) + 250 * line
        dots = np.zeros((SIDE, SIDE), bool)
        dots[place] = line > 0.4
        lines.append(dots)
        taken |= binary_dilation(dots, iterations=8)
    return Drawn(np.rint(frame).astype(np.uint8), tuple(lines))


def ours(frame: npt.NDArray[np.uint8]) -> Array:
    """Return what clean-pixels blanks, its searches of the result included.

    All of a frame that is refused: none of its lines leaves.
    """
    from napari_medlabel.deid.pixels.clean_pixels import blank_text
    from napari_medlabel.deid.pixels.text_views import Tone
    from napari_medlabel.deid.refusal import QuarantineError

    def painted(_number: int, mask: Array) -> Array:
        return np.where(mask, np.uint8(0), frame)

    try:
        return blank_text(painted, 1, Tone(), np.zeros(frame.shape, bool)).of(0)
    except QuarantineError:
        return np.ones(frame.shape, bool)


def tesseract(frame: npt.NDArray[np.uint8]) -> Array:
    """Return the boxes of the words that tesseract finds (sparse text)."""
    mask = np.zeros(frame.shape, bool)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "frame.png"
        Image.fromarray(frame).save(path)
        words = ["tesseract", str(path), "-", "--psm", "11", "tsv"]
        told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    for line in told.splitlines()[1:]:
        cells = line.split("\t")
        if len(cells) == 12 and cells[11].strip():
            left, top, wide, high = (int(cell) for cell in cells[6:10])
            mask[top : top + high, left : left + wide] = True
    return mask


def nothing_found(frame: npt.NDArray[np.uint8]) -> Array:
    """Return what deid blanks: it knows devices, and has no search for text."""
    return np.zeros(frame.shape, bool)


def judged(find: Callable[[Any], Array], one: Drawn) -> tuple[int, float]:
    """Return the lines found, and the share of the frame that is blanked without need."""
    mask = find(one.frame)
    found = sum(bool(mask[dots].mean() >= _FOUND) for dots in one.lines)
    needed = np.zeros_like(mask)
    for dots in one.lines:
        rows, columns = np.nonzero(dots)
        needed[
            max(0, rows.min() - 12) : rows.max() + 13,
            max(0, columns.min() - 12) : columns.max() + 13,
        ] = True
    return found, float((mask & ~needed).mean())


def usual() -> list[Drawn]:
    """Return frames as devices write: 10 to 24 pixels on black, on speckle, on a bright bar."""
    return [
        drawn(seed, size, ground)
        for seed in range(2)
        for size in (10, 12, 16, 24)
        for ground in GROUNDS[:3]
    ]


def lines_left(find: Callable[[Any], Array]) -> Side:
    """Return a side that tells how many of a hundred lines are left (at least 0.5)."""

    def run(_number: int) -> float:
        frames = usual()
        left = sum(len(one.lines) - judged(find, one)[0] for one in frames)
        return max(0.5, 100 * left / sum(len(one.lines) for one in frames))

    return Side(run)


def seconds(find: Callable[[Any], Array]) -> Side:
    """Return a side that searches one frame of 512 x 512; CPU seconds, children included."""
    import resource

    def spent() -> float:
        own, done = (
            resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        return own.ru_utime + own.ru_stime + done.ru_utime + done.ru_stime

    def run(_number: int) -> float:
        start = spent()
        find(drawn(0, 12, "speckle").frame)
        return spent() - start

    return Side(run)


def show_table() -> None:
    """Print lines found, area lost and CPU time for each size, ground and angle."""
    print("| ground | " + " | ".join(f"{size} px" for size in SIZES) + " |")
    print("|---|" + "--:|" * len(SIZES))
    lost: list[float] = []
    spent, frames = 0.0, 0
    cases = [(ground, 0) for ground in GROUNDS] + [("speckle", angle) for angle in ANGLES[1:]]
    for ground, angle in cases:
        cells = []
        for size in SIZES:
            one = drawn(0, size, ground, angle)
            start = time.process_time()
            right, area = judged(ours, one)
            spent, frames = spent + time.process_time() - start, frames + 1
            if area > _REFUSED:
                cells.append("refused")
                continue
            lost.append(area)
            cells.append(f"{right} of {len(one.lines)}")
        name = f"{ground}, turned {angle}°" if angle else ground
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    clean = [
        float(ours(np.rint(speckle(np.random.default_rng(seed))).astype(np.uint8)).mean())
        for seed in range(50, 55)
    ]
    print(
        f"\nblanked without need: {100 * np.mean(lost):.2f} % of a frame with text, "
        f"{100 * np.mean(clean):.2f} % of one without"
    )
    print(f"{1000 * spent / frames:.0f} ms of CPU time for a frame of {SIDE} x {SIDE}")


def missing_extra() -> str:
    """Return why nothing can be measured here; empty when it can."""
    from napari_medlabel.deid.pixels.text_boxes import require_detector

    try:
        require_detector()
    except MissingPackageError:
        return "the extra [pixels] is not installed"
    return ""


NO_TESSERACT = "" if shutil.which("tesseract") else "tesseract is not installed"
LEFT = "lines left of 100, 10 to 24 px, on black, speckle and bright"
WORKS = (
    Work(
        LEFT,
        lambda _folder: lines_left(ours),
        "tesseract, sparse text",
        lambda _folder: lines_left(tesseract),
        10,
        1,
        unit="lines",
        unable=NO_TESSERACT,
    ),
    Work(
        LEFT,
        lambda _folder: lines_left(ours),
        "deid 0.4 (knows devices, searches no text)",
        lambda _folder: lines_left(nothing_found),
        10,
        1,
        inside=lambda _folder: ours(drawn(0, 12, "speckle").frame),
        unit="lines",
    ),
    Work(
        "one frame: found, blanked, searched again",
        partial(lambda _folder, find: seconds(find), find=ours),
        "tesseract, found once",
        partial(lambda _folder, find: seconds(find), find=tesseract),
        None,
        3,
        unable=NO_TESSERACT,
    ),
)

if __name__ == "__main__":
    if "--table" in sys.argv:
        show_table()
    else:
        main(__file__, WORKS, unable=missing_extra())
