"""``medlabel sign``: sign a saved mask by name, see who signed one, make a signing key."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from napari_medlabel.cli.given_reason import add_reason, add_text, given_text
from napari_medlabel.cli.site_desk import known_site, root_of, say
from napari_medlabel.errors import InputError, RefusedError

if TYPE_CHECKING:
    from napari_medlabel.session.signing import Signatures

UNDER: Final = ("verify", "key", "reject", "unlock")
"""Words that make another command after ``sign``; for a mask of that name write ./verify."""

_HINT: Final = "Give --passphrase-file FILE, or run it in a terminal."
_AMBER, _RED = 4, 5
_MEANINGS: Final = ("authored", "reviewed", "approved")
_STEPS: Final = (
    ("reject", "review.reject", "send a mask back to its author, with a reason"),
    ("unlock", "review.unlock", "unlock an approved mask for a change, with a reason"),
)
_WORDS: Final = {
    "good": "GREEN the log has it, and the officer named the key",
    "partial": "AMBER it is over the first layer's mask alone, not over those of others",
    "unregistered": "AMBER the officer has not named this person's key",
    "unlogged": "RED   the log has no line of it",
    "revoked": "RED   the key was revoked before",
    "changed": "RED   what was signed was changed since, or is not there any more",
}

_OVER: Final = {
    "version": "the whole version: masks of all layers, landmarks, answers, boxes",
    "mask": "the mask alone",
}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``sign`` and what stands under it to the command line.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel``.
    """
    parser = subparsers.add_parser(
        "sign",
        help="sign a saved mask",
        description="Sign a saved mask: your name, the time, what you mean by it, and the "
        "mask's content. Your passphrase is asked for at every signature.",
    )
    parser.add_argument("mask", type=Path, metavar="MASK", help="a mask that was saved here")
    parser.add_argument("--meaning", choices=_MEANINGS, required=True, help="what it says")
    parser.add_argument("--name", help="your name as it is printed; else it is asked for")
    _add_common(parser)
    parser.set_defaults(run=run)
    verify = subparsers.add_parser(
        "sign verify",
        help="see who signed a mask",
        description="See who signed a mask: exit 0 where every signature is good, 4 where one "
        "cannot be told or there is none, 5 where one is bad.",
    )
    verify.add_argument("mask", type=Path, metavar="MASK", help="a saved mask")
    verify.add_argument("--json", action="store_true", help="one JSON document on stdout")
    verify.add_argument("--audit", type=Path, metavar="DIR", help="the audit log's folder")
    verify.set_defaults(run=run_verify)
    key = subparsers.add_parser(
        "sign key",
        help="make your signing key",
        description="Make your signing key, or a new one in place of it, and print what the "
        "officer needs to name it in the site.",
    )
    key.add_argument("--renew", action="store_true", help="make a new key in place of yours")
    _add_common(key)
    key.set_defaults(run=run_key)
    for word, step, text in _STEPS:
        command = subparsers.add_parser(
            f"sign {word}", help=text, description=f"{text[0].upper()}{text[1:]}."
        )
        command.add_argument("mask", type=Path, metavar="MASK", help="a saved mask")
        add_reason(command)
        add_text(command)
        command.add_argument("--audit", type=Path, metavar="DIR", help="the audit log's folder")
        command.set_defaults(run=run_step, step=step)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="a file of mode 600 whose first line is your passphrase; else it is asked for",
    )
    parser.add_argument("--audit", type=Path, metavar="DIR", help="the audit log's folder")


def run(args: argparse.Namespace) -> int:
    """Sign a mask.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, RefusedError, SaveError, LogError
        When it is no saved mask, the passphrase is another one, its author would approve it,
        or something cannot be written.
    """
    from napari_medlabel.session.desk import open_desk
    from napari_medlabel.session.signing import sign_mask

    role = "annotator" if args.meaning == "authored" else "reviewer"
    _warn_of_site(args)
    desk = open_desk(args.audit, role=role)
    with closing(desk.log):
        signed = sign_mask(
            desk, args.mask, args.meaning, _name(args.name), lambda: _passphrase(args)
        )
    print(f"{signed.said.meaning} {signed.said.time}\nstatement {signed.digest}")
    return 0


