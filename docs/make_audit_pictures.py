"""Make the pictures of the officer's page from the log of an invented ward.

Run ``python docs/make_audit_pictures.py``; it needs Chromium. Three people work for a week at
three computers, which the site trusts. The last picture is of the same page after one byte of
the log inside it was changed.
"""

from __future__ import annotations

import base64
import gzip
import re
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from napari_medlabel.audit.disk import SystemIo
from napari_medlabel.audit.format.event import Actor, ObjectRef
from napari_medlabel.audit.format.layout import SITE, object_file, site_version
from napari_medlabel.audit.keys.install import InstallKey
from napari_medlabel.audit.keys.pins import pin_officer
from napari_medlabel.audit.keys.signatures import SigningKey
from napari_medlabel.audit.keys.site import (
    Install,
    Officer,
    Policy,
    Site,
    parse_site,
    site_document,
)
from napari_medlabel.audit.report.gather import facts_of, log_bytes
from napari_medlabel.audit.report.page import page_of
from napari_medlabel.audit.writer.seat import Identity, Seat
from napari_medlabel.audit.writer.steady import SteadyLog
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.io.nifti.write import write_mask_nifti
from tests.audit.report.browser import Browser, find_browser

PICTURES: Final = Path(__file__).parent / "pictures"
MONDAY: Final = int(datetime(2026, 11, 16, tzinfo=UTC).timestamp() * 1000)
HOUR_MS: Final = 3_600_000
WRITERS: Final = ("w3f1c9a5b7d2e4680", "w8a2b4c6d1e3f5079", "wc0ffee1234567890")
PEOPLE: Final = ("u1-" + "a3" * 8, "u1-" + "b7" * 8, "u1-" + "c9" * 8)
NAMES: Final = dict(zip(PEOPLE, ("Dr. Anna Amsel", "Ben Buche", "Clara Celik"), strict=True))
PATIENTS: Final = tuple(f"s1-{sha256(bytes([n])).hexdigest()[:32]}" for n in range(12))
RULES: Final = "sha256:" + "5e" * 32


class WardClock:
    """Shows what the story says; a little time passes at each look."""

    def __init__(self) -> None:
        self.now_ms = MONDAY

    def utc_ms(self) -> int:
        """Return milliseconds since 1970."""
        self.now_ms += 3
        return self.now_ms

    def mono_ns(self) -> int:
        """Return nanoseconds on a clock that nobody sets."""
        return (self.now_ms - MONDAY) * 1_000_000

    def go(self, day: int, hour: float) -> None:
        """Go to an hour of a day, from Monday; never back."""
        self.now_ms = max(self.now_ms, MONDAY + int((day * 24 + hour) * HOUR_MS))


def digest(number: int) -> str:
    """Return the digest that stands for a content of the story."""
    return f"sha256:{sha256(str(number).encode()).hexdigest()}"


