"""The page of a review folder: each waiting image with views in which writing would be seen."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medlabel.deid.report.face_views import face_views
from napari_medlabel.deid.report.html_page import document, figure
from napari_medlabel.deid.report.look_words import words_of
from napari_medlabel.deid.report.pictures import LARGE, SMALL, Picture, views_of

if TYPE_CHECKING:
    from napari_medlabel.deid.report.waiting import Waiting

FEW = 60
"""Up to how many images the pictures are large."""

_INTRODUCTION = """
<h1>Images that wait for your eyes</h1>
<p>These images were de-identified, but a program cannot be sure about their pixels. Look at
each of them: is there a name, a number, a date, a face? The last view of an image has its
contrast raised so that faint writing shows. A series whose face was removed is one entry: the
head from three sides, and a slice through its middle. Nothing here has left yet.</p>
<p>Then accept what may leave, by its token, and reject the rest:</p>
<pre><code>medlabel deid review FOLDER --accept TOKEN --reject TOKEN --into DST</code></pre>
<p class="soft">FOLDER is the folder of this page. Accepted images (all files of a series)
move to DST, rejected ones are deleted here; the scans that they were made from are not touched.
Each decision is written into the audit log. The de-identification panel in napari does the
same with buttons.</p>
"""


def views_of_waiting(
    folder: Path, each: Waiting, alt: str, *, largest: int = LARGE
) -> tuple[Picture, ...]:
    """Return the pictures that one decision needs.

    Parameters
    ----------
    folder : Path
        The review folder with the files.
    each : Waiting
        What waits.
    alt : str
        What it is, in words.
    largest : int
        Rows and columns at most.

    Returns
    -------
    tuple of Picture
        Of a series whose face was removed: the head from three sides, and a slice. Of an
        image: views in which writing would be seen; after those of the head where that is
        a volume by itself.
    """
    head = face_views(each.path(folder), alt, largest=largest) if each.shows_head else ()
    if len(each.files) > 1:
        return head or views_of(each.files[len(each.files) // 2].path(folder), alt)
    return (*head, *views_of(each.path(folder), alt, largest=largest))


def page(folder: Path, waiting: Sequence[Waiting]) -> bytes:
    """Return the page.

    Parameters
    ----------
    folder : Path
        The review folder with the files.
    waiting : sequence of Waiting
        Those that still wait.

    Returns
    -------
    bytes
        One HTML file with the pictures in it, without identity and without paths.
    """
    largest = LARGE if len(waiting) <= FEW else SMALL
    if not waiting:
        body = "<h1>Nothing waits for your eyes</h1><p>All images here are decided.</p>"
        return document("Review: nothing waits", body)
    files = sum(len(each.files) for each in waiting)
    count = f"<strong>{len(waiting)}</strong> waiting"
    count += f", {files} files" if files > len(waiting) else ""
    parts = [_INTRODUCTION, f"<p>{count}.</p>"]
    for number, each in enumerate(waiting, start=1):
        parts.append(f"<h2>{number}. <code>{escape(each.token)}</code></h2>")
        reasons = "".join(f"<li>{escape(words_of(look))}</li>" for look in each.look)
        parts.append(f"<ul>{reasons}</ul>" if reasons else "")
        views = views_of_waiting(folder, each, f"Image {number}", largest=largest)
        if views:
            shown = "".join(figure(view, view.alt.partition(", ")[2]) for view in views)
            parts.append(f'<div class="views">{shown}</div>')
        else:
            parts.append("<p>No picture could be drawn: open the file in a viewer.</p>")
        name = escape("/".join(each.name))
        many = f"All {len(each.files)} files of" if len(each.files) > 1 else "File"
        parts.append(f'<p class="soft">{many} <code>{name}</code></p>')
    return document(f"Review: {len(waiting)} images wait", "\n".join(parts))
