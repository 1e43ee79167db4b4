"""Make every picture of README and docs from the sample scans, in a real napari window.

Run with ``make pictures``. The scans are invented, so no picture can show a patient; log, state
and saved files go to a folder that is removed afterwards.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from napari_medlabel import samples
from napari_medlabel.io.registry import read_volume
from napari_medlabel.model import presets
from napari_medlabel.model.volume import FurtherAxis, Volume
from napari_medlabel.session.opening import Wishes, adopt_volume, open_case

if TYPE_CHECKING:
    from napari_medlabel.session.case import Session

PICTURES: Final = Path(__file__).parent / "pictures"
SIZE: Final = (1600, 1000)
_MASK, _MARKS = "ct_abdomen_mask.nii.gz", "ct_abdomen_landmarks.mrk.json"
_LARGEST: Final = 400_000  # bytes of one picture


def main() -> None:
    """Write all pictures into docs/pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        with own_folders(root / "first") as folder:
            window_pictures(folder)
        with own_folders(root / "second") as folder:
            recovery_picture(folder)
        with own_folders(root / "third") as folder:
            chooser_picture(folder)
        with own_folders(root / "fourth") as folder:
            deid_pictures(folder)
        with own_folders(root / "fifth") as folder:
            sign_picture(folder)
        for name, volume in (
            ("times.png", volumes_in_time()),
            ("missing.png", with_a_missing_slice()),
            ("colour.png", coloured_pictures()),
        ):
            with own_folders(root / name) as folder:
                reading_picture(folder, name, volume)


@contextmanager
def own_folders(root: Path) -> Iterator[Path]:
    """Give a picture a state, a log and a folder that no earlier one has left anything in."""
    os.environ["MEDLABEL_STATE_DIR"] = str(root / "state")
    os.environ["MEDLABEL_AUDIT_DIR"] = str(root / "audit")
    # Only now: these read the two folders when they open the log.
    from napari_medlabel.plugin.workplace import WORKPLACE

    try:
        yield root / "case"
    finally:
        WORKPLACE.close()


def open_sample(folder: Path, *, labelled: bool) -> Session:
    """Open the CT of the abdomen, with its true labels and landmarks or with none."""
    from napari_medlabel.plugin.workplace import WORKPLACE

    wishes = Wishes(
        presets.scheme("abdomen"),
        presets.template("abdomen"),
        folder=folder,
        mask=samples.truth(_MASK) if labelled else None,
        landmarks=samples.truth(_MARKS) if labelled else None,
    )
    return open_case(
        [samples.path("ct_abdomen")], WORKPLACE.desk(), wishes, fallback=folder.parent
    )


def show(session: Session) -> tuple[Any, Any]:
    """Return a window of the pictures' size that shows a case, and its dock."""
    from napari_medlabel.widgets.window import make_window

    viewer, dock = make_window()
    viewer.window.resize(*SIZE)
    dock.desk.show_session(session)
    settle(40)
    return viewer, dock


def settle(rounds: int = 15) -> None:
    """Let Qt lay out, draw and count."""
    from qtpy.QtWidgets import QApplication

    for _ in range(rounds):
        QApplication.instance().processEvents()
        time.sleep(0.02)


def window_pictures(folder: Path) -> None:
    """Write the whole window, axial and coronal, and the volume in 3D."""
    viewer, dock = show(open_sample(folder, labelled=True))
    dock.mark_desk.go_to("L1 top")
    viewer.reset_view()
    dock.desk.binding.labels.mode = "paint"
    settle()
    keep(viewer, "window.png")
    dock.desk.show_plane("Coronal")
    settle()
    keep(viewer, "coronal.png")
    dock.desk.show_plane("3D")
    dock.desk.binding.image.visible = False
    dock.desk.binding.points.text.visible = False  # names lie across each other in 3D
    settle()
    keep(viewer, "3d.png")
    viewer.close()
    settle()


def recovery_picture(folder: Path) -> None:
    """Write what the dock offers after a crash: an earlier run left its journal behind."""
    earlier = open_sample(folder, labelled=False)
    after = np.zeros((40, 40, 6), np.uint8)
    after[4:36, 8:34] = 1
    earlier.edit((slice(170, 210), slice(230, 270), slice(20, 26)), after, name="Paint")
    earlier.close()  # unsaved, as a crash leaves it
    viewer, dock = show(open_sample(folder, labelled=False))
    left = dock.mapTo(dock.window(), dock.rect().topLeft()).x()
    keep(viewer, "recovery.png", (left - 10, 20, SIZE[0], 310))
    dock.desk.leave(discard=True)
    viewer.close()
    settle()