class Ward:
    """Three computers with one log."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "audit"
        self.states = [folder / f"state{number}" for number in range(3)]
        self.clock = WardClock()
        keys = [InstallKey(SigningKey(bytes([number] * 32))) for number in (1, 2, 3)]
        officer = SigningKey(bytes([9] * 32))
        site = Site(
            "ward-3",
            1,
            MONDAY,
            officers=(Officer(officer.public),),
            installs=tuple(
                Install(writer, key.public, MONDAY)
                for writer, key in zip(WRITERS, keys, strict=True)
            ),
            policy=Policy(validated=("0.1.0",)),
        )
        for place in (self.root / SITE, self.root / site_version(1)):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(site_document(site, officer))
        for state in self.states:
            pin_officer(state, site.name, officer.public)
        policy = parse_site((self.root / SITE).read_bytes()).digest
        self.seats = [
            Seat(
                self.root,
                state,
                "ward-3",
                writer,
                Actor(user, "reviewer" if user == PEOPLE[2] else "annotator"),
                self.clock,
                SystemIo(),
                Identity(install=key, policy=policy, validated=("0.1.0",)),
            )
            for state, writer, user, key in zip(self.states, WRITERS, PEOPLE, keys, strict=True)
        ]

    def work(self) -> None:
        """Live through the week."""
        for day in range(5):
            with ExitStack() as open_logs:
                logs: list[SteadyLog] = []
                for number, seat in enumerate(self.seats):
                    self.clock.go(day, 8 + number / 10)
                    logs.append(open_logs.enter_context(SteadyLog(seat)))
                self._cases(day, logs)
                if day == 1:
                    self._clean_export(logs[0])
                if day == 3:
                    self._late_change(logs[1])
                    self._kept_export(logs[0])
                self.clock.go(day, 17)
                for log in logs:
                    log.beat()
                if day == 2:
                    self.clock.go(day, 22.4)
                    self._look(logs[1], PATIENTS[9])

    def _cases(self, day: int, logs: Sequence[SteadyLog]) -> None:
        for number in range(6):
            self.clock.go(day, 8.5 + number)
            patient = PATIENTS[(2 * day + number) % 9]
            case, who = digest(100 + (2 * day + number) % 9), number % 2
            detail = {"format": "dicom", "modality": "CT", "assignment": digest(7)}
            logs[who].append("volume.open", subject=[patient], detail=detail)
            self._save(logs[who], patient, day * 10 + number, day * 10 + number + 1)
            self.clock.go(day, 9.2 + number)
            logs[who].append("review.submit", subject=[patient], detail={"case": case})
            logs[2].append("volume.open", subject=[patient], detail=detail)
            logs[2].append("review.approve", subject=[patient], detail={"case": case})

    def _save(self, log: SteadyLog, patient: str, old: int, new: int) -> None:
        for number in (old, new):
            self._keep(number)
        objects = (
            ObjectRef(digest(1000 + old), "old", "mask"),
            ObjectRef(digest(1000 + new), "new", "mask"),
        )
        change = {"labels": [1, 2], "voxels_added": 1832, "voxels_removed": 77}
        detail = {**change, "slices": "112-140"}
        log.append(
            "mask.save", subject=[patient], detail=detail, objects=objects, reason="CORRECTION"
        )

    def _keep(self, number: int) -> None:
        path = self.root / object_file(digest(1000 + number))
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        i, j, k = np.indices((96, 96, 24))
        big = ((i - 40 - number % 7) / 26) ** 2 + ((j - 48) / 30) ** 2 + ((k - 12) / 9) ** 2
        small = ((i - 66) / 9) ** 2 + ((j - 40 + number % 5) / 9) ** 2 + ((k - 12) / 5) ** 2
        labels = (big < 1).astype(np.uint8)
        labels[small < 1] = 2
        write_mask_nifti(path, labels, None, False, Affine(np.diag([1.0, 1.0, 3.0, 1.0])))

    def _look(self, log: SteadyLog, patient: str) -> None:
        log.append(
            "volume.open", subject=[patient], detail={"format": "dicom", "modality": "CT"}
        )

    def _late_change(self, log: SteadyLog) -> None:
        self.clock.go(3, 15.2)
        self._save(log, PATIENTS[6], 30, 33)

    def _clean_export(self, log: SteadyLog) -> None:
        self.clock.go(1, 15)
        detail = {
            "destination": "folder", "format": "nifti", "profile": "basic", "edition": "2026c",
            "profile_hash": RULES, "deidentified": True, "retained": 0,
        }  # fmt: skip
        self._export(log, detail, 48)

    def _kept_export(self, log: SteadyLog) -> None:
        self.clock.go(3, 16)
        log.append(
            "deid.override", detail={"tag": "00101010", "profile": "basic"}, reason="PROTOCOL"
        )
        detail = {
            "destination": "removable", "format": "dicom", "profile": "basic-options",
            "edition": "2026c", "profile_hash": RULES, "deidentified": True, "retained": 2,
            "retained_tags": ["00100040", "00101010"],
            "options": ["retain-patient-characteristics", "shift-dates"],
        }  # fmt: skip
        self._export(log, detail, 1204)

    def _export(self, log: SteadyLog, detail: dict[str, object], files: int) -> None:
        log.append("export.begin", subject=PATIENTS[:4], detail=detail)
        self.clock.now_ms += 40_000
        done = {**detail, "files": files, "cases": 4, "manifest": digest(files)}
        log.append("export.done", subject=PATIENTS[:4], detail=done)


def changed(page: bytes) -> bytes:
    """Return a page in whose log one byte is another."""
    found = re.search(rb'(id="log-bytes">)([^<]*)<', page)
    if found is None:
        raise SystemExit("The page holds no log.")
    log = gzip.decompress(base64.b64decode(found[2]))
    at = log.index(b'"files":1204') + len(b'"files":')
    log = log[:at] + b"2" + log[at + 1 :]
    return page.replace(found[2], base64.b64encode(gzip.compress(log, mtime=0)))


def scroll_to(browser: Browser, part: str) -> None:
    """Show a part at the top of the window."""
    browser.value(f"document.querySelector('{part}').scrollIntoView({{behavior: 'instant'}})")


def take(folder: Path) -> None:
    """Open the pages and take the pictures."""
    program = find_browser()
    if program is None:
        raise SystemExit("There is no Chromium on this computer.")
    with Browser(program) as browser:
        browser.size(1240, 860)
        schemes = {"light": "audit-report-light.png", "dark": "audit-report-dark.png"}
        for scheme, picture in schemes.items():
            browser.prefer(scheme)
            browser.open(folder / "report.html")
            browser.ready()
            browser.click("#check")
            browser.wait("document.querySelector('#check-result').dataset.verdict")
            browser.picture(PICTURES / picture, whole=False)
        browser.prefer("light")
        parts = {
            "#exports": "audit-exports.png",
            "#changes": "audit-changes.png",
            "#events": "audit-events.png",
        }
        for part, picture in parts.items():
            scroll_to(browser, part)
            browser.picture(PICTURES / picture, whole=False)
        browser.open(folder / "changed.html")
        browser.ready()
        browser.click("#check")
        browser.wait("document.querySelector('#check-result').dataset.verdict")
        scroll_to(browser, "body")
        browser.picture(PICTURES / "audit-changed.png", whole=False)


def main() -> None:
    """Write docs/pictures/audit-*.png."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ward = Ward(folder)
        ward.work()
        now_ms = ward.clock.now_ms + 1_000_000
        facts = facts_of(ward.root, state=ward.states[0], now_ms=now_ms, names=NAMES)
        print(facts.verdict.sentence)
        for finding in facts.verdict.findings:
            print(finding.level, finding.code, finding.text, finding.file)
        page = page_of(facts, log_bytes(ward.root, facts.verdict))
        (folder / "report.html").write_bytes(page)
        (folder / "changed.html").write_bytes(changed(page))
        take(folder)


if __name__ == "__main__":
    main()
