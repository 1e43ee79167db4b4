"""``medlabel audit site``: trust workstations, witnesses, people, officers; set the rules."""

from __future__ import annotations

import argparse
import sys

from napari_medlabel.cli.site_desk import change_site, in_force, require_name, root_of
from napari_medlabel.errors import InputError, RefusedError


def run_trust(args: argparse.Namespace) -> int:
    """Trust the key that a workstation shows, when its code is the one on its screen.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, RefusedError, SaveError, LogError
        When it shows none, its code is another one, or it cannot be written.
    """
    from napari_medlabel.audit.keys.install import read_introduction
    from napari_medlabel.audit.keys.signatures import is_fingerprint
    from napari_medlabel.audit.keys.site_change import trusting

    _require_writer(args.writer)
    found = read_introduction(root_of(args), args.writer)
    if found is None:
        raise InputError(
            "A workstation that shows its key was expected, and this one shows none.",
            hint="Run `medlabel audit key create` on it, with the same log.",
        )
    code = args.code if args.code is not None else _typed_code()
    if not is_fingerprint(code, found.public):
        raise RefusedError(
            "The code is not that of the key which lies in the log's folder: somebody may have "
            "put another key there.",
            hint="Read it again from the workstation's own screen: medlabel audit key show.",
        )
    return change_site(args, "workstations", lambda site, _now: trusting(site, found))


def run_revoke(args: argparse.Namespace) -> int:
    """Trust a workstation, a witness, a person or an officer no more.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, RefusedError, SaveError, LogError
        When nobody has that name, nobody would be left, or it cannot be written.
    """
    from napari_medlabel.audit.format.schema import USER
    from napari_medlabel.audit.format.seal import to_base64
    from napari_medlabel.audit.keys.signatures import is_fingerprint
    from napari_medlabel.audit.keys.site_change import revoking, without, without_officer
    from napari_medlabel.audit.keys.site_schema import WRITER

    name: str = args.name
    current = in_force(root_of(args)).site
    officers = [one.public for one in current.officers if is_fingerprint(name, one.public)]
    if WRITER.accepts(name):
        gone = [i for i in current.installs if i.writer == name and i.revoked_ms is None]
        return change_site(
            args,
            "workstations",
            lambda site, now: revoking(site, name, now),
            [("key.revoke", {"key": "install", "pub": to_base64(i.public)}) for i in gone],
        )
    if officers:
        return change_site(
            args,
            "officers",
            lambda site, now: without_officer(site, officers[0], now),
            [("key.revoke", {"key": "officer", "pub": to_base64(officers[0])})],
        )
    setting = "users" if USER.accepts(name) else "witnesses"
    return change_site(args, setting, lambda site, now: without(site, name, now))


def run_witness(args: argparse.Namespace) -> int:
    """Name a witness; an earlier key of that name counts no more.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, RefusedError, SaveError, LogError
        When the key is none or was revoked, or it cannot be written.
    """
    from napari_medlabel.audit.keys.site_change import with_witness

    require_name(args.name)
    public = _public(args.pub)
    return change_site(
        args, "witnesses", lambda site, now: with_witness(site, args.name, public, now)
    )


def run_user(args: argparse.Namespace) -> int:
    """Name a person's signing key; an earlier key of theirs counts no more.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, RefusedError, SaveError, LogError
        When token or key are none, the key was revoked, or it cannot be written.
    """
    from napari_medlabel.audit.format.schema import USER
    from napari_medlabel.audit.keys.site_change import with_user

    if not USER.accepts(args.name):
        raise InputError(
            "A person's token was expected, such as u1- and 16 hex digits.",
            hint="`medlabel sign key` prints it in the person's account.",
        )
    public = _public(args.pub)
    return change_site(args, "users", lambda site, now: with_user(site, args.name, public, now))


def run_officer(args: argparse.Namespace) -> int:
    """Name a further officer, signed by the one in office.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, RefusedError, SaveError, LogError
        When the card is none, the key was revoked, or it cannot be written.
    """
    from napari_medlabel.audit.keys.officer import read_card
    from napari_medlabel.audit.keys.site_change import with_officer

    public, box = read_card(args.card)
    return change_site(args, "officers", lambda site, _now: with_officer(site, public, box))


def run_policy(args: argparse.Namespace) -> int:
    """Change rules of the site.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, RefusedError, SaveError, LogError
        When a rule is none or its value not allowed, or it cannot be written.
    """
    from napari_medlabel.audit.keys.site_change import with_policy

    pairs = [rule.partition("=") for rule in args.rules]
    if any(not equals for _, equals, _ in pairs):
        raise InputError(
            "Rules were expected as KEY=VALUE, and one has no equals sign.",
            hint="For instance: medlabel audit site policy review_days=14 work_days=0,1,2,3,4",
        )
    changes = {key: value for key, _, value in pairs}
    return change_site(args, "policy", lambda site, _now: with_policy(site, changes))


def _typed_code() -> str:
    """Ask for the code on the workstation's screen; it is not shown here to be copied."""
    if not sys.stdin.isatty():
        raise InputError(
            "The code of the workstation's key is needed, and there is nobody to ask.",
            hint="Give --code CODE, as `medlabel audit key show` says on the workstation.",
        )
    return input("Code on the workstation's screen: ")


def _public(text: str) -> bytes:
    from napari_medlabel.audit.format.seal import from_base64

    try:
        return from_base64(text, 32)
    except ValueError as err:
        raise InputError(
            "A public key was expected, 44 letters of base64, and something else came.",
            hint="Copy it as it was printed, with the sign at its end.",
        ) from err


def _require_writer(name: str) -> None:
    from napari_medlabel.audit.keys.site_schema import WRITER

    if not WRITER.accepts(name):
        raise InputError(
            f"A workstation is named by {WRITER.kind}; something else came.",
            hint="`medlabel audit key show` says it on the workstation.",
        )
