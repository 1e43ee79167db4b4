"""The report of a batch as one HTML file that anybody can read in a few minutes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from napari_medlabel import __version__
from napari_medlabel.deid.report.conformance import as_html
from napari_medlabel.deid.report.counts import BatchReport
from napari_medlabel.deid.report.html_page import bars, document, figure, number, table
from napari_medlabel.deid.report.look_words import words_of
from napari_medlabel.deid.report.words import (
    LEFT_OUT,
    MEANING,
    NOTES,
    WHAT_TO_DO,
    option_meaning,
)
from napari_medlabel.deid.rules.option_words import OPTION_WORDS
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import Profile

if TYPE_CHECKING:
    from napari_medlabel.deid.report.pictures import Picture

REVIEW_BEGINS, REVIEW_ENDS = "<!-- review -->", "<!-- /review -->"
"""Between them stands later what people decided about images that waited."""

_FEW = 12  # positions that are named one by one
_TITLES = {option.value: words.title for option, words in OPTION_WORDS.items()}
_KINDS = {
    "dicom": "DICOM",
    "nifti": "NIfTI",
    "nrrd": "NRRD",
    "metaimage": "MetaImage",
    "sidecar": "sidecars",
}
_PROMISES = """
<h2>What this report does not promise</h2>
<ul>
<li>Pixels are looked at only where the table below says so. Without clean-faces, a face can be
drawn from scans of a head.</li>
<li>Who holds the project key or its link table can find the patients again. Keep them
apart from what leaves.</li>
<li>Rare diseases, implants and combinations of facts can single out a person without any name:
whether data is anonymous in the sense of a law is for people to judge.</li>
</ul>
"""


def page(
    report: BatchReport,
    profile: Profile,
    *,
    pictures: Sequence[Picture] = (),
    into: str = "DST",
) -> bytes:
    """Return the report as a page.

    Parameters
    ----------
    report : BatchReport
        What was done.
    profile : Profile
        By which rules.
    pictures : sequence of Picture
        Of cleaned images; from `pictures_of`.
    into : str
        How the target is called in what to do next; never its path.

    Returns
    -------
    bytes
        HTML without scripts and without any request: no identity, no paths, no file names.
    """
    title = "Preview of a de-identification" if report.dry_run else "De-identification report"
    parts = [
        f"<h1>{title}</h1>",
        _verdict(report),
        REVIEW_BEGINS + REVIEW_ENDS,
        _numbers(report),
        *_stays(report, profile),
        *_gone(report),
        *_pixels(report),
        *_not_passed_on(report),
        *_eyes(report, into),
        *_left_out(report),
        *_pictures(pictures),
        _PROMISES.strip(),
        _facts(report),
        "<h2>Conformance statement</h2>",
        "<p>As PS3.15 E.1.3 asks for it, for exactly these rules.</p>",
        as_html(profile),
    ]
    return document(title, "\n".join(part for part in parts if part))


def _passed(report: BatchReport) -> Mapping[str, int]:
    """Files that left, or would, by kind."""
    both = {"dicom": report.dicom, "nifti": report.nifti}
    return report.written or {kind: count for kind, count in both.items() if count}


def _verdict(report: BatchReport) -> str:
    """Say in two lines how it went."""
    passed, left = sum(_passed(report).values()), len(report.quarantined)
    would = "would be" if report.dry_run else "were"
    if left:
        kind, first = "bad", f"{_files(left)} {_would(left, report)} not passed on"
        then = "What to do is said below. All others are clean as the rules say."
        if report.review:
            then += f" {_files(len(report.review))} must be looked at before leaving."
    elif report.review:
        waiting = len(report.review)
        verb = "waits" if waiting == 1 else "wait"
        kind, first = "look", f"{_files(waiting)} {verb} for a person's eyes"
        then = "What waits did not leave yet; all others are clean as the rules say."
    else:
        kind, first = "", "Every scan was cleaned as the rules say"
        then = "Nothing was refused, and nothing waits for a person's eyes."
    if report.dry_run:
        then += " Nothing was written: this is a preview."
    return (
        f'<div class="verdict {kind}"><strong>{first}.</strong> '
        f"{number(passed)} of {_files(report.files)} {would} passed on. {then}</div>"
    )


def _would(count: int, report: BatchReport) -> str:
    if report.dry_run:
        return "would be"
    return "was" if count == 1 else "were"


def _numbers(report: BatchReport) -> str:
    counts = [
        ("files met", report.files),
        *((f"{_KINDS.get(kind, kind)} passed on", n) for kind, n in _passed(report).items()),
        ("patients", report.patients),
        ("not passed on", len(report.quarantined)),
        ("wait for eyes", len(report.review)),
        ("left out", sum(report.skipped.values())),
    ]
    boxes = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{number(count)}</dd></div>" for name, count in counts
    )
    return f'<dl class="numbers">{boxes}</dl>'


def _stays(report: BatchReport, profile: Profile) -> Iterator[str]:
    """Say what is retained, and what that risks."""
    yield "<h2>What stays in the scans</h2>"
    kept = report.kept + report.actions.get("K", 0) + report.actions.get("C", 0)
    yield (
        f"<p>{number(kept)} attributes stay in whole or in part: numbers that describe the "
        "images (sizes, spacings, positions, exposure), terms that the standard defines, and "
        "what an option keeps. Pixels stay bit for bit except where they were blanked.</p>"
    )
    chosen = [option for option in Option if option in profile.options]
    if not chosen:
        yield (
            "<p>No option was chosen: the Basic Profile of PS3.15 removes everything that it "
            "names.</p>"
        )
    else:
        rows = ((_TITLES[o], OPTION_WORDS[o].does, OPTION_WORDS[o].risk) for o in chosen)
        yield table("Chosen options", ("option", "what it does", "what it risks"), rows)
    if profile.site is not None:
        yield "<p>A site's own rules come before the options and the profile.</p>"
    for note, count in report.notes.items():
        words = next((text for key, text in NOTES.items() if key == note), note)
        yield f"<p><strong>{number(count)}</strong>: {escape(words)}</p>"


def _gone(report: BatchReport) -> Iterator[str]:
    """Count by rule and by option."""
    yield "<h2>What was done to attributes</h2>"
    rows = [
        (MEANING[code], code, report.actions[code])
        for code in MEANING
        if code in report.actions
    ]
    rows.append(("passed as they are", "kept", report.kept))
    yield bars("Attributes by what became of them, all files together", ("what", "code"), rows)
    if report.options:
        decided = sorted(report.options.items(), key=lambda item: -item[1])
        yield "<h3>Decided by options</h3>"
        yield bars(
            "Attributes that an option or a site's rule decided about",
            ("what", "option"),
            [(option_meaning(name, _TITLES), name, count) for name, count in decided],
        )


def _pixels(report: BatchReport) -> Iterator[str]:
    if not report.regions and not report.pixel_files:
        return
    yield "<h2>What was done to pixels</h2>"
    files = [(_TITLES.get(name, name), name, n) for name, n in report.pixel_files.items()]
    yield bars("Files by what was carried out on them", ("what", "option"), files)
    if report.regions:
        regions = [(name, "blanked regions", n) for name, n in report.regions.items()]
        yield bars("Blanked regions by what found them", ("found by", "what"), regions)


def _not_passed_on(report: BatchReport) -> Iterator[str]:
    if not report.quarantined:
        return
    yield "<h2>Not passed on</h2>"
    by_reason: dict[str, list[int]] = defaultdict(list)
    for each in report.quarantined:
        by_reason[each.reason].append(each.position)
    rows = []
    for reason, positions in sorted(by_reason.items(), key=lambda item: -len(item[1])):
        todo = next((words for key, words in WHAT_TO_DO.items() if key == reason), "")
        rows.append((str(reason), str(len(positions)), _named(positions), todo))
    yield table("Files by reason", ("reason", "files", "which", "what to do"), rows)
    for fault, count in report.faults.items():
        yield f"<p>Fault in the program: <strong>{escape(fault)}</strong>, {_files(count)}.</p>"
    yield (
        '<p class="soft">File N is the N-th line of '
        "<code>find SRC -type f | LC_ALL=C sort</code>, so that no name needs to stand "
        "here.</p>"
    )


def _eyes(report: BatchReport, into: str) -> Iterator[str]:
    if not report.review:
        return
    yield "<h2>Waiting for a person's eyes</h2>"
    by_look: dict[str, int] = defaultdict(int)
    for each in report.review:
        for look in each.look:
            by_look[look] += 1
    rows = [(str(look), str(n), words_of(look)) for look, n in sorted(by_look.items())]
    yield table("Images by why", ("why", "images", "what to look for"), rows)
    yield (
        "<p>Open <code>index.html</code> in the review folder, or the de-identification panel "
        "in napari, look at each image, and decide:</p><pre><code>medlabel deid review FOLDER "
        f"--accept TOKEN --reject TOKEN --into {escape(into)}</code></pre>"
    )


def _left_out(report: BatchReport) -> Iterator[str]:
    if not report.skipped:
        return
    yield "<h2>Left out</h2>"
    rows = []
    for skip, count in report.skipped.items():
        words = next((text for key, text in LEFT_OUT.items() if key == skip), "")
        rows.append((skip, str(count), words))
    yield table("Files that are no failures", ("what", "files", "meaning"), rows)


def _pictures(pictures: Sequence[Picture]) -> Iterator[str]:
    if not pictures:
        return
    yield "<h2>How cleaned images look</h2>"
    yield f"<p>The middle image of {len(pictures)} series, small.</p>"
    items = "".join(f"<li>{figure(picture, picture.alt)}</li>" for picture in pictures)
    yield f'<ul class="pictures">{items}</ul>'


def _facts(report: BatchReport) -> str:
    rows = [
        ("profile", f"PS3.15 {report.edition}, {report.profile}"),
        ("options", ", ".join(report.chosen) or "none"),
        ("sha256 of the rules", report.profile_sha256),
        ("key", report.key_id),
        ("searched again by the independent scan", "yes" if report.scanned else "no"),
        ("program", f"napari-medlabel {__version__}"),
    ]
    if report.date:
        rows.insert(0, ("date", f"{report.date} (UTC)"))
    return "<h2>How it was made</h2>" + table("Settings", ("what", "value"), rows)


def _named(positions: Sequence[int]) -> str:
    """Name the first files by their positions."""
    first = ", ".join(str(position) for position in positions[:_FEW])
    return first if len(positions) <= _FEW else f"{first} and {len(positions) - _FEW} more"


def _files(count: int) -> str:
    return f"{number(count)} file" + ("" if count == 1 else "s")
