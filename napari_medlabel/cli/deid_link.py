"""``medlabel deid link``: whose code is it? Written into the log before it is answered."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from napari_medlabel.cli.project_key import (
    add_key_options,
    has_no_table_yet,
    key_store,
    links_memory,
    note_table,
    open_table,
    read_store,
)
from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.deid.keys.key_file import ProjectKey
    from napari_medlabel.deid.keys.key_store import KeyStore
    from napari_medlabel.deid.keys.links_file import Link
    from napari_medlabel.deid.keys.table import LinkTable
    from napari_medlabel.session.desk import Desk

_MISSING: Final = 2
_LIKE: Final = str.maketrans("OIL", "011")
_NO_ID: Final = "study"


@dataclass(frozen=True)
class _Answer:
    """One line of the answer; `how` is how the code came about."""

    code: str
    issuer: str
    patient_id: str
    how: str


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``link`` to ``medlabel deid``.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel deid``.
    """
    parser = subparsers.add_parser(
        "link",
        help="look up whose a code is, or a patient's code",
        description="Look up whose CODE is, or with --id the code of a patient. Each look-up "
        "is a re-identification: it is in the audit log before the answer is shown.",
    )
    parser.add_argument("codes", nargs="*", metavar="CODE", help="such as P-H2ADH7WM")
    parser.add_argument(
        "--id",
        action="store_true",
        help="read Patient IDs, one on a line, from stdin; they are not put on the command "
        "line, where other users and the shell's history would see them",
    )
    parser.add_argument(
        "--merge",
        type=Path,
        metavar="FILE",
        help="add the links of another copy of this key's table",
    )
    parser.add_argument(
        "--accept",
        action="store_true",
        help="go on with a table that is older than this computer remembers, or with an empty "
        "one where it is lost",
    )
    add_key_options(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--audit", type=Path, metavar="DIR", help="the audit log's folder")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look up, note it in the log, and only then answer.

    Returns
    -------
    int
        0 when all was found, 2 when something was not.

    Raises
    ------
    InputError
        When it is not said what to do, or key or table cannot be read.
    LogError
        When the log cannot be written: then there is no answer.
    """
    from napari_medlabel.session.desk import open_desk

    wishes = [bool(args.codes), args.id, args.merge is not None, args.accept]
    if wishes.count(True) != 1:
        raise InputError(
            "Codes, --id, --merge or --accept were expected, one of them.",
            hint="Look up a code with `medlabel deid link CODE`.",
        )
    store = key_store(args.key)
    desk = open_desk(args.audit, role="researcher")
    try:
        project = read_store(store, args, desk.log)
        if args.merge is not None:
            return _merge(args.merge, store, project, desk)
        if args.accept:
            return _accept(store, project, desk)
        return _look_up(args, _links(store, project), project, desk)
    finally:
        desk.log.close()


def _links(store: KeyStore, project: ProjectKey) -> Iterable[Link]:
    """Return the links of a key; none where it was made and used before there were tables."""
    if has_no_table_yet(store, project):
        return ()
    return open_table(store, project, writable=False).links()


def _look_up(
    args: argparse.Namespace, links: Iterable[Link], project: ProjectKey, desk: Desk
) -> int:
    asked = _asked_ids() if args.id else [_code(text) for text in args.codes]
    if args.id:
        answers = _by_id(links, asked, project)
        found = {_shown(answer.patient_id) for answer in answers}
        missing = [place for place, text in enumerate(asked, 1) if _shown(text) not in found]
    else:
        answers = _by_code(links, asked, project)
        found = {answer.code for answer in answers}
        missing = [place for place, text in enumerate(asked, 1) if text not in found]
    _log(desk, answers, len(asked))
    if args.json:
        print(json.dumps({"links": [_as_json(answer) for answer in answers]}))
    else:
        for answer in answers:
            print(_told(answer))
    for place in missing:
        what = "Patient ID" if args.id else "code"
        print(
            f"medlabel: {what} {place} of {len(asked)} is not in this table.", file=sys.stderr
        )
    return _MISSING if missing else 0


def _by_code(links: Iterable[Link], codes: Sequence[str], project: ProjectKey) -> list[_Answer]:
    """Whose codes these are: as the table says, or as earlier exports derived them."""
    from napari_medlabel.deid.keys.pseudonyms import Pseudonyms

    keyed = Pseudonyms(project.key)
    answers = []
    for link in links:
        if link.code in codes:
            answers.append(_answer(link))
        earlier = keyed.patient_code(link.issuer, link.patient_id)
        if earlier in codes and earlier != link.code:
            answers.append(_Answer(earlier, link.issuer, link.patient_id, "earlier"))
    return answers


def _by_id(links: Iterable[Link], asked: Sequence[str], project: ProjectKey) -> list[_Answer]:
    """Return the codes of these patients, from whoever their IDs were issued.

    Of a key that was in use before there were tables, also the codes that earlier copies
    carry, if they have the patient: without an issuer, and with those that the table knows.
    """
    from napari_medlabel.deid.keys.pseudonyms import Pseudonyms, normalised

    wanted = {normalised(form) for text in asked for form in (text, _as_found(text))}
    answers = [_answer(link) for link in links if link.patient_id in wanted]
    if not project.is_before_links:
        return answers
    keyed = Pseudonyms(project.key)
    known = {(answer.issuer, answer.patient_id) for answer in answers}
    patients = sorted(known | {("", normalised(_as_found(text))) for text in asked})
    return answers + [_Answer(keyed.patient_code(*who), *who, "earlier") for who in patients]


def _answer(link: Link) -> _Answer:
    how = "current" if link.is_current else "merged"
    return _Answer(link.code, link.issuer, link.patient_id, how)


def _merge(file: Path, store: KeyStore, project: ProjectKey, desk: Desk) -> int:
    import secrets

    from napari_medlabel.deid.keys.links_merge import merge
    from napari_medlabel.deid.keys.table import LinkTable

    other = LinkTable(file, project.key, secrets.token_bytes, writable=False)
    with _merging(file, store, project) as table:
        note_table(desk.log, project, "merged", len(other))
        done = merge(table, other)
    print(
        f"patients added {done.added}\nfurther codes of known patients {done.also}\n"
        f"codes of two patients {done.shared}"
    )
    return 0


def _merging(file: Path, store: KeyStore, project: ProjectKey) -> LinkTable:
    """Open this computer's table; one that lacks links only where the other copy has them."""
    import secrets

    from napari_medlabel.deid.keys.links_memory import StaleLinksError
    from napari_medlabel.deid.keys.table import LinkTable

    try:
        return open_table(store, project, writable=True)
    except StaleLinksError:
        LinkTable(file, project.key, secrets.token_bytes, writable=False, memory=links_memory())
        return open_table(store, project, writable=True, trusting=True)


def _accept(store: KeyStore, project: ProjectKey, desk: Desk) -> int:
    import secrets

    from napari_medlabel.deid.keys.table import begin_links

    codes = 0
    if store.links.exists():
        codes = len(open_table(store, project, writable=False, trusting=True))
    note_table(desk.log, project, "accepted", codes)
    if not store.links.exists():
        begin_links(store.links, project.key, secrets.token_bytes)
    with open_table(store, project, writable=True, trusting=True) as table:
        print(f"links {len(table)}")
    return 0


def _log(desk: Desk, answers: Sequence[_Answer], asked: int) -> None:
    """Write whose identity is about to be shown; the tokens are those of the scans' events."""
    tokens = {desk.tokens.subject_token(a.issuer, a.patient_id) for a in answers}
    desk.log.append("reid.lookup", subject=sorted(tokens), detail={"codes": asked})


def _asked_ids() -> list[str]:
    """Return the Patient IDs that somebody types, or another program sends."""
    from napari_medlabel.deid.keys.pseudonyms import normalised

    if sys.stdin.isatty():
        print("Patient ID: ", end="", file=sys.stderr, flush=True)
        lines = [sys.stdin.readline()]
    else:
        lines = sys.stdin.readlines()
    asked = [normalised(line) for line in lines if line.strip()]
    if not asked:
        raise InputError(
            "Patient IDs were expected on stdin, and none came.", hint="One on each line."
        )
    return asked


def _code(text: str) -> str:
    """Return a code as it is written, however it was typed: Crockford's letters look alike."""
    bare = text.strip().upper().removeprefix("P-").translate(_LIKE)
    return f"P-{bare}"


def _as_found(text: str) -> str:
    """Return a text as it is found in a file in UTF-8, whose bytes are kept as Latin-1."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _shown(text: str) -> str:
    """Return a text for a screen: in UTF-8 where its bytes are, without control characters."""
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def _as_json(answer: _Answer) -> dict[str, str]:
    return {
        "code": answer.code,
        "issuer": _shown(answer.issuer),
        "patient_id": _shown(answer.patient_id),
        "how": answer.how,
    }


def _told(answer: _Answer) -> str:
    if answer.issuer == _NO_ID:
        return f"{answer.code}  no Patient ID, study {_shown(answer.patient_id)}"
    issuer = f"  issuer {_shown(answer.issuer)}" if answer.issuer else ""
    note = {"current": "", "merged": "  (of a merged table)", "earlier": "  (from the key)"}
    return f"{answer.code}  Patient ID {_shown(answer.patient_id)}{issuer}{note[answer.how]}"
