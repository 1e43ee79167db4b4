"""Changes of ``site.json``: who is trusted, who no more, and the rules; each a new version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.disk import SHARED, Io, write_once
from napari_medlabel.audit.faults import error_name, log_error
from napari_medlabel.audit.format.layout import SITE, site_version
from napari_medlabel.audit.keys.install import Introduction
from napari_medlabel.audit.keys.officer import OfficerKey
from napari_medlabel.audit.keys.site import (
    Install,
    Officer,
    Policy,
    SignedSite,
    Site,
    User,
    Witness,
    parse_site,
    site_document,
)
from napari_medlabel.audit.keys.site_history import read_history, why_not_next
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.io.files import write_bytes_aside

_YES: Final = {"yes": True, "true": True, "no": False, "false": False}


def begun(name: str, made_ms: int, officer: OfficerKey) -> Site:
    """Return the first version of a site: one officer, nobody trusted yet."""
    return Site(name, 1, made_ms, officers=(Officer(officer.public, officer.box),))


def trusting(site: Site, found: Introduction) -> Site:
    """Return a site that trusts a workstation's key, whenever it was used.

    Times are what each computer says of itself: a session that this key certified before the
    officer, or a slow clock, came to know it is no worse than a later one.

    Raises
    ------
    RefusedError
        When that key was revoked: it needs a new one.
    """
    known = site.install(found.writer, found.public)
    if known is not None and known.revoked_ms is not None:
        raise RefusedError(
            "The key of this workstation was revoked, and such a key is never trusted again.",
            hint="Run `medlabel audit key rotate` on it, then trust the new key.",
        )
    if known is not None:
        return site
    new = Install(found.writer, found.public, 0)
    return replace(site, installs=(*site.installs, new))


def revoking(site: Site, writer: str, at_ms: int) -> Site:
    """Return a site that trusts no key of a workstation from a moment on.

    Raises
    ------
    InputError
        When it trusts none.
    """
    ours = [one for one in site.installs if one.writer == writer and one.revoked_ms is None]
    if not ours:
        raise InputError(
            "A workstation that the site trusts was expected, and none of its keys is trusted.",
            hint="`medlabel audit site show` lists the workstations.",
        )
    installs = tuple(
        replace(one, revoked_ms=at_ms) if one in ours else one for one in site.installs
    )
    return replace(site, installs=installs)


def with_witness(site: Site, name: str, public: bytes, at_ms: int) -> Site:
    """Return a site with a witness's key; an earlier key of that name is revoked."""
    known = [one for one in site.witnesses if (one.name, one.public) == (name, public)]
    _refuse_revoked(known)
    older = tuple(
        replace(one, revoked_ms=at_ms) if one.name == name and one.revoked_ms is None else one
        for one in site.witnesses
        if one not in known
    )
    return replace(site, witnesses=(*older, Witness(name, public)))


def with_user(site: Site, token: str, public: bytes, at_ms: int) -> Site:
    """Return a site with a person's signing key; an earlier key of theirs is revoked."""
    known = [one for one in site.users if (one.user, one.public) == (token, public)]
    _refuse_revoked(known)
    older = tuple(
        replace(one, revoked_ms=at_ms) if one.user == token and one.revoked_ms is None else one
        for one in site.users
        if one not in known
    )
    return replace(site, users=(*older, User(token, public)))


def _refuse_revoked(known: Sequence[Witness | User]) -> None:
    if any(one.revoked_ms is not None for one in known):
        raise RefusedError(
            "This key was revoked, and such a key is never trusted again.",
            hint="Make a new key, then name that one.",
        )


def without(site: Site, name: str, at_ms: int) -> Site:
    """Return a site in which no key of a witness or a person counts from a moment on.

    Parameters
    ----------
    site : Site
        Before.
    name : str
        Name of a witness, or token of a person.
    at_ms : int
        The moment.

    Raises
    ------
    InputError
        When none is trusted by that name.
    """
    witnesses = tuple(
        replace(one, revoked_ms=at_ms) if one.name == name and one.revoked_ms is None else one
        for one in site.witnesses
    )
    users = tuple(
        replace(one, revoked_ms=at_ms) if one.user == name and one.revoked_ms is None else one
        for one in site.users
    )
    if (witnesses, users) == (site.witnesses, site.users):
        raise InputError(
            "A witness or a person whom the site trusts was expected, and none has this name.",
            hint="`medlabel audit site show` lists them.",
        )
    return replace(site, witnesses=witnesses, users=users)


def with_officer(site: Site, public: bytes, box: bytes) -> Site:
    """Return a site with one more officer.

    Raises
    ------
    RefusedError
        When that key was revoked.
    """
    known = site.officer(public)
    if known is not None and known.revoked_ms is not None:
        raise RefusedError(
            "The key of this officer was revoked, and a revoked key is never trusted again.",
            hint="Make a new officer's key in a new account.",
        )
    if known is not None:
        return site
    return replace(site, officers=(*site.officers, Officer(public, box)))


