"""The report as a page: whole, without identity or requests, and right in a real browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

from napari_medlabel.deid.report.counts import (
    BatchReport,
    Look,
    Note,
    Quarantined,
    Queued,
    Reason,
    Skip,
)
from napari_medlabel.deid.report.html_page import bars, document, number, table
from napari_medlabel.deid.report.look_words import LOOK_WORDS
from napari_medlabel.deid.report.page import page
from napari_medlabel.deid.report.pictures import Picture, png_of
from napari_medlabel.deid.report.words import LEFT_OUT, MEANING, NOTES, WHAT_TO_DO
from napari_medlabel.deid.rules.profile import load_profile
from napari_medlabel.deid.rules.site_rules import site_rules

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
VOID = {"meta", "img", "rect"}


def report_of(profile, **changed) -> BatchReport:
    values = {
        "profile": profile.name, "edition": profile.edition,
        "profile_sha256": profile.sha256, "key_id": "1a2b3c4d", "dry_run": False,
        "files": 1234, "dicom": 1200, "nifti": 4, "patients": 17,
        "actions": {"X": 33000, "Z": 12000, "D": 200, "private": 80213},
        "kept": 120345, "notes": {}, "skipped": {}, "quarantined": (),
    }  # fmt: skip
    return BatchReport(**{**values, **changed})


@pytest.fixture
def full():
    """A profile with options, and a report in which there is something of everything."""
    chosen = ["shift-dates", "clean-descriptors", "clean-pixels"]
    profile = load_profile(options=chosen, site=site_rules('name = "a"\nversion = "1"'))
    quarantined = [Quarantined(5, "F-1", Reason.UNREADABLE)]
    quarantined += [Quarantined(n, f"F-{n}", Reason.PIXELS_MAY_SHOW) for n in range(20, 40)]
    report = report_of(
        profile,
        notes={Note.FACE.value: 380, "a note of tomorrow": 1},
        skipped={Skip.DICOMDIR.value: 2, "something new": 1},
        quarantined=tuple(quarantined),
        options={"shift-dates": 2311, "site": 7},
        chosen=tuple(sorted(chosen)),
        regions={"text": 44},
        pixel_files={"clean-pixels": 60},
        review=tuple(
            Queued(n, f"F-{n}", ("P-1", "x.dcm"), frozenset({Look.ULTRASOUND}))
            for n in (61, 62)
        ),
        written={"dicom": 1200, "nifti": 4, "sidecar": 9},
        scanned=True,
        date="2026-11-22",
    )
    return profile, report


class Outline(HTMLParser):
    """Headings, images, tags left open, and whatever could load something."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.headings, self.images, self.links = [], [], [], []
        self.columns = self.tables = 0

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            self.images.append(found)
        self.tables += tag == "table"
        self.columns += tag == "th" and found.get("scope") == "col"
        self.links += [found[name] for name in ("src", "href", "action") if name in found]
        assert tag not in {"script", "iframe", "form", "link", "object"}

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in {"h1", "h2"}:
            self.headings.append(data)


def outline(content: bytes) -> Outline:
    result = Outline()
    result.feed(content.decode("utf-8"))
    assert not result.open
    return result


def test_it_is_one_file_that_can_load_nothing(full):
    profile, report = full
    picture = Picture(png_of(np.zeros((4, 6), np.uint8)), 6, 4, "Series 1")
    content = page(report, profile, pictures=[picture])
    found = outline(content)
    text = content.decode("utf-8")
    assert "default-src 'none'; img-src data:" in text
    assert all(link.startswith("data:image/png;base64,") for link in found.links)
    assert [image["alt"] for image in found.images] == ["Series 1"]
    assert found.tables == text.count("<caption>")
    assert found.columns > 20


def test_it_tells_everything_in_order(full):
    profile, report = full
    content = page(report, profile)
    assert outline(content).headings == [
        "De-identification report",
        "What stays in the scans",
        "What was done to attributes",
        "What was done to pixels",
        "Not passed on",
        "Waiting for a person's eyes",
        "Left out",
        "What this report does not promise",
        "How it was made",
        "Conformance statement",
    ]
    text = re.sub(r"<[^>]+>", " ", content.decode("utf-8"))
    text = re.sub(r"[ \n]+", " ", text)
    assert "21 files were not passed on." in text
    assert "1\u2009213 of 1\u2009234 files were passed on." in text
    assert "2 files must be looked at before leaving." in text
    assert "20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31 and 8 more" in text
    assert WHAT_TO_DO[Reason.PIXELS_MAY_SHOW] in text
    assert LOOK_WORDS[Look.ULTRASOUND] in text
    assert NOTES[Note.FACE] in text
    assert "a note of tomorrow" in text
    assert LEFT_OUT[Skip.DICOMDIR] in text
    assert "A site's own rules come before" in text
    for fact in (profile.sha256, "1a2b3c4d", "2026-11-22", "PS3.15 2026c, basic"):
        assert fact in text
    assert "8. Additional restrictions" in text
    assert "F-1" not in text
    assert "x.dcm" not in text


