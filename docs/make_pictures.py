"""Make every picture of README and docs from the sample scans, in a real napari window.

Run with ``make pictures``. The scans are invented, so no picture can show a patient; log, state
and saved files go to a folder that is removed afterwards.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from napari_medlabel import samples
from napari_medlabel.model import presets
from napari_medlabel.session.opening import Wishes, open_case

if TYPE_CHECKING:
    from napari_medlabel.session.case import Session

PICTURES: Final = Path(__file__).parent / "pictures"
SIZE: Final = (1600, 1000)
_MASK, _MARKS = "ct_abdomen_mask.nii.gz", "ct_abdomen_landmarks.mrk.json"
_LARGEST: Final = 400_000  # bytes of one picture


def main() -> None:
    """Write all pictures into docs/pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        os.environ["MEDLABEL_STATE_DIR"] = str(root / "state")
        os.environ["MEDLABEL_AUDIT_DIR"] = str(root / "audit")
        # Only now: these read the two folders when they open the log.
        from napari_medlabel.plugin.workplace import WORKPLACE

        try:
            window_pictures(root / "first")
            recovery_picture(root / "second")
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
    dock.desk.go_to("L1 top")
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


def keep(viewer: Any, name: str, crop: tuple[int, int, int, int] | None = None) -> None:
    """Write the window, or a part of it (left, top, right, bottom), as a small PNG.

    Raises
    ------
    SystemExit
        When the picture is larger than a repository should carry.
    """
    from PIL import Image

    pixels = viewer.screenshot(canvas_only=False, flash=False)[..., :3]
    picture = Image.fromarray(np.ascontiguousarray(pixels)).crop(crop)
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
    from PIL import Image

    colours = np.array(picture).reshape(-1, 3)
    coarse, counts = np.unique(colours // 4, axis=0, return_counts=True)
    votes = coarse[counts >= 12] * 4 + 2
    sheet = Image.fromarray(votes[np.newaxis].astype(np.uint8))
    return sheet.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=3)


if __name__ == "__main__":
    main()
