"""A log that is green: a site, a certified workstation, three sessions, a witness."""

from __future__ import annotations

import re
import shutil
from hashlib import sha256
from pathlib import Path

from napari_medlabel.audit.check.verdict import LogReport
from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.format.cosignature import cosign
from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.format.layout import head_note, witness_note
from napari_medlabel.audit.format.note import Note, NoteSignature, head_note_bytes, note_bytes
from napari_medlabel.audit.format.seal import Head, from_base64
from napari_medlabel.audit.keys.signatures import SigningKey, fingerprint
from napari_medlabel.audit.keys.site import Witness
from napari_medlabel.audit.writer.log import AuditLog
from napari_medlabel.audit.writer.seat import Identity
from tests.audit.bench import Bench
from tests.audit.keys.site_bench import INSTALL, OFFICER, site, write_site

PATIENT, OTHER_PATIENT = "s1-" + "3b" * 16, "s1-" + "4c" * 16
WITNESS = SigningKey(b"w" * 32)
WITNESS_NAME = "server"
OPEN = Event("volume.open", subject=(PATIENT,), detail={"format": "dicom", "slices": 40})
DEID = {
    "profile": "basic", "profile_hash": "sha256:" + "ab" * 32, "files": 3, "edition": "2026c",
    "retained": 1, "retained_tags": ["00100040"],
}  # fmt: skip
LEFT = {
    "destination": "removable", "format": "dicom", "files": 3, "deidentified": True,
    "key_id": "k-0123abcd", "profile": "basic", "profile_hash": "sha256:" + "ab" * 32,
}  # fmt: skip
DAY = (
    OPEN,
    Event("deid.run", (PATIENT, OTHER_PATIENT), detail=DEID),
    Event("export.begin", (PATIENT, OTHER_PATIENT), detail={"destination": "removable"}),
    Event("export.done", (PATIENT, OTHER_PATIENT), detail=LEFT),
)
_SEAL = re.compile(rb'"root":"([^"]+)","sig":"([^"]+)","size":([0-9]+)\}\}\n')


def letters() -> str:
    """Return the short code of the officer's key."""
    return fingerprint(OFFICER.public)


def write_log(bench: Bench, sessions: int = 3, *, crash: bool = False) -> None:
    """Write sessions of a certified workstation under a signed site."""
    public = WITNESS.public
    document = write_site(bench.root, site(witnesses=(Witness(WITNESS_NAME, public),)))
    policy = f"sha256:{sha256(document).hexdigest()}"
    for number in range(sessions):
        log = AuditLog.begin(bench.seat(Identity(INSTALL, policy)))
        for event in DAY:
            log.append_many([event, OPEN])
        if crash and number == sessions - 1:
            log._file.release()
            log._memory.release()
        else:
            log.close()
    witness_all(bench)


def go_on(bench: Bench, event: Event = OPEN) -> None:
    """Write one more session, and have all of them cosigned."""
    policy = f"sha256:{sha256((bench.root / 'site.json').read_bytes()).hexdigest()}"
    with AuditLog.begin(bench.seat(Identity(INSTALL, policy))) as log:
        log.append_many([event])
    witness_all(bench)


def witness_all(bench: Bench) -> None:
    """Publish the head of every session and have it cosigned, two seconds from now."""
    bench.clock.utc += 2000
    for path in sorted(bench.root.rglob("*.jsonl")):
        data = path.read_bytes()
        origin = f"medlabel.local/ward-3/{path.relative_to(bench.root).parts[1]}/{path.stem}"
        root, signature, size = _SEAL.findall(data)[-1]
        head = Head(origin, int(size), from_base64(root.decode(), 32))
        own = from_base64(signature.decode(), 68)
        _put(bench.root / head_note(origin), head_note_bytes(head, own))
        line = cosign(WITNESS_NAME, WITNESS, head, bench.clock.utc // 1000)
        note = Note(head.text(), (NoteSignature(origin, own), line))
        _put(bench.root / witness_note(WITNESS_NAME, origin), note_bytes(note))


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def verify(bench: Bench, root: Path | None = None, **more: object) -> LogReport:
    """Verify with the officer's code and nothing that this computer remembers."""
    given: dict[str, object] = {
        "state": None, "officer": letters(), "now_ms": bench.clock.utc,
    }  # fmt: skip
    return verify_log(root or bench.root, **{**given, **more})  # type: ignore[arg-type]


def copy_of(bench: Bench, folder: Path) -> Path:
    """Return a fresh copy of the log, to be broken."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(bench.root, folder)
    return folder