def sign_picture(folder: Path) -> None:
    """Write what is shown before a first signature; nothing is signed."""
    viewer, dock = show(open_sample(folder, labelled=True))
    dock.desk.save_now()
    dock.sign_button.click()
    settle_until(lambda: dock.sign_desk.dialog is not None)
    dialog = dock.sign_desk.dialog
    dialog.name.setText("Dr. Jane Doe")
    settle()
    write(Image.fromarray(pixels_of(dialog)), "sign.png")
    dialog.reject()
    dock.desk.leave(discard=True)
    viewer.close()
    settle()


def reading_picture(folder: Path, name: str, volume: Volume) -> None:
    """Write a volume that was made here: in time, with a missing slice, or in colours."""
    viewer, dock = show(adopt(volume, folder))
    dock.desk.show_plane("Axial")
    if volume.further is not None:
        viewer.dims.set_current_step(0, 3)
    if volume.missing:
        z = int(dock.desk.binding.display.points_zyx((0, 0, volume.missing[0]))[0])
        viewer.dims.set_current_step(0, z)
    settle()
    keep(viewer, name)
    dock.desk.leave(discard=True)
    viewer.close()
    settle()


def adopt(volume: Volume, folder: Path) -> Session:
    """Open a volume that was made here."""
    from napari_medlabel.plugin.workplace import WORKPLACE

    wishes = Wishes(folder=folder)
    return adopt_volume(volume, [folder], WORKPLACE.desk(), wishes, fallback=folder.parent)


def chooser_picture(folder: Path) -> None:
    """Write the chooser with the sample scans and a file whose header is damaged."""
    from napari_medlabel.io.registry import find_series
    from napari_medlabel.widgets.chooser import SeriesChooser

    folder.mkdir(parents=True)
    damaged = folder / "damaged.nii"
    with gzip.open(samples.path("mr_head_oblique")) as stream:
        header = bytearray(stream.read(1000))
    header[70:72] = b"\x63\x00"  # a kind of voxel that does not exist
    damaged.write_bytes(header)
    names = ("ct_abdomen", "ct_abdomen_followup", "us_burned_in", "mr_head_oblique")
    viewer, dock = show(adopt(volumes_in_time(), folder / "behind"))
    chooser = SeriesChooser(
        find_series([*(samples.path(name) for name in names), damaged]), dock.window()
    )
    chooser.list.setCurrentRow(1)
    chooser.show()
    settle(150)
    write(Image.fromarray(pixels_of(chooser)), "chooser.png")
    chooser.reject()
    dock.desk.leave(discard=True)
    viewer.close()
    settle()


def deid_pictures(folder: Path) -> None:
    """Write the preview with the invented values, the review of an ultrasound, the report."""
    from napari_medlabel.deid.rules.options import Option
    from napari_medlabel.widgets.deid_panel import show_panel

    source, target = folder / "scans", folder / "clean"
    (source / "ct").mkdir(parents=True)
    slices = sorted(path for path in samples.path("ct_abdomen").rglob("*") if path.is_file())
    for path in (*slices[:3], samples.path("us_burned_in")):
        shutil.copy(path, source / "ct")
    viewer, dock = show(open_sample(folder, labelled=True))
    panel = show_panel(viewer)
    panel.setup.source.line.setText(str(source))
    panel.setup.target.line.setText(str(target))
    for option in (Option.CLEAN_PIXELS, Option.SHIFT_DATES, Option.CLEAN_DESCRIPTORS):
        panel.setup.options[option].box.setChecked(True)
    panel.tabs.setCurrentWidget(panel.preview)
    panel.show_values()
    panel.preview.filter.setText("patient")
    settle()
    keep(viewer, "deid-preview.png")
    panel.start()
    settle_until(lambda: panel.is_idle)
    panel.load_queue()
    settle_until(lambda: panel.is_idle)
    settle()
    top = panel.queue.words.mapTo(panel.window(), panel.rect().topLeft())  # no paths
    keep(viewer, "deid-review.png", (top.x() - 15, top.y() - 8, SIZE[0], SIZE[1] - 30))
    browse(target / "deid-report.html", "deid-report.png")
    dock.desk.leave(discard=True)
    viewer.close()
    settle()


def settle_until(condition: Callable[[], bool]) -> None:
    """Let Qt work until something has come to its end."""
    while not condition():
        settle(2)
    settle(10)


