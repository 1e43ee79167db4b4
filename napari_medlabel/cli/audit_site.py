"""``medlabel audit site``: the officer says whom the site trusts, and by which rules."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medlabel.cli.audit_trust import (
    run_officer,
    run_policy,
    run_revoke,
    run_trust,
    run_user,
    run_witness,
)
from napari_medlabel.cli.site_desk import (
    ROLE,
    in_force,
    no_site,
    now_ms,
    officer_key,
    publish,
    require_name,
    root_of,
    say,
)
from napari_medlabel.errors import InputError, RefusedError

if TYPE_CHECKING:
    from napari_medlabel.audit.keys.install import Introduction
    from napari_medlabel.audit.keys.site import SignedSite


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``site`` and its own subcommands to ``medlabel audit``.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel audit``.
    """
    parser = subparsers.add_parser(
        "site",
        help="name the site, trust workstations, witnesses and people, set its rules",
        description="The site's document, signed by the officer. Each change is a version of "
        "its own and a line in the log.",
    )
    commands = parser.add_subparsers(dest="site_command", metavar="COMMAND", required=True)
    init = _add(commands, "init", run_init, "begin a site and make its officer's key")
    init.add_argument("name", metavar="NAME", help="lower-case letters, digits and hyphens")
    join = _add(commands, "join", run_join, "make the key of a further officer, print its card")
    join.add_argument("name", metavar="NAME", help="of the site")
    init.add_argument(
        "--here",
        action="store_true",
        help="trust the key of this very computer, too, which `medlabel audit key create` made",
    )
    for made in (init, join):
        made.add_argument(
            "--keyring", action="store_true", help="keep the key in the system's keyring"
        )
    show = _add(commands, "show", run_show, "show whom the site trusts, and its rules")
    show.add_argument("--json", action="store_true", help="one JSON document on stdout")
    trust = _add(commands, "trust", run_trust, "trust the key of a workstation")
    trust.add_argument("writer", metavar="WRITER", help="as `medlabel audit key show` says")
    trust.add_argument("--code", help="the code of its key, read to you from its screen")
    revoke = _add(commands, "revoke", run_revoke, "trust somebody no more from now on")
    revoke.add_argument(
        "name", metavar="NAME", help="a WRITER, a witness, a person's token, an officer's code"
    )
    witness = _add(commands, "witness", run_witness, "name a witness and its key")
    witness.add_argument("name", metavar="NAME")
    witness.add_argument("pub", metavar="PUB", help="public key, base64")
    user = _add(commands, "user", run_user, "name a person's signing key")
    user.add_argument("name", metavar="TOKEN", help="of the person, such as u1-...")
    user.add_argument("pub", metavar="PUB", help="public key, base64")
    officer = _add(commands, "officer", run_officer, "name a further officer")
    officer.add_argument("card", metavar="CARD", help="as `medlabel audit site join` prints it")
    policy = _add(commands, "policy", run_policy, "change rules of the site")
    policy.add_argument("rules", nargs="+", metavar="KEY=VALUE", help="such as review_days=14")
    pin = _add(commands, "pin", run_pin, "make this computer remember the officer's key")
    pin.add_argument(
        "code", metavar="CODE", help="of the officer's key, as told by the officer"
    )


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=f"{text.capitalize()}.")
    command.add_argument("--audit", type=Path, metavar="DIR", help="the audit log's folder")
    if name not in {"show", "pin"}:
        command.add_argument(
            "--passphrase-file",
            type=Path,
            metavar="FILE",
            help="a file of mode 600 whose first line is the officer's passphrase",
        )
    command.set_defaults(run=run)
    return command


def run_init(args: argparse.Namespace) -> int:
    """Begin a site: its officer's key, its first version, and this computer's memory of it.

    Returns
    -------
    int
        0.

    Raises
    ------
    RefusedError
        When the log has a site already.
    InputError, SaveError, LogError
        When the name is not allowed, or something cannot be written.
    """
    from napari_medlabel.audit.keys.pins import pin_officer
    from napari_medlabel.audit.keys.site_change import begun, next_version, trusting
    from napari_medlabel.audit.keys.site_history import read_history
    from napari_medlabel.audit.writer.place import default_state
    from napari_medlabel.session.desk import open_desk

    root, state = root_of(args), default_state()
    require_name(args.name)
    own = _own_key(root, state) if args.here else None
    history = read_history(root)
    if history.current or history.versions or history.problems:
        raise RefusedError(
            "This log has a site already, and there is one site for a log.",
            hint="`medlabel audit site show` shows it.",
        )
    with closing(open_desk(root, role=ROLE).log) as log:
        officer = officer_key(args, log)
        site = begun(args.name, now_ms(), officer)
        site = site if own is None else trusting(site, own)
        data, signed = next_version(None, site, officer, now_ms())
        publish(root, log, "site", (data, signed), None)
    pin_officer(state, args.name, officer.public)
    _print_officer(args.name, officer.public)
    if own is not None:
        print("This computer is trusted.")
    each = "each other workstation" if own is not None else "each workstation"
    say(f"Next, on {each}: medlabel audit key create; then here: site trust WRITER")
    return 0


