"""Where a session writes, who writes it, and what it can say for itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol, Self

from napari_medlabel.audit.disk import Clock, Io, place_key
from napari_medlabel.audit.format.event import Actor
from napari_medlabel.audit.format.seal import Head

SPOOL: Final = "spool"


class Certifier(Protocol):
    """The key of this workstation."""

    public: bytes

    def certify(self, origin: str, session_pub: bytes, previous: Head | None) -> bytes:
        """Return key id and signature over a session's key, 68 bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """What a session says about the place that it was written at.

    Parameters
    ----------
    install : Certifier, optional
        Certifies the session's key; None where this workstation has no key.
    policy : str
        Digest of the site's rules in force, or empty.
    validated : tuple of str
        Versions of this program that the site has validated.
    spool_suffices : bool
        Whether the site lets data leave while the log is written on this computer alone.
    worry : str
        What is wrong with key or rules, in a sentence; or empty.
    """

    install: Certifier | None = field(default=None, repr=False)
    policy: str = ""
    validated: tuple[str, ...] = ()
    spool_suffices: bool = False
    worry: str = ""


@dataclass(frozen=True, slots=True)
class Seat:
    """All that sessions of one run of the program share.

    Parameters
    ----------
    home : Path
        Folder of the log.
    state : Path
        Folder of this computer's own memory.
    site, writer : str
        Names in the origin.
    actor : Actor
        Who acts.
    clock, io : Clock, Io
        The machine.
    identity : Identity
        What the session says about its place.
    is_local : bool
        Whether it writes into the spool, since the log's folder cannot be written.
    """

    home: Path
    state: Path
    site: str
    writer: str
    actor: Actor
    clock: Clock
    io: Io
    identity: Identity = Identity()
    is_local: bool = False

    @property
    def spool(self) -> Path:
        """Folder that stands in for the log's: on this computer, laid out in the same way."""
        return self.state / SPOOL / place_key(self.home)

    @property
    def folder(self) -> Path:
        """Where this session's file goes."""
        return self.spool if self.is_local else self.home

    def local(self) -> Self:
        """Return the same seat, writing into the spool."""
        return replace(self, is_local=True)


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a session has to say first.

    Parameters
    ----------
    error : str
        Why the session before it, or the log's folder, could not be written; or empty.
    head : Head, optional
        Of that session.
    is_back : bool
        Whether the log goes on in its folder after a time in the spool.
    observed : tuple of Head
        Of sessions on other computers.
    """

    error: str = ""
    head: Head | None = None
    is_back: bool = False
    observed: tuple[Head, ...] = ()


FIRST: Final = Occasion()
"""A session that nothing went wrong before."""
