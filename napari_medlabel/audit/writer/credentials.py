"""What a session can show for itself: the workstation's key, and the rules of the site."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from napari_medlabel.audit.anchors.memory import recall
from napari_medlabel.audit.disk import place_key
from napari_medlabel.audit.keys.install import copy_introduction, load_install_key
from napari_medlabel.audit.keys.pins import Pin, pin_officer, read_pin
from napari_medlabel.audit.keys.site import SignedSite, read_site
from napari_medlabel.audit.keys.site_history import read_history
from napari_medlabel.audit.writer.seat import Certifier, Identity
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.secret.asking import Ask
from napari_medlabel.secret.passphrase import PassphraseError

LOCAL: Final = "local"
"""Name of the site where nobody gave one."""

_NO_KEY: Final = (
    "The key of this workstation cannot be used: its sessions are not certified. "
    "`medlabel audit key show` says why."
)
_NO_SITE: Final = (
    "The rules of the site cannot be trusted: they are not followed. "
    "`medlabel audit verify` says why."
)
_NOT_SHOWN: Final = "The key of this workstation could not be shown beside the log."


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a session can show.

    Parameters
    ----------
    site : str
        Name of the site, for the origin.
    identity : Identity
        The key and the rules.
    """

    site: str
    identity: Identity


def _is_trusted(signed: SignedSite, pin: Pin | None, root: Path, state: Path) -> bool:
    """Return whether the rules come from the officer whom this computer knows.

    The first officer that is seen is remembered (trust on first use).
    """
    if pin is None:
        pin_officer(state, signed.site.name, signed.officer)
        return True
    if pin.site != signed.site.name:
        return False
    return pin.public == signed.officer or read_history(root).follows_from(pin.public)


def _rules(root: Path, state: Path) -> tuple[str, SignedSite | None, str]:
    """Return the name of the site, its rules where they can be trusted, and what is wrong."""
    name = LOCAL
    try:
        pin = read_pin(state)
        name = pin.site if pin is not None else LOCAL
        signed = read_site(root)
        if signed is None:
            return (name if _wrote_for(name, root, state) else LOCAL), None, ""
        if _is_trusted(signed, pin, root, state):
            return signed.site.name, signed, ""
    except (InputError, SaveError):
        return name, None, _NO_SITE
    return name, None, _NO_SITE


def _wrote_for(site: str, root: Path, state: Path) -> bool:
    """Return whether this computer wrote for a site into this folder.

    Then its document should be there. A scratch log on the same computer is of no site.
    """
    place = place_key(root)
    try:
        return any(
            entry.place == place and entry.head.origin.split("/")[1] == site
            for entry in recall(state)
        )
    except OSError:
        return True  # unknown: the stricter answer


def _key(state: Path, ask: Ask | None) -> tuple[Certifier | None, str]:
    try:
        return load_install_key(state, passphrase=ask), ""
    except PassphraseError:
        raise  # somebody typed it just now, and types it again
    except InputError:
        return None, _NO_KEY


def _shown(root: Path, state: Path, writer: str) -> str:
    try:
        copy_introduction(root, state, writer)
    except (OSError, SaveError):
        return _NOT_SHOWN
    return ""


def credentials_of(
    root: Path, state: Path, writer: str, *, ask: Ask | None = None
) -> Credentials:
    """Return what this workstation's sessions show.

    Nothing that is wrong with keys or rules stops the log: sessions go on without them, which
    verification finds, and the lamp says so.

    Parameters
    ----------
    root : Path
        Folder of the log.
    state : Path
        Folder of this computer's own memory.
    writer : str
        Who writes here.
    ask : callable, optional
        Asks for the passphrase of the workstation's key, where it has one.

    Raises
    ------
    PassphraseError
        When another passphrase is given.
    """
    name, signed, no_site = _rules(root, state)
    key, no_key = _key(state, ask)
    policy = signed.site.policy if signed is not None else None
    worries = (no_site, no_key, _shown(root, state, writer) if root.is_dir() else "")
    identity = Identity(
        key,
        signed.digest if signed is not None else "",
        policy.validated if policy is not None else (),
        policy.spool_suffices if policy is not None else False,
        " ".join(worry for worry in worries if worry),
    )
    return Credentials(name, identity)