def without_officer(site: Site, public: bytes, at_ms: int) -> Site:
    """Return a site in which an officer may sign no further version.

    Raises
    ------
    InputError
        When that is no officer in office.
    RefusedError
        When nobody would be left.
    """
    found = site.officer(public)
    if found is None or found.revoked_ms is not None:
        raise InputError(
            "An officer in office was expected, and this key is of none.",
            hint="`medlabel audit site show` lists the officers.",
        )
    officers = tuple(
        replace(one, revoked_ms=at_ms) if one is found else one for one in site.officers
    )
    if all(one.revoked_ms is not None for one in officers):
        raise RefusedError(
            "This is the last officer: without one nobody could change the site any more.",
            hint="Name another officer first.",
        )
    return replace(site, officers=officers)


def with_policy(site: Site, changes: dict[str, str]) -> Site:
    """Return a site with other rules.

    Parameters
    ----------
    site : Site
        Before.
    changes : dict of str to str
        Rules as typed: whole numbers, ``yes`` or ``no``, lists with commas.

    Raises
    ------
    InputError
        When there is no such rule, or its value is not allowed.
    """
    rules: dict[str, Any] = site.policy.record()
    for name, typed in changes.items():
        if name not in rules:
            raise InputError(
                "There is no rule of this name.", hint=f"Rules: {', '.join(sorted(rules))}."
            )
        rules[name] = _value(rules[name], name, typed)
    return replace(site, policy=Policy.of_record(rules))


def _value(before: object, name: str, typed: str) -> object:
    """Return what was typed, as the kind of value that the rule has."""
    if isinstance(before, bool):
        return _YES.get(typed.lower(), typed)
    if isinstance(before, int):
        return _number(typed)
    parts = [part.strip() for part in typed.split(",") if part.strip()]
    return [_number(part) for part in parts] if name == "work_days" else parts


def _number(typed: str) -> object:
    """Return a whole number, or what was typed where it is none: refused as a value."""
    return int(typed) if typed.removeprefix("-").isdecimal() else typed


def next_version(
    before: SignedSite | None, site: Site, officer: OfficerKey, made_ms: int
) -> tuple[bytes, SignedSite]:
    """Return the next version of a site, signed.

    Parameters
    ----------
    before : SignedSite or None
        The version in force; None for the first.
    site : Site
        What it is to say; number, time and what it follows are set here.
    officer : OfficerKey
        Who signs.
    made_ms : int
        Now.

    Returns
    -------
    data : bytes
        The document.
    signed : SignedSite
        What it says.

    Raises
    ------
    RefusedError
        When this officer may not sign it.
    InputError
        When it says what no document may say.
    """
    serial = 1 if before is None else before.site.serial + 1
    previous = "" if before is None else before.digest
    numbered = replace(site, serial=serial, previous=previous, made_ms=made_ms)
    problem = why_not_next(SignedSite(numbered, officer.public, ""), before)
    if problem:
        raise RefusedError(
            f"The next version of the site's document {problem}.",
            hint="An officer in office must sign it: the site names them.",
        )
    data = site_document(numbered, officer.signing)
    return data, parse_site(data)


def save_version(root: Path, data: bytes, serial: int, io: Io) -> None:
    """Keep a version for ever, then put it in force.

    Parameters
    ----------
    root : Path
        Folder of the log.
    data : bytes
        The document.
    serial : int
        Its number.
    io : Io
        The machine.

    Raises
    ------
    RefusedError
        When somebody else made a version with this number meanwhile.
    LogError, SaveError
        When it cannot be written.
    """
    try:
        kept = write_once(io, root / site_version(serial), data, SHARED)
    except OSError as err:
        raise log_error("The site's document could not be kept", error_name(err)) from err
    if kept != data:
        raise RefusedError(
            f"Version {serial} of the site's document was made by somebody else meanwhile.",
            hint="Look at it with `medlabel audit site show`, then try again.",
        )
    write_bytes_aside(root / SITE, data)


def settle(root: Path) -> bool:
    """Put the last version that was kept in force, where a crash or a hand put an older one.

    Parameters
    ----------
    root : Path
        Folder of the log.

    Returns
    -------
    bool
        Whether that was needed. Nothing is done where the kept versions do not follow from
        each other, or what is in force is not one of them.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    history = read_history(root)
    if not history.versions or (root / SITE).exists() > (history.current is not None):
        return False
    last, now = history.versions[-1], history.current
    if now is not None and (now == last or now.digest not in history.digests()):
        return False
    write_bytes_aside(root / SITE, (root / site_version(last.site.serial)).read_bytes())
    return True
