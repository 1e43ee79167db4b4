"""The officer's page at 100,000 events: making it, opening it, checking it in the browser.

The peak is that of Python: the browser's memory is not in it.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from _measure import Side, Work, main

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.audit.report.browser import Browser, find_browser
from tests.audit.report.node_check import NODE, verifier_source

EVENTS = 100_000
SESSIONS = 8
GROUPS = {"100 events for each seal": 100, "a seal for each event": 1}
LIMIT_S = 3.0
NO_BROWSER = "" if find_browser() else "there is no Chromium on this computer"
NO_NODE = "" if NODE else "there is no node on this computer"
_NODE_PROGRAM = """
const fs = require("fs");
const files = JSON.parse(fs.readFileSync(0, "utf8")).map(([file, path]) => (
  { file, bytes: new Uint8Array(fs.readFileSync(path)) }));
(async () => {
  const before = process.cpuUsage();
  const checked = await checkLog(files, []);
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({
    red: checked.findings.filter(({ level }) => level === "red").length,
    events: checked.events, seconds: (user + system) / 1e6,
  }));
})();
"""


def prepare(folder: Path) -> None:
    """Write both logs and their pages."""
    for group in GROUPS.values():
        own = folder / str(group)
        write_log(own, group)
        (own / "report.html").write_bytes(page(own))


def write_log(own: Path, group: int) -> None:
    """Write sessions of opens and saves by three people, each about 650 bytes."""
    from tests.audit.bench import SAVE, Bench

    own.mkdir()
    bench = Bench(own)
    for _ in range(SESSIONS):
        with bench.open() as log:
            for _ in range(EVENTS // SESSIONS // group):
                log.append_many([SAVE] * group)


def page(own: Path) -> bytes:
    """Return the page of a log: verified, gathered, written."""
    from napari_medlabel.audit.report.gather import facts_of, log_bytes
    from napari_medlabel.audit.report.page import page_of

    facts = facts_of(own / "audit", state=own / "state", now_ms=1_795_400_000_000)
    return page_of(facts, log_bytes(own / "audit", facts.verdict))


def made(group: int, folder: Path) -> Side:
    """Make the page: the verification of the whole log is in it."""

    def run(_number: int) -> None:
        page(folder / str(group))

    return Side(run)


def opened(group: int, folder: Path) -> Side:
    """Open the page; the page itself says after how long all of it could be used."""
    browser = Browser(str(find_browser())).__enter__()

    def run(_number: int) -> float:
        browser.open(folder / str(group) / "report.html")
        return browser.ready(120) / 1000

    return Side(run, done=partial(browser.__exit__, None, None, None))


def rechecked(group: int, folder: Path) -> Side:
    """Press the button "Check again in this browser"."""
    browser = Browser(str(find_browser())).__enter__()

    def run(_number: int) -> float:
        browser.open(folder / str(group) / "report.html")
        browser.ready(120)
        browser.click("#check")
        result = "document.querySelector('#check-result').dataset"
        verdict = browser.wait(f"{result}.verdict", 300)
        if verdict == "red":
            raise SystemExit("The log that was just written is red in the browser.")
        return float(browser.wait(f"{result}.ms")) / 1000

    return Side(run, done=partial(browser.__exit__, None, None, None))


def searched(group: int, folder: Path) -> Side:
    """Search all raw lines for a word that none has, and one that all have."""
    browser = Browser(str(find_browser())).__enter__()
    browser.open(folder / str(group) / "report.html")
    browser.ready(120)

    def run(number: int) -> float:
        word = ("no such word", "mask.save voxels_added")[number % 2]
        return float(
            browser.value(
                "(() => { const begun = performance.now();"
                f"document.querySelector('#filter-words').value = {json.dumps(word)};"
                "document.querySelector('#all-events form').requestSubmit();"
                "document.body.offsetHeight; return performance.now() - begun; })()"
            )
        ) / 1000  # fmt: skip

    return Side(run, done=partial(browser.__exit__, None, None, None))


def in_node(group: int, folder: Path) -> Side:
    """Run the page's verifier in node; the seconds are of the CPU."""
    root = folder / str(group) / "audit"
    files = [(p.relative_to(root).as_posix(), str(p)) for p in sorted(root.rglob("*.jsonl"))]

    def run(_number: int) -> float:
        done = subprocess.run(
            [str(NODE), "--eval", verifier_source() + _NODE_PROGRAM],
            input=json.dumps(files).encode(),
            capture_output=True,
            check=True,
            timeout=300,
        )
        told: dict[str, Any] = json.loads(done.stdout)
        if told["red"] or told["events"] < EVENTS:
            raise SystemExit("The log that was just written is red in node.")
        return float(told["seconds"])

    return Side(run)


def allowed(_folder: Path) -> Side:
    """Three seconds, the goal of the page."""
    return Side(lambda _number: LIMIT_S)


def packed(group: int, folder: Path) -> Side:
    """Only compress and encode the same log: what no page with the log in it can avoid."""
    import zlib

    root = folder / str(group) / "audit"
    data = [path.read_bytes() for path in sorted(root.rglob("*.jsonl"))]

    def run(_number: int) -> None:
        squeeze = zlib.compressobj(6, zlib.DEFLATED, 31)
        base64.b64encode(b"".join(map(squeeze.compress, data)) + squeeze.flush())

    return Side(run)


def works() -> list[Work]:
    """Return the rows."""
    rows = []
    for words, group in GROUPS.items():
        rows += [
            Work(
                f"page of 100,000 events, {words}: making it, verification included",
                partial(made, group),
                "compressing the log alone",
                partial(packed, group),
                None,
                1,
            ),
            Work(
                f"page of 100,000 events, {words}: opening until all can be used",
                partial(opened, group),
                "the limit, 3 s",
                allowed,
                1.0,
                3,
                inside=lambda _folder: None,
                unable=NO_BROWSER,
            ),
            Work(
                f"page of 100,000 events, {words}: a search through every line",
                partial(searched, group),
                "the limit, 3 s",
                allowed,
                1.0,
                4,
                inside=lambda _folder: None,
                unable=NO_BROWSER,
            ),
            Work(
                f"page of 100,000 events, {words}: check again in this browser",
                partial(rechecked, group),
                "the same in node, CPU",
                partial(in_node, group),
                None,
                1,
                inside=lambda _folder: None,
                unable=NO_BROWSER or NO_NODE,
            ),
        ]
    return rows


WORKS = works()

if __name__ == "__main__":
    main(__file__, WORKS, prepare)