def browse(page: Path, name: str) -> None:
    """Write how a page looks in Chromium; without one the earlier picture stays."""
    browser = shutil.which("chromium")
    if browser is None:
        print(f"{name}: left as it is, there is no Chromium")
        return
    shot = page.with_suffix(".png")
    size = f"--window-size={SIZE[0] * 3 // 4},{SIZE[1]}"
    own = f"--user-data-dir={page.parent / 'browser'}"
    flags = ("--headless", "--no-sandbox", "--hide-scrollbars", size, own)
    subprocess.run(  # noqa: S603 - this computer's browser on a page that was made here
        [browser, *flags, f"--screenshot={shot}", page.as_uri()],
        check=True,
        capture_output=True,
        timeout=120,
    )
    write(Image.open(shot).convert("RGB"), name)


def pixels_of(widget: Any) -> np.ndarray:
    """Return what a widget shows, shape (rows, columns, 3)."""
    from qtpy.QtGui import QImage

    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    data = image.constBits()
    data.setsize(image.sizeInBytes())
    rows = np.frombuffer(data, np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def volumes_in_time() -> Volume:
    """Return the sample MR as if a contrast agent came and went."""
    still = read_volume(samples.path("mr_head_oblique"))
    limit = np.percentile(still.array, 90)
    bright = np.greater(still.array.T, limit)
    share = np.array([0.0, 0.1, 0.5, 1.0, 0.7, 0.5, 0.4, 0.35], np.float32)
    base = still.array.T.astype(np.float32)
    volumes = np.stack([base * (1 + 0.8 * s * bright) for s in share]).astype(np.int16)
    further = FurtherAxis("time", "s", tuple(2.5 * n for n in range(len(share))), volumes.T)
    return replace(still, array=volumes.T[..., 0], modality="MR", further=further, window=None)


def with_a_missing_slice() -> Volume:
    """Return the sample CT with a slice that no file holds."""
    whole = read_volume(samples.path("ct_abdomen"))
    array = whole.array.T.copy()
    missing = array.shape[0] // 2
    array[missing] = array.min()
    return replace(whole, array=array.T, missing=(missing,))


def coloured_pictures() -> Volume:
    """Return the sample ultrasound with an invented flow in colours."""
    still = read_volume(samples.path("us_burned_in"))
    grey = still.array.T
    colour = np.repeat(grey[..., None], 3, axis=-1).astype(np.uint8)
    _, rows, columns = grey.shape
    y, x = np.mgrid[:rows, :columns]
    flow = (x - columns * 0.5) ** 2 / 90**2 + (y - rows * 0.52) ** 2 / 40**2 < 1
    towards = np.clip((x - columns * 0.5) / 90, -1, 1)
    colour[0][flow] = np.stack(
        [255 * (towards > 0) * towards, 60 + 0 * towards, 255 * (towards < 0) * -towards], -1
    )[flow].astype(np.uint8)
    return replace(still, colour=colour.transpose(2, 1, 0, 3))


def keep(viewer: Any, name: str, crop: tuple[int, int, int, int] | None = None) -> None:
    """Write the window, or a part of it (left, top, right, bottom)."""
    pixels = viewer.screenshot(canvas_only=False, flash=False)[..., :3]
    write(Image.fromarray(np.ascontiguousarray(pixels)).crop(crop), name)


def write(picture: Image.Image, name: str) -> None:
    """Write a picture as a small PNG.

    Raises
    ------
    SystemExit
        When it is larger than a repository should carry.
    """
    path = PICTURES / name
    picture.quantize(palette=palette_of(picture), dither=Image.Dither.NONE).save(
        path, optimize=True
    )
    size = path.stat().st_size
    print(f"{path.name}: {picture.width} x {picture.height}, {size / 1000:.0f} kB")
    if size > _LARGEST:
        raise SystemExit(f"{path.name} is larger than {_LARGEST / 1000:.0f} kB")


def palette_of(picture: Any) -> Any:
    """Return 256 colours that cover a picture: small coloured things count as large grey ones.

    Ordinary quantising spends the palette on the scan's greys and paints the labels' swatches
    in colours that are not theirs. Here every colour that occurs often enough to be a thing has
    one vote, whatever its area.
    """
    colours = np.array(picture).reshape(-1, 3)
    coarse, counts = np.unique(colours // 4, axis=0, return_counts=True)
    votes = coarse[counts >= 12] * 4 + 2
    sheet = Image.fromarray(votes[np.newaxis].astype(np.uint8))
    return sheet.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=3)


if __name__ == "__main__":
    main()
