"""``medlabel audit who``: who opened a patient's scans, when, and what they did."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
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
    parser.add_argument("root", nargs="?", type=Path, metavar="ROOT")
    parser.add_argument(
        "patient_id",
        nargs="?",
        default="-",
        metavar="PATIENT_ID",
        help="the number; by default, and for '-', it is asked for or read from stdin",
    )
    parser.add_argument("--issuer", default="", help="who gave the number, where scans say it")
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
    keys = _keys(arguments)
    tokens = tokens_of(keys, arguments.issuer, _patient_id(arguments.patient_id))
    answer = who(root_of(arguments), tokens, state=default_state())
    _note(answer)
    if arguments.json:
        print(json.dumps(_as_json(answer, names), indent=2))
    else:
        _tell(answer, names, issuer=arguments.issuer)
    return answer.report.verdict.exit_code


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


def _as_json(answer: Answer, names: Mapping[str, str]) -> dict[str, Any]:
    from napari_medlabel.audit.format.record import time_text

    return {
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


def _tell(answer: Answer, names: Mapping[str, str], *, issuer: str) -> None:
    print(f"{answer.report.verdict.upper()}. {answer.report.sentence}\n")
    if all(one.event == "audit.view" for one in answer.events):
        print("The log has no event of this patient, apart from questions like this one.")
        if not issuer:
            print("Scans may say who gave the number; then it is found with --issuer alone.")
    if not answer.events:
        return
    users = {one.user for one in answer.events}
    print(f"{len(answer.events)} event(s) of this patient by {len(users)} user(s), UTC:\n")
    for one in answer.events:
        print(_line(one, names))


def _line(one: CaseEvent, names: Mapping[str, str]) -> str:
    from napari_medlabel.audit.format.record import time_text

    moment = time_text(one.at_ms)[:19].replace("T", " ")
    name = "".join(letter for letter in names.get(one.user, "") if letter.isprintable())
    return f"{moment}  {name or one.user} ({one.role})  {one.words}"
