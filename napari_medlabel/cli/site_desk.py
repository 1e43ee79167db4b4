"""What each change of the site needs: the officer's key, the version before, the log."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from napari_medlabel.errors import InputError, RefusedError

if TYPE_CHECKING:
    from napari_medlabel.audit.keys.officer import OfficerKey
    from napari_medlabel.audit.keys.site import SignedSite, Site
    from napari_medlabel.session.desk import EventLog

ROLE: Final = "officer"
"""Of whoever changes the site."""

_MINOR: Final = 4
HINT: Final = "Give --passphrase-file FILE, or run it in a terminal."


def change_site(
    args: argparse.Namespace,
    setting: str,
    change: Callable[[Site, int], Site],
    more: list[tuple[str, dict[str, object]]] | None = None,
) -> int:
    """Make the next version of the site, with its line in the log first.

    Parameters
    ----------
    args : Namespace
        With ``audit`` and ``passphrase_file``.
    setting : str
        What ``config.change`` names.
    change : callable
        Takes the site and the moment, and returns the site as it is to be.
    more : list of tuple, optional
        Further events, name and detail.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, RefusedError, SaveError, LogError
        When there is no site, it does not come from the officer we know, the change is not
        allowed, or it cannot be written.
    """
    from napari_medlabel.audit.keys.site_change import next_version, settle
    from napari_medlabel.session.desk import open_desk

    root = root_of(args)
    settle(root)
    before = in_force(root)
    moment_ms = now_ms()
    site = change(before.site, moment_ms)
    if site == before.site:
        print("Nothing to change.")
        return 0
    with closing(open_desk(root, role=ROLE).log) as log:
        officer = present_officer(args, log)
        made = next_version(before, site, officer, moment_ms)
        for event, detail in more or ():
            log.append(event, detail=detail)
        publish(root, log, setting, made, before)
    print(f"Version {made[1].site.serial} of the site is in force.")
    return 0


def publish(
    root: Path,
    log: EventLog,
    setting: str,
    made: tuple[bytes, SignedSite],
    before: SignedSite | None,
) -> None:
    """Put a version in force, with its line in the log first.

    Parameters
    ----------
    root : Path
        Folder of the log.
    log : EventLog
        Takes ``config.change``.
    setting : str
        What it names.
    made : tuple
        The document and what it says, as `next_version` gives them.
    before : SignedSite or None
        The version before.

    Raises
    ------
    RefusedError, SaveError, LogError
        When somebody was quicker, or it cannot be written.
    """
    from napari_medlabel.audit.disk import SystemIo
    from napari_medlabel.audit.keys.site_change import save_version

    data, signed = made
    detail: dict[str, object] = {
        "setting": setting,
        "new": signed.digest,
        "serial": signed.site.serial,
    }
    if before is not None:
        detail["old"] = before.digest
    log.append("config.change", detail=detail)
    save_version(root, data, signed.site.serial, SystemIo())


def in_force(root: Path, *, from_pinned: bool = True) -> SignedSite:
    """Return the site in force.

    Parameters
    ----------
    root : Path
        Folder of the log.
    from_pinned : bool
        Whether it must come from the officer whom this computer remembers.

    Raises
    ------
    InputError
        When there is none.
    RefusedError
        When its versions do not follow from each other, or from the officer whom this
        computer remembers.
    """
    from napari_medlabel.audit.keys.pins import pinned_officer
    from napari_medlabel.audit.keys.site_history import read_history
    from napari_medlabel.audit.writer.place import default_state

    history = read_history(root)
    if history.problems:
        raise RefusedError(history.problems[0], hint="Find out who changed it, and when.")
    if history.current is None:
        raise no_site()
    pinned = pinned_officer(default_state()) if from_pinned else None
    if pinned is not None and not history.follows_from(pinned):
        raise RefusedError(
            "This site's document does not come from the officer whom this computer remembers.",
            hint="Ask the officer. Where that is right: medlabel audit site pin CODE.",
        )
    return history.current


def known_site(root: Path) -> SignedSite | None:
    """Return the site in force, or None where the log has none; see `in_force`.

    Raises
    ------
    RefusedError
        As `in_force`.
    """
    from napari_medlabel.audit.keys.site_history import read_history

    history = read_history(root)
    return in_force(root) if history.current or history.problems else None


def officer_key(args: argparse.Namespace, log: EventLog) -> OfficerKey:
    """Return the officer's key of this account, made where there is none.

    Parameters
    ----------
    args : Namespace
        With ``name``, ``keyring`` and ``passphrase_file``.
    log : EventLog
        Takes ``key.create`` before a new key is kept.

    Raises
    ------
    InputError, SaveError, LogError
        When the passphrase is another one or too short, or something cannot be written.
    """
    from napari_medlabel.audit.format.record import time_text
    from napari_medlabel.audit.format.seal import to_base64
    from napari_medlabel.audit.keys.key_document import make_key, read_facts
    from napari_medlabel.audit.keys.officer import (
        PASSPHRASE_VARIABLE,
        OfficerKey,
        officer_key_path,
    )
    from napari_medlabel.audit.writer.place import default_state
    from napari_medlabel.secret.asking import given, new_at_terminal

    state = default_state()
    if read_facts(officer_key_path(state), "officer") is not None:
        return present_officer(args, log)
    passphrase = None
    if not args.keyring:
        passphrase = given(args.passphrase_file, PASSPHRASE_VARIABLE, os.environ)
        if passphrase is None:
            passphrase = new_at_terminal("New passphrase of the officer's key: ", HINT)
    key = make_key(
        officer_key_path(state),
        ("officer", args.name, time_text(now_ms())),
        secrets.token_bytes,
        passphrase=passphrase,
        ring=f"officer-{args.name}" if args.keyring else "",
        announce=lambda public: log.append(
            "key.create", detail={"key": "officer", "pub": to_base64(public)}
        ),
    )
    return OfficerKey(key)


def present_officer(args: argparse.Namespace, log: EventLog) -> OfficerKey:
    """Return the officer's key of this account; a wrong passphrase is noted in the log.

    Raises
    ------
    InputError
        When there is none, or the passphrase is another one.
    """
    from napari_medlabel.audit.keys.officer import load_officer_key
    from napari_medlabel.audit.writer.place import default_state
    from napari_medlabel.secret.passphrase import PassphraseError

    try:
        return load_officer_key(default_state(), lambda: officer_passphrase(args))
    except PassphraseError:
        log.append("user.auth.fail", detail={"method": "passphrase"}, outcome=_MINOR)
        raise


def officer_passphrase(args: argparse.Namespace) -> str:
    """Return the passphrase of the officer's key: from a file, else asked for.

    Raises
    ------
    InputError
        When the file cannot be read, or nobody can be asked.
    """
    from napari_medlabel.audit.keys.officer import PASSPHRASE_VARIABLE
    from napari_medlabel.secret.asking import at_terminal, given

    found = given(args.passphrase_file, PASSPHRASE_VARIABLE, os.environ)
    return at_terminal("Passphrase of the officer's key: ", HINT) if found is None else found


def require_name(name: str) -> None:
    """Refuse a name that a site or a witness cannot have.

    Raises
    ------
    InputError
        With what it may consist of.
    """
    from napari_medlabel.audit.keys.site_schema import NAME

    if not NAME.accepts(name):
        raise InputError(
            f"A name was expected of {NAME.kind}; something else came.",
            hint="For instance: ward-3",
        )


def root_of(args: argparse.Namespace) -> Path:
    """Return the log's folder: ``--audit``, else the default one."""
    from napari_medlabel.audit.writer.place import default_root

    root: Path | None = args.audit
    return default_root() if root is None else root


def now_ms() -> int:
    """Return the time, milliseconds since 1970."""
    from napari_medlabel.audit.disk import SystemClock

    return SystemClock().utc_ms()


def no_site() -> InputError:
    """Return the error for a log without a site."""
    return InputError(
        "A log with a site was expected, and this one has none.",
        hint="The officer begins it with `medlabel audit site init NAME`.",
    )


def say(text: str) -> None:
    """Print what is not the command's result."""
    print(text, file=sys.stderr)
