"""``medlabel audit review``: the officer signs off that she looked through a report."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from napari_medlabel.cli.audit_trace import root_of

if TYPE_CHECKING:
    from napari_medlabel.audit.keys.people import SignedStatement
    from napari_medlabel.audit.writer.steady import SteadyLog

_SERIOUS: Final = 8
_LARGEST: Final = 1 << 30
_HINT: Final = "Give --passphrase-file FILE, or run it in a terminal."
_TAKEN_OVER: Final = ("events", "code", "verdict", "from_ms", "to_ms")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``audit review`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel audit``.
    """
    text = "sign off that you looked through a report of the log"
    parser = commands.add_parser(
        "review",
        help=text,
        description=f"{text[0].upper()}{text[1:]}. It becomes an event of the log; who has a "
        "signing key (`medlabel sign key`) signs it with a passphrase.",
    )
    parser.add_argument("root", nargs="?", type=Path, metavar="ROOT")
    parser.add_argument(
        "--report",
        type=Path,
        required=True,
        metavar="FILE",
        help="the page that `medlabel audit report` wrote",
    )
    parser.add_argument(
        "--findings",
        type=_count,
        required=True,
        metavar="N",
        help="how many things in it must be followed up",
    )
    parser.add_argument(
        "--next-days", type=_count, metavar="N", help="days to the next review; by the policy"
    )
    parser.add_argument("--name", metavar="NAME", help="your name, as it is to be printed")
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="a file of mode 600 whose first line is the passphrase of your signing key",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise argparse.ArgumentTypeError("a whole number from 0 was expected")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Write the sign-off into the reviewed log.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        When the page cannot be read, or no log says that it was made as it is.
    PassphraseError
        When the passphrase is another one; the log has ``sign.fail`` then.
    LogError, SaveError
        When the log or the statement cannot be written: then there is no sign-off.
    """
    from napari_medlabel.audit.report.gather import DAY_MS, site_of
    from napari_medlabel.audit.writer.place import open_log

    root = root_of(arguments)
    digest = _digest(arguments.report)
    made = _made(root, digest)
    site = site_of(root)
    detail: dict[str, object] = {key: made[key] for key in _TAKEN_OVER if key in made}
    detail |= {"report": digest, "findings": arguments.findings}
    days = arguments.next_days or (site.policy.review_days if site is not None else 30)
    detail["next_days"] = days
    with open_log(root, role="officer") as log:
        signed = _signed(arguments, log, root, digest)
        if signed is not None:
            detail |= {k: v for k, v in signed.detail().items() if k != "meaning"}
        log.append("audit.review", detail=detail)
    due_ms = _now_ms() + days * DAY_MS
    _tell(arguments, detail, due_ms)
    return 0


def _now_ms() -> int:
    from napari_medlabel.audit.disk import SystemClock

    return SystemClock().utc_ms()


def _digest(path: Path) -> str:
    from napari_medlabel.errors import InputError

    try:
        if path.stat().st_size > _LARGEST:
            raise _unknown()
        return f"sha256:{sha256(path.read_bytes()).hexdigest()}"
    except OSError as err:
        raise InputError(
            f"The page cannot be read ({type(err).__name__}).",
            hint="Give the file that `medlabel audit report` wrote.",
        ) from err


def _unknown() -> Exception:
    from napari_medlabel.errors import InputError

    return InputError(
        "No log says that this page was made as it is: it was changed, or made elsewhere.",
        hint="Make it anew with `medlabel audit report`, look it through, and sign that off.",
    )


def _made(root: Path, digest: str) -> Mapping[str, Any]:
    """Return what the log says of the making of a page: the reviewed one, or one's own."""
    from napari_medlabel.audit.check.verify import verify_log
    from napari_medlabel.audit.writer.place import default_root

    found: list[Mapping[str, Any]] = []

    def seen(_file: str, _line: int, record: Mapping[str, Any]) -> None:
        if record["event"] == "audit.report" and record["detail"].get("report") == digest:
            found.append(record["detail"])

    own = default_root()
    for place in dict.fromkeys((root, own) if own.is_dir() else (root,)):
        verify_log(place, state=None, seen=seen)
        if found:
            return found[-1]
    raise _unknown()


def _signed(
    arguments: argparse.Namespace, log: SteadyLog, root: Path, digest: str
) -> SignedStatement | None:
    """Return the officer's signature, or None where she has no signing key."""
    from napari_medlabel.audit.format.record import time_text
    from napari_medlabel.audit.keys.people import (
        Statement,
        keep_statement,
        load_user_key,
        sign_statement,
        user_key_path,
    )
    from napari_medlabel.audit.keys.tokens import account_name, load_token_keys
    from napari_medlabel.audit.writer.place import default_state
    from napari_medlabel.errors import InputError
    from napari_medlabel.secret.asking import at_terminal, from_file
    from napari_medlabel.secret.passphrase import PassphraseError

    state, file = default_state(), arguments.passphrase_file
    tokens = [key.user_token(account_name()) for key in reversed(load_token_keys(state))]
    if not any(user_key_path(state, token).is_file() for token in tokens):
        return None
    if not arguments.name:
        raise InputError(
            "A name to be printed beside the signature was expected, and none came.",
            hint='Give it with --name "First Last".',
        )
    try:
        found = load_user_key(
            state,
            tokens,
            lambda: from_file(file) if file else at_terminal("Your passphrase: ", _HINT),
        )
    except PassphraseError:
        log.append("sign.fail", detail={"cause": "identity"}, outcome=_SERIOUS)
        raise
    if found is None:  # removed just now
        return None
    token, key = found
    said = Statement("reviewed", arguments.name, digest, time_text(_now_ms()), token)
    signed = sign_statement(said, key)
    keep_statement(root, signed)
    return signed


def _tell(arguments: argparse.Namespace, detail: Mapping[str, Any], due_ms: int) -> None:
    from napari_medlabel.audit.format.record import time_text

    due = time_text(due_ms)[:10]
    if arguments.json:
        shown = {
            "report": detail["report"],
            "findings": detail["findings"],
            "next_review": due,
            "signed": "signature" in detail,
        }
        print(json.dumps(shown, indent=2))
        return
    how = "signed with your key" if "signature" in detail else "noted without a signature"
    print(f"Reviewed, {detail['findings']} finding(s); {how}. The next review is due on {due}.")
