from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from napari_medlabel.audit.check.verdict import LogReport
from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.format.finding import Finding
from napari_medlabel.audit.report.page import page_of
from napari_medlabel.audit.report.page_document import SCRIPTS, STYLES, asset
from napari_medlabel.audit.report.page_markup import Markup, counted, moment, tag, token, zone
from tests.audit.bench import Bench
from tests.audit.report.page_facts import (
    BUNDLE,
    BUNDLE_BYTES,
    HOSTILE,
    USER,
    amber,
    empty_facts,
    green,
    log_bytes,
    rich_facts,
    small_log,
)

NEVER_CLOSED = {"meta", "img", "input", "br", "hr"}


class Reader(HTMLParser):
    """Collects elements, and what is wrong with their nesting."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: list[tuple[dict[str, str | None], str]] = []
        self.words: list[str] = []

    def handle_starttag(self, name: str, given: list[tuple[str, str | None]]) -> None:
        self.elements.append((name, dict(given)))
        if name in {"script", "style"}:
            self.blocks.append((dict(given), ""))
        if name not in NEVER_CLOSED:
            self.open.append(name)

    def handle_startendtag(self, name: str, given: list[tuple[str, str | None]]) -> None:
        self.elements.append((name, dict(given)))

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"script", "style"}:
            given, before = self.blocks[-1]
            self.blocks[-1] = (given, before + data)
        else:
            self.words.append(data)


@pytest.fixture
def report(bench: Bench) -> LogReport:
    small_log(bench)
    return green(verify_log(bench.root, state=bench.state))


def read(page: bytes) -> Reader:
    reader = Reader()
    reader.feed(page.decode("utf-8"))
    reader.close()
    assert reader.open == []
    return reader


def words_of(page: bytes) -> str:
    return " ".join(" ".join(read(page).words).split())


def block(reader: Reader, identity: str) -> str:
    return next(inner for given, inner in reader.blocks if given.get("id") == identity)


def test_all_parts_come_in_the_order_of_their_weight(report: LogReport, bench: Bench) -> None:
    page = page_of(rich_facts(report), log_bytes(bench)).decode()
    parts = [
        "verdict", "code", "integrity", "exports", "access", "changes", "software", "failures",
        "review", "events", "downloads", "limits",
    ]  # fmt: skip
    places = [page.index(f'id="{part}"') for part in parts]
    assert all(one < other for one, other in pairwise(places))
    assert [m for m in re.findall(r'href="#(\w+)"', page) if m != "main"] == parts


def test_a_hostile_name_stays_text_everywhere(report: LogReport, bench: Bench) -> None:
    page = page_of(rich_facts(report), log_bytes(bench))
    reader = read(page)
    assert HOSTILE in "".join(reader.words)
    scripts = [given for name, given in reader.elements if name == "script"]
    kinds = [given.get("type") for given in scripts]
    assert kinds == ["application/json", "application/json", "application/gzip+base64", None]
    assert b"<script>alert" not in page
    assert json.loads(block(reader, "facts"))["names"] == {USER: HOSTILE}
    assert "<" not in block(reader, "facts")


def test_the_policy_names_this_script_and_style_and_nothing_else(
    report: LogReport, bench: Bench
) -> None:
    reader = read(page_of(rich_facts(report), log_bytes(bench)))
    given = [g for name, g in reader.elements if name == "meta" and "http-equiv" in g]
    assert len(given) == 1
    rules = dict(
        part.split(" ", 1) if " " in part else (part, "")
        for part in (given[0]["content"] or "").split("; ")
    )
    for name, identity in (("script-src", None), ("style-src", None)):
        inner = [
            text for g, text in reader.blocks
            if not g and (text.startswith('"use strict"') == (name == "script-src"))
        ]  # fmt: skip
        wanted = base64.b64encode(sha256(inner[0].encode()).digest()).decode()
        assert identity is None
        assert len(inner) == 1
        assert rules[name] == f"'sha256-{wanted}'"
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert "unsafe" not in str(rules)
    assert "connect-src" not in rules


def test_nothing_in_the_page_points_outside_or_carries_a_style(
    report: LogReport, bench: Bench
) -> None:
    reader = read(page_of(rich_facts(report), log_bytes(bench)))
    for name, given in reader.elements:
        assert "style" not in given
        assert not [key for key in given if key.startswith("on")]
        for key in ("src", "href"):
            target = given.get(key) or "#"
            assert target.startswith(("#", "data:image/png;base64,")), name
    assert [g["alt"] for n, g in reader.elements if n == "img"] == [
        "Mask before and after, slice 1 of those changed"
    ] * 2


def test_the_log_inside_is_byte_for_byte_the_log(report: LogReport, bench: Bench) -> None:
    files = log_bytes(bench)
    reader = read(page_of(rich_facts(report), files))
    packed = gzip.decompress(base64.b64decode(block(reader, "log-bytes")))
    assert packed == b"".join(data for _, data in files)
    listed = json.loads(block(reader, "log-files"))["files"]
    assert [(one["file"], one["length"]) for one in listed] == [
        (name, len(data)) for name, data in files
    ]


def test_the_same_facts_give_the_same_page(report: LogReport, bench: Bench) -> None:
    facts = rich_facts(report)
    assert page_of(facts, log_bytes(bench)) == page_of(facts, iter(log_bytes(bench)))


def test_without_a_script_the_facts_are_words(report: LogReport, bench: Bench) -> None:
    said = words_of(page_of(rich_facts(report), log_bytes(bench)))
    for words in (
        "Complete and unaltered", "What to do.", "2 retained", "PatientSex (0010,0040)",
        "PatientAge (0010,1010): PROTOCOL", "0 retained", "not de-identified",
        "the log does not say", "no end in the log", "Failed because",
        "4 accesses: 2 unexplained, 1 explained but outside working hours",
        "not approved again", "approved again", "0.931", "not known", "none given",
        "not validated", "Policy set.", "Signing failed.", "Nobody", "not due yet",
        "What this cannot prove", "HIPAA 164.312(b)", "key revoked", "69 days", "37 min", "3 h",
        "certified; 2 earlier sessions vouched for", "Receipt sha256:efefefef",
        "certified; 1 earlier session vouched for; 1 session without its key",
        "This needs JavaScript", "an.unknown.event", "medlabel audit review",
    ):  # fmt: skip
        assert words.lower() in said.lower(), words


def test_the_worst_export_comes_first_and_a_clean_one_needs_one_line(
    report: LogReport, bench: Bench
) -> None:
    facts = rich_facts(report)
    said = words_of(page_of(facts, log_bytes(bench)))
    begun = [
        said.index(f"Retained identifiers {words}")
        for words in ("2 retained", "0 retained", "not de-identified", "retained identifiers: ")
    ]
    assert begun == sorted(begun)
    assert begun[-1] < said.index("Exports with nothing retained")
    clean = replace(facts, exports=facts.exports[:1])
    said = words_of(page_of(clean, log_bytes(bench)))
    assert "1 export. 0 retained" in said
    assert "with retained identifiers" not in said


def test_an_empty_log_is_said_to_be_empty(report: LogReport) -> None:
    said = words_of(page_of(empty_facts(report), []))
    for words in (
        "Audit report of this site", "there is nothing to keep on paper", "Nothing left",
        "No computer has written yet.", "No access is unexplained.", "There were none.",
        "Nothing was changed after approval.", "Nobody has reviewed this log yet.",
    ):  # fmt: skip
        assert words in said, words
    assert "The next review is due" not in said


def test_each_verdict_says_what_to_do(report: LogReport) -> None:
    red = Finding("red", "BROKEN", "The log was changed here.", "writers/x.jsonl", 7)
    note = Finding("note", "RECOVERED", "It ended without closing.")
    unsure = Finding("amber", "OPEN", "Not closed.", "writers/y.jsonl")
    page = page_of(empty_facts(amber(report, red, note, unsure)), [])
    said = words_of(page)
    assert "Keep the log's folder exactly as it is" in said
    assert "writers/x.jsonl, line 7" in said
    assert "gets no code" in said
    assert "1 note that change nothing" in said.replace("changes", "change")
    assert b'class="verdict red"' in page
    page = page_of(empty_facts(amber(report, unsure)), [])
    assert "Read the points below" in words_of(page)
    assert b'class="verdict amber"' in page


def test_a_ruin_does_not_flood_the_page(report: LogReport, bench: Bench) -> None:
    red = Finding("red", "BROKEN", "The log was changed here.", "writers/x.jsonl", 7)
    facts = rich_facts(amber(report, *[red] * 201))
    facts = replace(
        facts,
        accesses=facts.accesses[:1] * 301,
        failures=facts.failures * 302,
        late_changes=facts.late_changes[:1] * 303,
        config_changes=facts.config_changes * 304,
        exports=facts.exports[-1:] * 305 + facts.exports[:1] * 306,
        review_overdue=True,
    )
    said = words_of(page_of(facts, log_bytes(bench)))
    for words in (
        "And 1 more of this kind.", "1 more accesses", "2 more failures", "3 more changes",
        "4 more changes", "5 more exports", "6 more exports", "overdue",
    ):  # fmt: skip
        assert words in said, words


def test_times_are_those_of_the_site() -> None:
    assert moment(0, 330) == '<time datetime="1970-01-01T00:00:00Z">1970-01-01 05:30</time>'
    assert moment(2**60) == "a time that is none"
    assert zone(0) == "UTC"
    assert zone(330) == "UTC+05:30"
    assert zone(-90) == "UTC−01:30"  # noqa: RUF001 - a minus sign


def test_small_parts_say_what_they_are_given() -> None:
    assert token("") == "—"
    assert token("w1") == '<code title="w1">w1</code>'
    assert token("k-1", {"k-1": "<b>"}) == '<bdi>&lt;b&gt;</bdi> <code title="k-1">k-1</code>'
    assert tag("p", None, 3, class_="x", hidden=True, id=False) == '<p class="x" hidden>3</p>'
    assert tag("p", Markup("<i>")) == "<p><i></p>"
    assert counted(1, "event", "events") == "1 event"
    assert counted(1234, "event", "events") == "1\u202f234 events"


def test_every_asset_is_used_short_and_says_its_purpose() -> None:
    from importlib.resources import files

    there = {
        entry.name
        for entry in (files("napari_medlabel.audit.report") / "assets").iterdir()
        if entry.name.endswith((".js", ".css"))
    }
    assert there == {*SCRIPTS, *STYLES}
    for name in there:
        text = asset(name)
        assert text.startswith(("// ", "/* ")), name
        assert text.count("\n") < 400, name
        assert "innerHTML" not in text, name
        assert not re.search(r"\beval\(|\bfetch\(|XMLHttp|localStorage|document\.write", text)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


PAIRS = [
    ("ink", "ground", 4.5), ("ink", "card", 4.5), ("quiet", "ground", 4.5),
    ("quiet", "card", 4.5), ("quiet", "plain", 4.5), ("accent", "ground", 4.5),
    ("accent", "card", 4.5), ("on-accent", "accent", 4.5), ("on-green", "green", 4.5),
    ("on-amber", "amber", 4.5), ("on-red", "red", 4.5), ("on-plain", "plain", 4.5),
    ("edge", "card", 3.0), ("edge", "ground", 3.0), ("on-green", "card", 4.5),
    ("on-amber", "card", 4.5), ("on-red", "card", 4.5),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sheet", "part"),
    [("base.css", 0), ("base.css", 1), ("print.css", 0)],
    ids=["light", "dark", "paper"],
)
def test_ink_stands_out_from_its_ground_as_wcag_aa_asks(sheet: str, part: int) -> None:
    block_ = asset(sheet).split(":root {")[part + 1].split("}")[0]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block_))
    for ink, ground, least in PAIRS:
        assert contrast(colours[ink], colours[ground]) >= least, (ink, ground)


def test_a_receipt_is_where_it_can_be(report: LogReport, bench: Bench) -> None:
    facts = rich_facts(report)
    shown = facts.exports[-1] if facts.exports[-1].outcome == "done" else facts.exports[0]
    for change, said in (
        ({}, True), ({"manifest": ""}, False), ({"outcome": "failed"}, False),
        ({"what": "screenshot"}, False),
    ):  # fmt: skip
        export = replace(shown, retained=1, outcome="done", receipt="")
        export = replace(export, **change)  # type: ignore[arg-type]
        page = page_of(replace(facts, exports=(export,)), [])
        assert ("Receipt beside the data" in words_of(page)) is said, change
        assert "Receipt \u2014" not in words_of(page)


def test_files_that_the_page_holds_have_a_button_and_others_a_command(
    report: LogReport, bench: Bench
) -> None:
    facts = rich_facts(report)
    reader = read(page_of(facts, log_bytes(bench), (BUNDLE,)))
    packed = gzip.decompress(base64.b64decode(block(reader, "download-bundle")))
    assert packed == BUNDLE_BYTES
    assert json.loads(block(reader, "facts"))["downloads"] == {
        "raw": {"length": None, "name": "audit-log-2026-11-22-raw.zip",
                "type": "application/zip"},
        "csv": {"length": None, "name": "audit-log-2026-11-22-events.csv", "type": "text/csv"},
        "bundle": {"length": 5120, "name": "audit-log-2026-11-22-evidence.zip",
                   "type": "application/zip"},
    }  # fmt: skip
    offered = [g["data-download"] for _, g in reader.elements if "data-download" in g]
    assert offered == ["raw", "csv", "bundle"]
    said = " ".join(" ".join(reader.words).split())
    assert "5.1 kB" in said
    for kind, name in (("fhir", "ndjson"), ("dicom", "xml"), ("ocsf", "jsonl"),
                       ("art30", "html")):  # fmt: skip
        assert f"medlabel audit export --format {kind} -o FILE.{name}" in said
    assert "--format bundle" not in said


@pytest.mark.parametrize(
    ("length", "words"), [(12, "12 bytes"), (1_000, "1.0 kB"), (2_340_000, "2.3 MB")]
)
def test_sizes_are_short(report: LogReport, bench: Bench, length: int, words: str) -> None:
    page = page_of(rich_facts(report), [], (replace(BUNDLE, length=length),))
    assert words in words_of(page)


def test_no_two_scripts_give_one_name_to_two_things() -> None:
    # They become one function: the later of two functions would silently replace the other.
    found = r"^(?:async )?(?:function\*?|const|let|class) (\w+)"
    names = [n for one in SCRIPTS for n in re.findall(found, asset(one), re.MULTILINE)]
    assert sorted(names) == sorted(set(names))
