"""A ward whose log can be green: an officer, two certified workstations and a witness."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari_medlabel.audit.anchors.witness import WitnessMemory, cosign_log
from napari_medlabel.audit.check.session_check import check_session
from napari_medlabel.audit.check.verdict import LogReport
from napari_medlabel.audit.check.verify import session_paths, verify_log
from napari_medlabel.audit.format.event import Event, ObjectRef
from napari_medlabel.audit.format.layout import object_file
from napari_medlabel.audit.format.seal import Head
from napari_medlabel.audit.keys.install import InstallKey
from napari_medlabel.audit.keys.pins import pin_officer
from napari_medlabel.audit.keys.signatures import SigningKey
from napari_medlabel.audit.keys.site import Install, Site, Witness, digest_of
from napari_medlabel.audit.writer.log import AuditLog
from napari_medlabel.audit.writer.opening import observation
from napari_medlabel.audit.writer.seat import Identity, Seat
from tests.audit.bench import OLD, SAVE, Bench
from tests.audit.keys.site_bench import INSTALL, OFFICER, WRITER, site, write_site

OTHER_WRITER = "wfedcba9876543210"
OTHER_INSTALL = InstallKey(SigningKey(b"j" * 32))
WITNESS = SigningKey(b"w" * 32)
HOUR_MS = 3_600_000


class Ward:
    """A log of a site, and everybody who looks after it."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder)
        self.root, self.state = self.bench.root, self.bench.state
        self.away = folder / "witness"
        made = self.bench.clock.utc
        self.site = site(
            made_ms=made,
            installs=(
                Install(WRITER, INSTALL.public, made),
                Install(OTHER_WRITER, OTHER_INSTALL.public, made),
            ),
            witnesses=(Witness("server", WITNESS.public),),
        )
        self.digest = digest_of(write_site(self.root, self.site))
        pin_officer(self.state, "ward-3", OFFICER.public)
        self.keep(OLD)

    def keep(self, mask: ObjectRef) -> Path:
        """Put a version of a mask where replaced masks are kept."""
        path = self.root / object_file(mask.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a mask")
        return path

    def change(self, **more: object) -> None:
        """Put the next version of the site in force."""
        serial = self.site.serial + 1
        changed = {**more, "serial": serial, "previous": self.digest}
        self.site = replace(self.site, **changed)  # type: ignore[arg-type]
        self.digest = digest_of(write_site(self.root, self.site))

    def open(
        self,
        writer: str = WRITER,
        install: InstallKey | None = INSTALL,
        policy: str | None = None,
    ) -> AuditLog:
        """Open a session of a workstation."""
        bench = self.bench
        identity = Identity(install, self.digest if policy is None else policy)
        state = self.state if writer == WRITER else self.state.with_name("other")
        seat = Seat(
            self.root, state, "ward-3", writer, bench.actor, bench.clock, bench.io, identity
        )
        return AuditLog.begin(seat)

    def session(
        self,
        *events: Event,
        writer: str = WRITER,
        install: InstallKey | None = INSTALL,
        policy: str | None = None,
    ) -> Path:
        """Write a closed session and return its file."""
        with self.open(writer, install, policy) as log:
            log.append_many(events or (SAVE,))
        return log.path

    def observe(self, *heads: Head) -> Path:
        """Let the other workstation write down what it saw."""
        return self.session(observation(heads), writer=OTHER_WRITER, install=OTHER_INSTALL)

    def head(self, path: Path) -> Head:
        """Return the end of a session."""
        sealed = check_session(path, path.relative_to(self.root).as_posix()).sealed
        assert sealed is not None
        return sealed

    def look(self) -> None:
        """Let the witness cosign what is there."""
        reports = [
            check_session(path, path.relative_to(self.root).as_posix())
            for path in session_paths(self.root)
        ]
        memory = WitnessMemory(self.away, "server", self.root)
        cosign_log(self.root, reports, memory, WITNESS, self.bench.clock.utc // 1000)

    def verify(self, **more: object) -> LogReport:
        """Verify an hour later, on the computer that wrote."""
        given: dict[str, object] = {
            "state": self.state,
            "now_ms": self.bench.clock.utc + HOUR_MS,
            **more,
        }
        return verify_log(self.root, **given)  # type: ignore[arg-type]


def named(site_: Site, **more: object) -> Site:
    """Return a site that says something else."""
    return replace(site_, **more)  # type: ignore[arg-type]