def test_a_clean_run_says_so_and_leaves_out_what_there_is_nothing_of(profile):
    text = page(report_of(profile), profile).decode("utf-8")
    assert "Every scan was cleaned as the rules say." in text
    assert "Nothing was refused, and nothing waits" in text
    assert "No option was chosen" in text
    assert "<td>no</td>" in text
    for heading in ("Not passed on</h2>", "Left out</h2>", "done to pixels", "Waiting for"):
        assert heading not in text


def test_a_preview_says_that_nothing_was_written(profile):
    quarantined = (Quarantined(5, "F-1", Reason.UNREADABLE),)
    text = page(report_of(profile, dry_run=True, quarantined=quarantined), profile).decode()
    assert "Preview of a de-identification" in text
    assert "1 file would be not passed on." in text
    assert "files would be passed on" in text
    assert "Nothing was written: this is a preview." in text


def test_waiting_images_alone_make_a_verdict_of_their_own(profile):
    queued = (Queued(1, "F-1", ("P-1", "a.dcm"), frozenset({Look.FACE})),)
    pixels = report_of(profile, review=queued, pixel_files={"clean-faces": 1})
    text = page(pixels, profile, into="/<DST>").decode()
    assert '<div class="verdict look"><strong>1 file waits for' in text
    assert "--into /&lt;DST&gt;" in text
    assert "Blanked regions" not in text


def test_one_refused_file_is_one(profile):
    quarantined = (Quarantined(5, "F-1", Reason.UNREADABLE),)
    text = page(report_of(profile, quarantined=quarantined), profile).decode()
    assert "1 file was not passed on." in text


def test_every_reason_and_code_has_words():
    assert set(WHAT_TO_DO) == set(Reason)
    assert set(NOTES) == set(Note)
    assert set(LEFT_OUT) == set(Skip)
    assert set(LOOK_WORDS) == set(Look)
    assert set("XZDUKC") <= set(MEANING)


def test_what_stands_in_a_table_is_escaped_and_numbers_stand_right():
    made = table("a <b>", ("x", "n"), [("<i>", "12"), ("b", "3\u2009456")])
    assert "<b>" not in made
    assert "<i>" not in made
    assert made.count('class="n"') == 3
    assert "<thead>" in table("empty", ("x",), [])
    assert number(1234567) == "1\u2009234\u2009567"


def test_bars_grow_with_the_count_and_none_is_invisible():
    made = bars("c", ("what", "code"), [("a", "A", 10000), ("b", "B", 100), ("c", "C", 0)])
    widths = [
        float(width) for width in re.findall(r'<rect class="bar" width="([0-9.]+)"', made)
    ]
    assert widths == [100.0, 10.0, 0.5]
    assert "<tbody></tbody>" in bars("c", ("what", "code"), [])


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this computer")
@pytest.mark.parametrize("width", [1280, 390])
def test_a_real_browser_shows_it_without_scrolling_sideways(full, tmp_path, width):
    profile, report = full
    path = tmp_path / "report.html"
    path.write_bytes(page(report, profile))
    probe = tmp_path / "probe.html"
    probe.write_text(
        f'<iframe id="f" src="report.html" style="width:{width}px;height:900px"></iframe>'
        "<p id=o></p><script>f.onload=()=>{const d=f.contentDocument.documentElement;"
        "o.textContent='WIDTH '+d.scrollWidth+' '+f.contentDocument.querySelectorAll('h2')"
        ".length}</script>"
    )
    shown = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu",
            "--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}",
            "--virtual-time-budget=4000", "--dump-dom", probe.as_uri(),
        ],
        capture_output=True, timeout=90, check=False,
    )  # fmt: skip
    found = re.search(rb"WIDTH ([0-9]+) ([0-9]+)", shown.stdout)
    assert found is not None, shown.stderr[-500:]
    assert int(found[1]) <= width
    assert int(found[2]) == 9


def test_a_page_says_its_language_title_and_policy():
    made = document("a <b>", "<h1>x</h1>").decode()
    assert made.startswith('<!doctype html>\n<html lang="en">')
    assert "<title>a &lt;b&gt;</title>" in made
    assert "no-referrer" in made
