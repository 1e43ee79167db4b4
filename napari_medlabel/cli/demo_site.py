"""The demonstration's own site: a workstation's key, an officer, a witness, all in its folder.

At work these are three accounts: whoever annotates, the officer, and a witness that nobody of
both can write to. Here one program plays them all, to show what a confirmed log looks like.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from napari_medlabel.audit.check.verdict import LogReport
    from napari_medlabel.audit.keys.signatures import SigningKey
    from napari_medlabel.session.desk import Desk

SITE: Final = "demo"
WITNESS: Final = "demo-witness"


@dataclass(frozen=True)
class DemoSite:
    """What the demonstration made before its log began.

    Parameters
    ----------
    root, state : Path
        Folder of the log; the workstation's own folder.
    passphrase : str
        Of the workstation's key; random, kept nowhere.
    witness : SigningKey
        Key of the witness; kept nowhere.
    events : tuple of (str, dict)
        What the log is told as soon as it is open.
    """

    root: Path
    state: Path
    passphrase: str
    witness: SigningKey
    events: tuple[tuple[str, dict[str, object]], ...]

    def open_desk(self) -> Desk:
        """Begin the log, certified, and tell it which keys were made.

        Raises
        ------
        LogError
            When it cannot be written.
        """
        from napari_medlabel.session.desk import open_desk

        desk = open_desk(self.root, state=self.state, ask=lambda: self.passphrase)
        for event, detail in self.events:
            desk.log.append(event, detail=detail)
        return desk

    def look(self) -> None:
        """Let the witness look at the log and cosign what it sees.

        Raises
        ------
        InputError, SaveError
            When the log cannot be read, or the note not be written.
        """
        from napari_medlabel.audit.anchors.witness import WitnessMemory, cosign_log
        from napari_medlabel.audit.check.session_check import check_session
        from napari_medlabel.audit.check.verify import session_paths
        from napari_medlabel.audit.disk import SystemClock
        from napari_medlabel.io.files import make_folder

        memory = WitnessMemory(self.state.with_name("witness"), WITNESS, self.root)
        make_folder(memory.folder)
        sessions = [
            check_session(path, path.relative_to(self.root).as_posix())
            for path in session_paths(self.root)
        ]
        cosign_log(self.root, sessions, memory, self.witness, SystemClock().utc_ms() // 1000)

    def write_page(self, path: Path) -> LogReport:
        """Write the officer's page and return what verification said.

        Raises
        ------
        InputError, SaveError
            When the log cannot be read, or the page not be written.
        """
        from napari_medlabel.audit.anchors.code import keep_code
        from napari_medlabel.audit.disk import SystemClock
        from napari_medlabel.audit.report.gather import facts_of, log_bytes, site_of
        from napari_medlabel.audit.report.page import page_of
        from napari_medlabel.cli.audit_downloads import MOST_EVENTS, Collecting
        from napari_medlabel.io.files import write_bytes_aside

        site, now_ms = site_of(self.root), SystemClock().utc_ms()
        files = Collecting(site.policy if site is not None else None, MOST_EVENTS)
        facts = facts_of(self.root, state=self.state, now_ms=now_ms, seen=files.seen)
        downloads = files.downloads(self.root, facts.verdict, now_ms)
        page = page_of(facts, log_bytes(self.root, facts.verdict), downloads)
        write_bytes_aside(path, page)
        if facts.code is not None:
            keep_code(self.root, facts.code)
        return facts.verdict


def make_site(target: Path) -> DemoSite:
    """Make keys and the site's document in an empty folder.

    Parameters
    ----------
    target : Path
        Folder of the run.

    Raises
    ------
    InputError, SaveError, LogError
        When something cannot be written.
    """
    from napari_medlabel.audit.disk import SystemClock, SystemIo
    from napari_medlabel.audit.format.record import time_text
    from napari_medlabel.audit.format.seal import to_base64
    from napari_medlabel.audit.keys import install
    from napari_medlabel.audit.keys.key_document import make_key
    from napari_medlabel.audit.keys.officer import OfficerKey
    from napari_medlabel.audit.keys.pins import pin_officer
    from napari_medlabel.audit.keys.signatures import SigningKey
    from napari_medlabel.audit.keys.site import Install, Witness
    from napari_medlabel.audit.keys.site_change import begun, next_version, save_version
    from napari_medlabel.audit.writer.place import writer_id

    root, state, now_ms = target / "audit", target / "state", SystemClock().utc_ms()
    made, passphrase, writer = time_text(now_ms), secrets.token_hex(), writer_id(state)
    officer = OfficerKey(SigningKey(secrets.token_bytes(32)))
    witness = SigningKey(secrets.token_bytes(32))
    key = install.InstallKey(
        make_key(
            install.install_key_path(state),
            ("install", writer, made),
            secrets.token_bytes,
            passphrase=passphrase,
        )
    )
    install.keep_introduction(state, writer, key, made)
    install.copy_introduction(root, state, writer)
    site = replace(
        begun(SITE, now_ms, officer),
        installs=(Install(writer, key.public, now_ms),),
        witnesses=(Witness(WITNESS, witness.public),),
    )
    data, signed = next_version(None, site, officer, now_ms)
    save_version(root, data, signed.site.serial, SystemIo())
    pin_officer(state, SITE, officer.public)
    named = (("install", key.public), ("officer", officer.public), ("witness", witness.public))
    events: list[tuple[str, dict[str, object]]] = [
        ("key.create", {"key": kind, "pub": to_base64(public)}) for kind, public in named
    ]
    events.append(("config.change", {"setting": "site", "new": signed.digest, "serial": 1}))
    return DemoSite(root, state, passphrase, witness, tuple(events))
