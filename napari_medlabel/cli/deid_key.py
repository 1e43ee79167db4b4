"""``medlabel deid key``: make a project key, put a passphrase on it, say which one it is."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

from napari_medlabel.cli.project_key import (
    add_key_options,
    asked_passphrase,
    key_store,
    new_project,
    open_table,
    read_store,
    start_links,
)
from napari_medlabel.errors import InputError

_ROLE: Final = "researcher"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``key`` and its own subcommands to ``medlabel deid``.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel deid``.
    """
    parser = subparsers.add_parser(
        "key",
        help="make a project key, set its passphrase, show its key id",
        description="The project key: UIDs, date shifts and log tokens come from it, and it "
        "opens the link table beside it.",
    )
    commands = parser.add_subparsers(dest="key_command", metavar="COMMAND", required=True)
    create = commands.add_parser(
        "create",
        help="make a key and an empty link table",
        description="Make a key and an empty link table beside it. Nothing is overwritten.",
    )
    add_key_options(create)
    create.add_argument(
        "--passphrase", action="store_true", help="put the key under a passphrase"
    )
    _add_audit(create)
    create.set_defaults(run=run_create)
    show = commands.add_parser(
        "show",
        help="show the key id",
        description="Show the key id, and whether there are a passphrase and a link table. "
        "Needs no passphrase.",
    )
    add_key_options(show)
    show.add_argument("--json", action="store_true", help="one JSON document on stdout")
    show.set_defaults(run=run_show)
    change = commands.add_parser(
        "passphrase",
        help="set, change or remove the passphrase",
        description="Set, change or remove the passphrase. The key stays the same, and so do "
        "all pseudonyms.",
    )
    change.add_argument("action", choices=["set", "change", "remove"])
    add_key_options(change)
    change.add_argument(
        "--new-passphrase-file",
        type=Path,
        metavar="FILE",
        help="a file of mode 600 whose first line is the new passphrase; else it is asked for",
    )
    _add_audit(change)
    change.set_defaults(run=run_passphrase)


def _add_audit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--audit", type=Path, metavar="DIR", help="the audit log's folder")


def run_create(args: argparse.Namespace) -> int:
    """Make a key, with a line in the log first.

    Returns
    -------
    int
        0.

    Raises
    ------
    SaveError, LogError
        When there is one already, or it cannot be written, or the log cannot.
    """
    from napari_medlabel.session.desk import open_desk

    store = key_store(args.key)
    wanted = args.passphrase or args.passphrase_file is not None
    store.prepare()
    passphrase = _new_passphrase(args.passphrase_file) if wanted else None
    with closing(open_desk(args.audit, role=_ROLE).log) as log:
        project = new_project(store, log, passphrase=passphrase)
    print(f"key {project.key_id}\npassphrase {_yes(project.is_sealed)}")
    _say(
        "Keep the key and its link table (.links) together, apart from the data, with a backup."
    )
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Say which key it is.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        When there is none, or it cannot be read.
    """
    from napari_medlabel.deid.keys.key_file import facts_of

    store = key_store(args.key)
    facts = facts_of(store)
    has_links = store.links.exists()
    if args.json:
        shown = {
            "key_id": facts.key_id,
            "version": facts.version,
            "passphrase": facts.is_sealed,
            "links": has_links,
        }
        print(json.dumps(shown))
        return 0
    print(f"key {facts.key_id}\nversion {facts.version}")
    print(f"passphrase {_yes(facts.is_sealed)}\nlink table {_yes(has_links)}")
    return 0


def run_passphrase(args: argparse.Namespace) -> int:
    """Put the key under another passphrase, or under none, with a line in the log first.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        When there is one and none was expected, or the other way round.
    SaveError, LogError
        When the key cannot be written, or the log cannot; then it is as before.
    """
    from napari_medlabel.deid.keys.key_file import facts_of, reseal
    from napari_medlabel.session.desk import open_desk

    store = key_store(args.key)
    is_sealed = facts_of(store).is_sealed
    if is_sealed == (args.action == "set"):
        raise InputError(
            f"The key was expected to have {'no' if is_sealed else 'a'} passphrase, and it has "
            f"{'one' if is_sealed else 'none'}.",
            hint=f"Use `medlabel deid key passphrase {'change' if is_sealed else 'set'}`.",
        )
    with closing(open_desk(args.audit, role=_ROLE).log) as log:
        project = read_store(store, args, log)
        if project.is_before_links and not store.links.exists():
            start_links(store, project, log)
        open_table(store, project, writable=True).close()  # no run that uses the key goes on
        passphrase = None
        if args.action != "remove":
            # $MEDLABEL_PASSPHRASE, where it is set, is the one that is to be changed.
            is_free = args.action == "set"
            passphrase = _new_passphrase(args.new_passphrase_file, environment=is_free)
        log.append("key.seal", detail={"what": args.action, "key_id": f"k-{project.key_id}"})
        changed = reseal(store, project, passphrase, secrets.token_bytes)
    print(f"key {changed.key_id}\npassphrase {_yes(changed.is_sealed)}")
    _say("Older copies of the key file open as before: replace the backups.")
    return 0


def _new_passphrase(file: Path | None, *, environment: bool = True) -> str:
    """Return a new passphrase; one that is typed is typed twice."""
    from napari_medlabel.secret.passphrase import check_passphrase

    if file is not None:
        return asked_passphrase(file)
    new, again = "New passphrase of the key: ", "Once more: "
    passphrase = asked_passphrase(None, prompt=new, environment=environment)
    check_passphrase(passphrase)
    if asked_passphrase(None, prompt=again, environment=environment) != passphrase:
        raise InputError("The two passphrases differ.", hint="Type the same one twice.")
    return passphrase


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _say(text: str) -> None:
    print(text, file=sys.stderr)