def _own_key(root: Path, state: Path) -> Introduction:
    """Return the key of this computer, as its own folder has it: no code need be compared."""
    from napari_medlabel.audit.format.record import time_text
    from napari_medlabel.audit.keys.install import (
        KEY_VARIABLE,
        copy_introduction,
        install_key_path,
        load_install_key,
        publish_install,
        read_introduction,
    )
    from napari_medlabel.audit.keys.key_document import read_facts
    from napari_medlabel.audit.writer.place import writer_id

    writer = writer_id(state)
    if os.environ.get(KEY_VARIABLE) and (named := load_install_key(state)) is not None:
        shown = read_introduction(root, writer)
        if shown is None or shown.public != named.public:
            publish_install(root, writer, named, time_text(now_ms()))
            shown = read_introduction(root, writer)
        if shown is not None:
            return shown
    facts = read_facts(install_key_path(state), "install")
    if facts is not None:
        copy_introduction(root, state, writer)
    found = read_introduction(root, writer) if facts is not None else None
    if facts is None or found is None or found.public != facts.public:
        raise InputError(
            "A key of this computer was expected, and there is none.",
            hint="Run `medlabel audit key create` first, or leave --here out.",
        )
    return found


def run_join(args: argparse.Namespace) -> int:
    """Make the key of a further officer, and print what the officer in office needs.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, SaveError, LogError
        When the name is not allowed, or something cannot be written.
    """
    from napari_medlabel.session.desk import open_desk

    require_name(args.name)
    with closing(open_desk(root_of(args), role=ROLE).log) as log:
        officer = officer_key(args, log)
    _print_officer(args.name, officer.public)
    print(f"card {officer.card()}")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Show the site in force, and what is wrong with its versions.

    Returns
    -------
    int
        0; 5 where a version does not follow from the one before.

    Raises
    ------
    InputError
        When there is no site.
    """
    from napari_medlabel.audit.keys.site_history import read_history

    history = read_history(root_of(args))
    if history.current is None and not history.problems:
        raise no_site()
    if args.json:
        shown = {
            "site": None if history.current is None else history.current.site.record(),
            "digest": None if history.current is None else history.current.digest,
            "versions": len(history.versions),
            "problems": list(history.problems),
        }
        print(json.dumps(shown, indent=2))
    else:
        if history.current is not None:
            _print_site(history.current)
        for problem in history.problems:
            print(f"RED   {problem}")
    return 5 if history.problems else 0


def run_pin(args: argparse.Namespace) -> int:
    """Remember the officer of the log, when the code is the one that the officer told.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, RefusedError, SaveError, LogError
        When there is no site, the code is another one, or it cannot be written.
    """
    from napari_medlabel.audit.keys.pins import pin_officer
    from napari_medlabel.audit.keys.signatures import is_fingerprint
    from napari_medlabel.audit.writer.place import default_state
    from napari_medlabel.session.desk import open_desk

    found = in_force(root_of(args), from_pinned=False)
    if not is_fingerprint(args.code, found.officer):
        raise RefusedError(
            "The code is not that of the officer who signed this site's document: the document "
            "may be somebody else's.",
            hint="Ask the officer to read it from `medlabel audit site show` in their account.",
        )
    detail = {"setting": "officers", "new": found.digest, "serial": found.site.serial}
    with closing(open_desk(root_of(args), role="unknown").log) as log:
        log.append("config.change", detail=detail)
        pin_officer(default_state(), found.site.name, found.officer)
    print(f"This computer remembers the officer of site {found.site.name}.")
    return 0


def _print_officer(name: str, public: bytes) -> None:
    from napari_medlabel.audit.keys.signatures import fingerprint

    print(f"site {name}\nofficer's code {fingerprint(public)}")


def _print_site(found: SignedSite) -> None:
    from napari_medlabel.audit.format.record import time_text
    from napari_medlabel.audit.keys.signatures import fingerprint

    site = found.site
    print(f"site {site.name}, version {site.serial} of {time_text(site.made_ms)}")
    rows = [
        *(("officer", "", one.public, one.revoked_ms) for one in site.officers),
        *(("workstation", one.writer, one.public, one.revoked_ms) for one in site.installs),
        *(("witness", one.name, one.public, one.revoked_ms) for one in site.witnesses),
        *(("person", one.user, one.public, one.revoked_ms) for one in site.users),
    ]
    for kind, name, public, revoked_ms in rows:
        ended = "" if revoked_ms is None else f"  until {time_text(revoked_ms)}"
        print(f"{kind:<12}{name:<22}{fingerprint(public)}{ended}")
    for rule, value in site.policy.record().items():
        print(f"rule        {rule:<22}{json.dumps(value)}")
