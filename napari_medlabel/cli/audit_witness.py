"""``medlabel audit witness``: remember every head, and cosign what still fits."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from napari_medlabel.cli.audit_pruned import pruned_in
from napari_medlabel.cli.audit_trace import root_of, trace, trace_all

if TYPE_CHECKING:
    from napari_medlabel.audit.anchors.witness import Round, WitnessMemory
    from napari_medlabel.audit.check.verdict import SessionReport
    from napari_medlabel.audit.format.finding import Finding
    from napari_medlabel.audit.format.seal import Head
    from napari_medlabel.audit.keys.signatures import SigningKey

_RED: Final = 5
_WHOLE_EVERY_S: Final = 3600
_FOUND: Final = {
    "MISSING": "missing",
    "TRUNCATED": "truncated",
    "FORK": "changed",
    "BROKEN": "changed",
}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``audit witness`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel audit``.
    """
    text = (
        "remember what the log was, and cosign what still fits; exit 5 when something does not"
    )
    parser = commands.add_parser(
        "witness",
        help=text,
        description="Check every session file from its first byte, compare it with what this "
        "witness saw before, and put a cosignature beside the log. Run it under another "
        "account than those who write: on the file server, or the officer's computer.",
    )
    parser.add_argument("root", nargs="?", type=Path, metavar="ROOT")
    parser.add_argument("--name", required=True, help="of the witness, as in site.json")
    parser.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help="its key in a plain PEM file of mode 600, instead of keyring or passphrase",
    )
    parser.add_argument("--new-key", action="store_true", help="make its key, and show it")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--watch", type=_seconds, metavar="SECONDS", help="go on, at this interval"
    )
    how.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def _seconds(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("an interval is 1 second or more")
    return number


def run(arguments: argparse.Namespace) -> int:
    """Look at a log once, or again and again until it is stopped.

    Returns
    -------
    int
        0 when everything fits, 5 when something did not.

    Raises
    ------
    InputError
        When there is no log or no key, or one of them cannot be read.
    SaveError
        When the memory or a cosignature cannot be written.
    """
    from napari_medlabel.audit.anchors.witness import WitnessMemory
    from napari_medlabel.audit.anchors.witness_key import load_witness_key, passphrase_or
    from napari_medlabel.audit.writer.place import default_state

    _require_name(arguments.name)
    state = default_state()
    if arguments.new_key:
        return _make_key(arguments, state)
    ask = passphrase_or(_asked)
    key = load_witness_key(state, arguments.name, ask, arguments.key)
    root = root_of(arguments)
    watcher = Watcher(root, WitnessMemory(state, arguments.name, root), key)
    if arguments.watch is None:
        return watcher.look(lambda done: _tell(done, as_json=arguments.json))
    with _ended_as_interrupted():
        return watcher.watch(arguments.watch, _tell_news)


def _require_name(name: str) -> None:
    from napari_medlabel.audit.keys.site_schema import NAME
    from napari_medlabel.errors import InputError

    if not NAME.accepts(name):
        raise InputError(
            "The name of a witness must be lower-case letters, digits and hyphens, at most 32.",
            hint="Choose one such as --name fileserver.",
        )


def _asked() -> str:
    from napari_medlabel.audit.anchors.witness_key import PASSPHRASE_VARIABLE
    from napari_medlabel.secret.asking import at_terminal

    return at_terminal(
        "Passphrase of the witness: ",
        f"Name a file with it in {PASSPHRASE_VARIABLE}, or use --key.",
    )


def _make_key(arguments: argparse.Namespace, state: Path) -> int:
    import os

    from napari_medlabel.audit.anchors.witness_key import (
        PASSPHRASE_VARIABLE,
        make_witness_key,
        passphrase_or,
    )
    from napari_medlabel.audit.disk import SystemClock, SystemIo
    from napari_medlabel.audit.format.record import time_text
    from napari_medlabel.audit.format.seal import to_base64
    from napari_medlabel.audit.keys.signatures import fingerprint
    from napari_medlabel.secret.asking import new_at_terminal
    from napari_medlabel.secret.ring import has_ring

    passphrase = None
    named = bool(os.environ.get(PASSPHRASE_VARIABLE))
    if arguments.key is None and (named or not has_ring()):
        hint = f"Name a file with a passphrase in {PASSPHRASE_VARIABLE}, or use --key."
        passphrase = passphrase_or(lambda: new_at_terminal("New passphrase: ", hint))()
    made = time_text(SystemClock().utc_ms())
    random_bytes = SystemIo().random
    key = make_witness_key(
        state, arguments.name, made, random_bytes, passphrase=passphrase, file=arguments.key
    )
    public, short = to_base64(key.public), fingerprint(key.public)
    if arguments.json:
        print(json.dumps({"name": arguments.name, "pub": public, "fingerprint": short}))
    else:
        print(f"The witness has a key, with the fingerprint {short}. The officer trusts it by:")
        print(f"  medlabel audit site witness {arguments.name} {public}")
    trace("key.create", {"key": "witness", "pub": public})
    return 0


@dataclass
class Watcher:
    """Looks at one log, and spares itself files that cannot have changed since the last look.

    Parameters
    ----------
    root : Path
        Folder of the log.
    memory : WitnessMemory
        What was seen.
    key : SigningKey
        Of the witness.
    utc_s, steady_s : callable
        Seconds since 1970; seconds that only grow.
    """

    root: Path
    memory: WitnessMemory
    key: SigningKey
    utc_s: Callable[[], float] = time.time
    steady_s: Callable[[], float] = time.monotonic
    _checked: dict[Path, tuple[tuple[int, ...], SessionReport]] = field(default_factory=dict)
    _whole_at: float = 0.0
    _said: set[tuple[str, str]] = field(default_factory=set)

    def look(self, tell: Callable[[Round], None]) -> int:
        """Look once, tell what was found, and note it in this account's own log.

        Returns
        -------
        int
            0, or 5 where something does not fit.
        """
        from napari_medlabel.audit.anchors.witness import cosign_log
        from napari_medlabel.audit.disk import one_at_a_time
        from napari_medlabel.errors import InputError
        from napari_medlabel.io.files import make_folder

        make_folder(self.memory.folder)
        with ExitStack() as stack:
            try:
                stack.enter_context(one_at_a_time(self.memory.folder / "lock"))
            except OSError as err:
                raise InputError(
                    f"The memory of the witness cannot be opened ({type(err).__name__}).",
                    hint="Run it under the account of the witness; see MEDLABEL_STATE_DIR.",
                ) from err
            before = self.memory.read()
            sessions = self._sessions()
            done = cosign_log(
                self.root,
                sessions,
                self.memory,
                self.key,
                int(self.utc_s()),
                pruned=pruned_in(self.root, sessions),
            )
        tell(done)
        trace_all([*_cosigned(done.grown), *self._news(done.faults, before)])
        return _RED if done.faults else 0

    def watch(
        self,
        seconds: int,
        tell: Callable[[Round], None],
        wait: Callable[[float], None] = time.sleep,
    ) -> int:
        """Look again and again, until the process is interrupted.

        What goes wrong at the first look is raised; later (a share that is gone for a while)
        it is said, and the next look tries again.

        Returns
        -------
        int
            0, or 5 where something did not fit at any look, or 2 where a look was not
            possible.
        """
        code = self.look(tell)
        try:
            while True:
                wait(seconds)
                code = max(code, self._look_again(tell))
        except KeyboardInterrupt:
            return code

    def _look_again(self, tell: Callable[[Round], None]) -> int:
        from napari_medlabel.errors import MedlabelError

        try:
            return self.look(tell)
        except MedlabelError as err:
            print(f"medlabel: {err.message}\nhint: {err.hint}", file=sys.stderr, flush=True)
            return err.exit_code

    def _sessions(self) -> list[SessionReport]:
        """Check each file; one that is closed and untouched only once an hour."""
        from napari_medlabel.audit.check.verify import session_paths

        now = self.steady_s()
        if now - self._whole_at >= _WHOLE_EVERY_S:
            self._checked.clear()
            self._whole_at = now
        return [self._session(path) for path in session_paths(self.root)]

    def _session(self, path: Path) -> SessionReport:
        from napari_medlabel.audit.check.session_check import check_session
        from napari_medlabel.errors import InputError

        try:
            found = path.stat()
            stamp = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            known = self._checked.get(path)
            if known is not None and known[0] == stamp:
                return known[1]
            report = check_session(path, path.relative_to(self.root).as_posix())
        except OSError as err:
            raise InputError(
                f"A session file of the log cannot be read ({type(err).__name__}).",
                hint="Run the witness as a user who may read the log.",
            ) from err
        if report.closed:
            self._checked[path] = (stamp, report)
        return report

    def _news(self, faults: tuple[Finding, ...], before: Mapping[str, Head]) -> Iterator[Any]:
        """Yield ``tamper.found`` for each fault that was not noted yet."""
        for fault in faults:
            head = before.get(fault.file)
            if head is not None and (fault.code, fault.file) not in self._said:
                self._said.add((fault.code, fault.file))
                detail = {"what": _FOUND[fault.code], "head": head.record()}
                yield "tamper.found", detail, None


def _cosigned(grown: tuple[Head, ...]) -> Iterator[Any]:
    """Yield ``witness.cosign`` for heads that grew, but for those of this witness's own log."""
    from napari_medlabel.audit.format.layout import writer_of
    from napari_medlabel.audit.format.schema import MAX_LIST
    from napari_medlabel.audit.writer.place import default_state, writer_id

    own = writer_id(default_state())
    records = [head.record() for head in grown if writer_of(head.origin) != own]
    for start in range(0, len(records), MAX_LIST):
        yield "witness.cosign", {"heads": records[start : start + MAX_LIST]}, None


def _tell(done: Round, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(_as_json(done), indent=2))
        return
    for fault in done.faults:
        print(f"RED   {fault.file}\n      {fault.text}")
    print(
        f"{done.sessions} session(s): {len(done.grown)} new or longer and cosigned, "
        f"{done.renewed} confirmed again, {len(done.faults)} refused."
    )


def _tell_news(done: Round) -> None:
    if done.grown or done.faults:
        _tell(done, as_json=False)


def _as_json(done: Round) -> dict[str, object]:
    return {
        "verdict": "red" if done.faults else "green",
        "sessions": done.sessions,
        "cosigned": [head.record() for head in done.grown],
        "renewed": done.renewed,
        "findings": [fault.record() for fault in done.faults],
    }


@contextmanager
def _ended_as_interrupted() -> Iterator[None]:
    """Let SIGTERM, which service managers send, end the watch as Ctrl+C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
