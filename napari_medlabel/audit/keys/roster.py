"""Whom a site trusts, since when and until when, and by which rules it works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, Self

from napari_medlabel.audit.format.record import time_ms, time_text
from napari_medlabel.audit.format.seal import from_base64, to_base64
from napari_medlabel.audit.keys.site_schema import POLICY
from napari_medlabel.errors import InputError

VERSION: Final = 1
"""The ``v`` of the site's document."""

Trust = Literal["trusted", "revoked", "unknown"]


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of a site.

    Parameters
    ----------
    anchor_hours : int
        How old the youngest anchor outside a computer may be.
    review_days : int
        How often the log is reviewed.
    retention_days : int
        How long it is kept.
    work_from, work_to : int
        Hours between which work is expected, local time.
    work_days : tuple of int
        Days of work, 0 for Monday.
    utc_offset_minutes : int
        Local time against UTC.
    spool_suffices : bool
        Whether exports may go on while the log is on this computer alone.
    validated : tuple of str
        Versions of the program that the site has validated.

    Raises
    ------
    InputError
        When a value is not allowed. The message names the rule.
    """

    anchor_hours: int = 24
    review_days: int = 30
    retention_days: int = 2190
    work_from: int = 7
    work_to: int = 19
    work_days: tuple[int, ...] = (0, 1, 2, 3, 4)
    utc_offset_minutes: int = 0
    spool_suffices: bool = False
    validated: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, value in self.record().items():
            if not POLICY[name].accepts(value):
                raise InputError(
                    f"The rule '{name}' must be: {POLICY[name].kind}; something else came.",
                    hint="`medlabel audit site show` shows the rules in force.",
                )

    def record(self) -> dict[str, object]:
        """Return the rules as they stand in the document."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def of_record(cls, found: Mapping[str, Any]) -> Self:
        """Build from the rules as they stand in the document."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in found.items()
        }
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody who may sign the site's document.

    Parameters
    ----------
    public : bytes
        Signing key.
    box : bytes
        X25519 key to which free text is encrypted; empty where none is.
    revoked_ms : int or None
        Since when no more; milliseconds since 1970.
    """

    public: bytes
    box: bytes = b""
    revoked_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Install:
    """A workstation's key that the officer trusts, or trusted.

    Parameters
    ----------
    writer : str
        Who writes there.
    public : bytes
        The key.
    from_ms : int
        Since when it is trusted.
    revoked_ms : int or None
        Since when no more.
    """

    writer: str
    public: bytes
    from_ms: int
    revoked_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """Somebody who cosigns heads.

    Parameters
    ----------
    name : str
        Of the witness.
    public : bytes
        Its key.
    revoked_ms : int or None
        Since when no more.
    """

    name: str
    public: bytes
    revoked_ms: int | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A person's signing key.

    Parameters
    ----------
    user : str
        Token of the person.
    public : bytes
        The key.
    revoked_ms : int or None
        Since when no more.
    """

    user: str
    public: bytes
    revoked_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """What the officer says: one version of the document.

    Parameters
    ----------
    name : str
        Of the site: lower-case letters, digits and hyphens, at most 32.
    serial : int
        Number of the version, from 1.
    made_ms : int
        When.
    previous : str
        Digest of the version before; empty for the first.
    officers, installs, witnesses, users : tuple
        Who is trusted, and who no more.
    policy : Policy
        The rules.
    """

    name: str
    serial: int
    made_ms: int
    previous: str = ""
    officers: tuple[Officer, ...] = ()
    installs: tuple[Install, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    users: tuple[User, ...] = ()
    policy: Policy = field(default_factory=Policy)

    def officer(self, public: bytes) -> Officer | None:
        """Return the officer with this key."""
        return next((one for one in self.officers if one.public == public), None)

    def install(self, writer: str, public: bytes) -> Install | None:
        """Return what is said of a workstation's key."""
        named = (writer, public)
        return next((one for one in self.installs if (one.writer, one.public) == named), None)

    def witness(self, name: str) -> Witness | None:
        """Return the key of a witness: the one in force, else the last one revoked."""
        ours = [one for one in self.witnesses if one.name == name]
        in_force = [one for one in ours if one.revoked_ms is None]
        return next(iter([*in_force, *reversed(ours)]), None)

    def user(self, token: str, public: bytes) -> User | None:
        """Return what is said of a person's key."""
        return next(
            (one for one in self.users if (one.user, one.public) == (token, public)), None
        )

    def trusts(self, writer: str, public: bytes, at_ms: int) -> Trust:
        """Return whether a workstation's key is to be trusted for something of a moment.

        Parameters
        ----------
        writer : str
            Who wrote.
        public : bytes
            The key.
        at_ms : int
            When, milliseconds since 1970.
        """
        found = self.install(writer, public)
        if found is None:
            return "unknown"
        if found.revoked_ms is not None and at_ms >= found.revoked_ms:
            return "revoked"
        return "trusted" if at_ms >= found.from_ms else "unknown"

    def record(self) -> dict[str, object]:
        """Return the site as it stands in the document."""
        return {
            "installs": [
                {
                    "from": time_text(one.from_ms),
                    "pub": to_base64(one.public),
                    "revoked": _shown(one.revoked_ms),
                    "writer": one.writer,
                }
                for one in self.installs
            ],
            "made": time_text(self.made_ms),
            "name": self.name,
            "officers": [
                {
                    "box": to_base64(one.box) if one.box else "",
                    "pub": to_base64(one.public),
                    "revoked": _shown(one.revoked_ms),
                }
                for one in self.officers
            ],
            "policy": self.policy.record(),
            "previous": self.previous,
            "serial": self.serial,
            "users": [
                {
                    "pub": to_base64(one.public),
                    "revoked": _shown(one.revoked_ms),
                    "user": one.user,
                }
                for one in self.users
            ],
            "v": VERSION,
            "witnesses": [
                {
                    "name": one.name,
                    "pub": to_base64(one.public),
                    "revoked": _shown(one.revoked_ms),
                }
                for one in self.witnesses
            ],
        }

    @classmethod
    def of_record(cls, found: Mapping[str, Any]) -> Self:
        """Build from what `DOCUMENT` has accepted."""
        return cls(
            found["name"],
            found["serial"],
            time_ms(found["made"]),
            found["previous"],
            tuple(
                Officer(
                    _key(one), from_base64(one["box"], 32) if one["box"] else b"", _revoked(one)
                )
                for one in found["officers"]
            ),
            tuple(
                Install(one["writer"], _key(one), time_ms(one["from"]), _revoked(one))
                for one in found["installs"]
            ),
            tuple(Witness(one["name"], _key(one), _revoked(one)) for one in found["witnesses"]),
            tuple(User(one["user"], _key(one), _revoked(one)) for one in found["users"]),
            Policy.of_record(found["policy"]),
        )


def _shown(moment_ms: int | None) -> str:
    return "" if moment_ms is None else time_text(moment_ms)


def _revoked(one: Mapping[str, str]) -> int | None:
    return time_ms(one["revoked"]) if one["revoked"] else None


def _key(one: Mapping[str, str]) -> bytes:
    return from_base64(one["pub"], 32)
