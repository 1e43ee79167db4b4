"""``medlabel audit who``: who opened a patient's scans, when, and what they did."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from napari_medlabel.cli.audit_trace import root_of

if TYPE_CHECKING:
    from napari_medlabel.audit.keys.tokens import TokenKey
    from napari_medlabel.audit.report.case_events import CaseEvent
    from napari_medlabel.audit.report.who import Answer

_LONGEST: Final = 256
_HINT: Final = "Give --passphrase-file FILE, or run it in a terminal."


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``audit who`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel audit``.
    """
    text = "list who opened or changed a patient's scans; the Patient ID is kept nowhere"
    parser = commands.add_parser(
        "who",
        help=text,
        description=f"{text[0].upper()}{text[1:]}. The ID is asked for, or read from stdin, so "
        "that it stays out of the history of the shell. The question is noted in the log by "
        "the patient's token.",
    )
    parser.add_argument("root", nargs="?", metavar="ROOT", help="folder of the log")
    parser.add_argument(
        "patient_id",
        nargs="?",
        metavar="PATIENT_ID",
        help="the number; by default, and for '-', it is asked for or read from stdin. A "
        "single argument that is no log's folder is the number",
    )
    parser.add_argument(
        "--issuer",
        action="append",
        default=[],
        help="who gave the number, as in Issuer of Patient ID (0010,0021); may be given "
        "several times. The number is looked for without an issuer, too",
    )
    parser.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help="token keys that `medlabel audit key tokens --export` wrote; by default this "
        "computer's own",
    )
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="a file of mode 600 whose first line is the passphrase of --key",
    )
    parser.add_argument(
        "--names", type=Path, metavar="FILE.csv", help="names for user tokens: token,name"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Answer who opened a patient's scans.

    Returns
    -------
    int
        0 green, 4 amber, 5 red: what the answer is worth.

    Raises
    ------
    InputError
        When there is no log, no token key, no number, or something cannot be read.
    """
    from napari_medlabel.audit.report.names import read_names
    from napari_medlabel.audit.report.who import tokens_of, who
    from napari_medlabel.audit.writer.place import default_state

    names = read_names(arguments.names) if arguments.names else {}
    arguments.root, given = _places(arguments.root, arguments.patient_id)
    issuers = [issuer for issuer in arguments.issuer if issuer.strip()]
    root, keys = root_of(arguments), _keys(arguments)
    tokens = tokens_of(keys, issuers, _patient_id(given))
    answer = who(root, tokens, state=default_state())
    _note(answer)
    if arguments.json:
        print(json.dumps(_as_json(answer, names, issuers), indent=2))
    else:
        _tell(answer, names, issuers)
    return answer.report.verdict.exit_code


def _places(first: str | None, second: str | None) -> tuple[Path | None, str]:
    """Return the log's folder, or None for one's own, and the number, or ``-``."""
    from napari_medlabel.audit.format.layout import WRITERS

    if first is None:
        return None, "-"
    if second is not None:
        return Path(first), second
    is_log = first != "" and (Path(first) / WRITERS).is_dir()
    return (Path(first), "-") if is_log else (None, first)


def _keys(arguments: argparse.Namespace) -> tuple[TokenKey, ...]:
    from napari_medlabel.audit.keys.token_file import read_token_keys
    from napari_medlabel.audit.keys.tokens import load_token_keys
    from napari_medlabel.audit.writer.place import default_state
    from napari_medlabel.errors import InputError
    from napari_medlabel.secret.asking import at_terminal, from_file

    file: Path | None = arguments.passphrase_file
    if arguments.key is not None:
        return read_token_keys(
            arguments.key,
            lambda: from_file(file) if file else at_terminal("Passphrase: ", _HINT),
        )
    keys = load_token_keys(default_state())
    if not keys:
        raise InputError(
            "The key behind the patients' tokens was expected, and this computer has none.",
            hint="Give --key FILE; `medlabel audit key tokens --export FILE` writes it where "
            "the scans were opened.",
        )
    return keys


def _patient_id(given: str) -> str:
    """Return the number, asked for where it is not on the command line."""
    from napari_medlabel.errors import InputError

    if given != "-":
        return given
    if sys.stdin.isatty():
        print("Patient ID: ", end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline(_LONGEST + 1).strip()
    if not line or len(line) > _LONGEST:
        raise InputError(
            "A Patient ID was expected on stdin, and none came.",
            hint="Type it when asked, or pipe one line into the command.",
        )
    return line


def _note(answer: Answer) -> None:
    """Note the question in this computer's own log, by tokens.

    Looking must stay possible where nothing can be written: a failure is said, not raised.
    """
    from napari_medlabel.audit.writer.place import open_log
    from napari_medlabel.errors import LogError

    detail = {
        "view": "who",
        "events": len(answer.events),
        "sessions": len(answer.report.sessions),
    }
    try:
        with open_log(role="officer") as log:
            log.append("audit.view", subject=answer.tokens, detail=detail)
    except LogError as err:
        print(f"medlabel: not noted in the log: {err.message} {err.hint}", file=sys.stderr)


def _as_json(
    answer: Answer, names: Mapping[str, str], issuers: Sequence[str]
) -> dict[str, Any]:
    from napari_medlabel.audit.format.record import time_text

    return {
        "answer": _headline(answer, issuers),
        "verdict": answer.report.verdict.value,
        "sentence": answer.report.sentence,
        "tokens": list(answer.tokens),
        "events": [
            {
                "time": time_text(one.at_ms),
                "user": one.user,
                "name": names.get(one.user, ""),
                "role": one.role,
                "event": one.event,
                "words": one.words,
                "outcome": one.outcome,
                "file": one.file,
                "line": one.line,
            }
            for one in answer.events
        ],
    }


def _headline(answer: Answer, issuers: Sequence[str]) -> str:
    """Return the answer in words; that nothing was found comes with what to do."""
    from napari_medlabel.audit.report.who import nothing_found

    found = len(answer.events) - answer.questions
    if not found:
        return nothing_found(issuers)
    users = len({one.user for one in answer.events})
    events = "1 event" if len(answer.events) == 1 else f"{len(answer.events)} events"
    return f"{events} of this patient by {users} user{'s' if users > 1 else ''}."


def _tell(answer: Answer, names: Mapping[str, str], issuers: Sequence[str]) -> None:
    print(_headline(answer, issuers))
    print(f"{answer.report.verdict.upper()}. {answer.report.sentence}")
    if not answer.events:
        return
    if len(answer.events) == answer.questions:
        print("\nQuestions like this one, UTC:\n")
    else:
        print("\nTimes are UTC:\n")
    for one in answer.events:
        print(_line(one, names))


def _line(one: CaseEvent, names: Mapping[str, str]) -> str:
    from napari_medlabel.audit.format.record import time_text

    moment = time_text(one.at_ms)[:19].replace("T", " ")
    name = "".join(letter for letter in names.get(one.user, "") if letter.isprintable())
    return f"{moment}  {name or one.user} ({one.role})  {one.words}"