def run_step(args: argparse.Namespace) -> int:
    """Send a mask back, or unlock an approved one.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, RefusedError, LogError
        When it is no saved mask, its author would send it back, it is not approved, the text
        is refused, or the log cannot be written.
    """
    from napari_medlabel.session.desk import open_desk
    from napari_medlabel.session.mask_scan import values_under
    from napari_medlabel.session.reviewing import decide
    from napari_medlabel.session.saved_mask import find_mask

    text = given_text(args)
    values = values_under(find_mask(args.mask), args.scan) if text else ()
    desk = open_desk(args.audit, role="reviewer")
    with closing(desk.log):
        done = decide(desk, args.mask, args.step, reason=args.reason, text=text, values=values)
    said = "sent back" if args.step == "review.reject" else "unlocked"
    print(f"{said} {done}")
    return 0


def _warn_of_site(args: argparse.Namespace) -> None:
    """Say before a signature that this computer does not believe the site's officer."""
    try:
        known_site(root_of(args))
    except RefusedError as err:
        say(f"warning: {err.message}\nhint: {err.hint}")


def run_verify(args: argparse.Namespace) -> int:
    """Show every signature over a mask, and how it stands.

    Returns
    -------
    int
        0 good, 4 unknown or none, 5 bad.

    Raises
    ------
    InputError
        When it is no saved mask, or there is no log.
    RefusedError
        When the site's document is not one to believe.
    """
    from napari_medlabel.session.signing import signatures_of

    root = root_of(args)
    site = known_site(root)
    found = signatures_of(root, args.mask, None if site is None else site.site)
    if args.json:
        print(json.dumps(_as_json(found), indent=2))
    else:
        for one in found.found:
            said = one.signed.said
            print(f"{said.time}  {said.meaning:<9} {said.name}\n  {_WORDS[one.standing]}")
            if found.whole and one.standing != "changed":
                print(f"        over {_OVER[_over(found, said.content)]}")
        if found.broken:
            print(f"RED   {found.broken} statement(s) beside the log were changed")
        if found.changed:
            print(f"RED   {found.changed}")
        if not found.found:
            print("AMBER nobody signed this mask")
    standings = {one.standing for one in found.found}
    if found.broken or found.changed or standings & {"unlogged", "revoked"}:
        return _RED
    return 0 if standings == {"good"} else _AMBER


def _over(found: Signatures, content: str) -> str:
    """Return what a signature is over: a version of a study as a whole, or a mask alone."""
    return "version" if content == found.whole else "mask"


def _as_json(found: Signatures) -> dict[str, object]:
    return {
        "content": found.content,
        "whole": found.whole,
        "broken": found.broken,
        "changed": found.changed,
        "signatures": [
            {
                "meaning": one.signed.said.meaning,
                "name": one.signed.said.name,
                "time": one.signed.said.time,
                "user": one.signed.said.user,
                "standing": one.standing,
                "over": _over(found, one.signed.said.content),
                "statement": one.signed.digest,
            }
            for one in found.found
        ],
    }


def run_key(args: argparse.Namespace) -> int:
    """Make the person's signing key, with a line in the log first.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, RefusedError, SaveError, LogError
        When there is one and ``--renew`` is not given, or it cannot be kept.
    """
    from napari_medlabel.secret.asking import from_file, new_at_terminal
    from napari_medlabel.session.desk import open_desk
    from napari_medlabel.session.signer import make_own_key

    file: Path | None = args.passphrase_file

    def ask() -> str:
        if file is not None:
            return from_file(file)
        return new_at_terminal("New passphrase of your signature: ", _HINT)

    desk = open_desk(args.audit, role="unknown")
    with closing(desk.log):
        key = make_own_key(desk, ask, renew=args.renew)
    print(f"user {key.user}\npub {key.public}\ncode {key.code}")
    print(f"The officer names it with: {key.command}", file=sys.stderr)
    return 0


def _name(given: str | None) -> str:
    """Return the printed name; it is asked for where it was not given."""
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise InputError(
            "Your name is needed as it is to be printed, and there is nobody to ask.",
            hint='Give --name "First Last".',
        )
    return input("Your name as it is printed: ").strip()


def _passphrase(args: argparse.Namespace) -> str:
    from napari_medlabel.secret.asking import at_terminal, from_file

    file: Path | None = args.passphrase_file
    return from_file(file) if file is not None else at_terminal("Your passphrase: ", _HINT)
