"""What a person does in the windows of docs/tutorial.md, and the pictures of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from make_pictures import SIZE, pixels_of, settle, settle_until, write
from PIL import Image
from scipy import ndimage

from napari_medlabel import samples
from napari_medlabel.export.mask import load_mask
from napari_medlabel.widgets.study.agreement_window import show_agreement
from napari_medlabel.widgets.study.review_rows import Mark

STUDY: Final = "demo-output/study"
LIVER, RIGHT_KIDNEY = 1, 3
PAINTED: Final = range(12, 24)
"""Slices of the kidney that are painted at first: it reaches from 6 to 27."""


def play(number: int, own: Mapping[str, str]) -> None:
    """Work in the n-th window of the page."""
    from napari_medlabel.plugin.workplace import WORKPLACE
    from napari_medlabel.widgets.window import make_window

    os.environ.update(own)
    viewer, dock = make_window()
    viewer.window.resize(*SIZE)
    try:
        dock.start.paths_requested.emit([STUDY])
        settle_until(lambda: dock.study_desk.work.listing is not None)
        settle(20)
        (read, review, answer, settle_case)[number - 1](dock)
    finally:
        dock.desk.leave(discard=True)
        dock.study_desk.close_study()
        viewer.close()
        settle()
        WORKPLACE.close()


def keep(dock: Any, name: str) -> None:
    """Write the window, without the folder that work was saved in."""
    settle(20)
    dock.status.setText(dock.status.text().partition("\n")[0])
    settle()
    pixels = dock.viewer.screenshot(canvas_only=False, flash=False)[..., :3]
    write(Image.fromarray(np.ascontiguousarray(pixels)), name)


def read(dock: Any) -> None:
    """Paint the kidney, meet a complaint, submit."""
    desk = dock.study_desk
    work = desk.work
    keep(dock, "study-worklist.png")
    desk.guide.guidelines.panel.read_button.click()
    work.list.next_button.click()
    settle_until(lambda: work.notes is not None)
    dock.segment_desk.choose_label(RIGHT_KIDNEY)
    paint_kidney(dock)
    look_at(dock, centre_of(dock, RIGHT_KIDNEY))
    dock.desk.binding.labels.mode = "paint"
    keep(dock, "study-reading.png")
    work.bar.submit_button.click()
    settle_until(work.complaints.isVisible)
    work.complaints.table.cellClicked.emit(0, 1)
    work.complaints.table.selectRow(0)
    before = look_closely(dock)
    keep(dock, "study-complaints.png")
    dock.viewer.camera.zoom = before
    erase_specks(desk.reading.session)
    work.complaints.again_button.click()
    settle_until(lambda: desk.reading is None and not work.is_busy)


def review(dock: Any) -> None:
    """Pin a comment, and send the reading back."""
    desk = dock.study_desk
    decisions, threads = desk.review.decisions, desk.review.threads
    desk.guide.guidelines.panel.read_button.click()
    desk.work.list.review_button.click()
    settle_until(lambda: decisions.under is not None and decisions.panel.table.rowCount() > 0)
    threads.go_to(missing_place(dock))
    threads.panel.text.setText("This slice is missing")
    threads.panel.show_label(RIGHT_KIDNEY)
    threads.panel.pin_button.click()
    settle_until(lambda: threads.open_count == 1 and threads.pins.layer is not None)
    decisions.panel.set_mark(RIGHT_KIDNEY, Mark("fault", ("missed",), ""))
    keep(dock, "study-review.png")
    decisions.panel.reject_button.click()
    settle_until(lambda: dock.session is None)


def answer(dock: Any) -> None:
    """Answer the comment, submit, and look at the agreement."""
    desk = dock.study_desk
    work, threads = desk.work, desk.review.threads
    work.list.next_button.click()
    settle_until(lambda: work.notes is not None and threads.open_count > 0)
    threads.next_open()
    threads.panel.reply.setText("Painted now.")
    dock.viewer.reset_view()
    keep(dock, "study-answer.png")
    while left := threads.open_count:
        threads.panel.resolve_button.click()
        settle_until(lambda now=left: threads.open_count < now)
        threads.next_open()
    paint_kidney(dock, range(8, 28))
    work.bar.submit_button.click()
    settle_until(lambda: desk.reading is None and not work.is_busy)
    agreement(dock)


def agreement(dock: Any) -> None:
    """Compare all readings."""
    desk = dock.study_desk
    desk.compare.button.click()
    window = show_agreement(desk)
    settle_until(lambda: not window.background.is_busy and window.panel.cases.rowCount() == 2)
    window.compare(True, False)
    settle_until(lambda: window.found is not None and not window.background.is_busy)
    panel, sides = window.panel, []
    names = [panel.plot_list.itemText(n) for n in range(panel.plot_list.count())]
    at = next(n for n, name in enumerate(names) if name.startswith("Volumes: Right kidney"))
    for page in (0, 1):
        panel.tabs.setCurrentIndex(page)
        panel.plot_list.setCurrentIndex(at)
        settle(40)
        sides.append(pixels_of(window.frame))
    write(Image.fromarray(np.hstack(sides)), "study-agreement.png")


def settle_case(dock: Any) -> None:
    """Open the case, decide each difference, and write the consensus."""
    desk = dock.study_desk
    compare, listed = desk.compare, desk.work.list
    desk.guide.guidelines.panel.read_button.click()
    line = next(one for one in desk.work.listing.lines if one.kind == "settle")
    listed.choose(line.case, line.slot)
    listed.open_button.click()
    settle_until(lambda: compare.work is not None)
    dock.viewer.reset_view()
    keep(dock, "study-compare.png")
    for _ in range(200):
        if not compare.work.open:
            break
        compare.panel.choices["B"].click()
        compare.panel.step(1)
        settle(2)
    compare.panel.finish.click()
    settle_until(lambda: "Version 1" in compare.notice.text.text())


# -- what the hand does ------------------------------------------------------------------


def paint_kidney(dock: Any, slices: range = PAINTED) -> None:
    """Paint the right kidney in some slices."""
    session = dock.study_desk.reading.session
    true = kidney(session)
    wanted = np.zeros_like(true)
    wanted[..., slices] = true[..., slices]
    box = tuple(slice(at.min(), at.max() + 1) for at in np.nonzero(wanted))
    after = session.labels.array[box].copy()
    after[wanted[box]] = RIGHT_KIDNEY
    session.edit(box, after, name="Paint")
    settle()


def kidney(session: Any) -> Any:
    """Return where the right kidney is, shape (i, j, k)."""
    path = samples.truth("ct_abdomen_mask.nii.gz")
    truth = load_mask(path, session.volume.grid, scheme=session.labels.scheme)
    return truth.array == RIGHT_KIDNEY


def centre_of(dock: Any, value: int) -> Any:
    """Return the middle of a label in RAS mm."""
    session = dock.study_desk.reading.session
    middle = np.array([at.mean().round() for at in np.nonzero(session.labels.array == value)])
    return session.volume.grid.affine.apply(middle)


def missing_place(dock: Any) -> Any:
    """Return where the kidney goes on above what was painted, in RAS mm."""
    session = dock.study_desk.reading.session
    true = kidney(session)
    rows, columns = np.nonzero(true[..., PAINTED.stop])
    ijk = np.array([rows.mean().round(), columns.mean().round(), PAINTED.stop])
    return tuple(float(x) for x in session.volume.grid.affine.apply(ijk))


def look_at(dock: Any, point_ras: Any) -> None:
    """Go to a point, axial."""
    dock.sight_desk.views.go_to_ras(point_ras)


def look_closely(dock: Any) -> float:
    """Go nearer to the cross-hair; return how near it was before."""
    viewer, cross = dock.viewer, dock.sight_desk.views.cross
    before = float(viewer.camera.zoom)
    place = dock.desk.binding.display.points_zyx(np.array(cross.voxel_ijk, dtype=float))
    viewer.camera.center = dock.desk.binding.image.data_to_world(place)
    viewer.camera.zoom = before * 4
    return before


def erase_specks(session: Any) -> None:
    """Take what lies beside the liver away."""
    labels = session.labels.array
    parts, _ = ndimage.label(labels == LIVER)
    largest = np.argmax(np.bincount(parts.ravel())[1:]) + 1
    specks = (parts > 0) & (parts != largest)
    box = tuple(slice(at.min(), at.max() + 1) for at in np.nonzero(specks))
    after = labels[box].copy()
    after[specks[box]] = 0
    session.edit(box, after, name="Erase")
