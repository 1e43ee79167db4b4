"""The form of ``site.json``: every key, and what each may hold."""

from __future__ import annotations

import re
from typing import Any, Final

from napari_medlabel.audit.format.record import time_ms
from napari_medlabel.audit.format.schema import (
    DIGEST,
    FLAG,
    PUBLIC_KEY,
    SIGNATURE,
    USER,
    VERSION,
    Field,
    group,
    many,
)

MAX_KEYS: Final = 4096
"""Most workstations, and most people."""

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?", re.ASCII)
_WRITER: Final = re.compile(r"w[0-9a-f]{16}", re.ASCII)


def _is_time(value: object) -> bool:
    try:
        time_ms(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _text(kind: str, pattern: re.Pattern[str]) -> Field:
    return Field(
        kind, lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None
    )


def _within(low: int, high: int) -> Field:
    return Field(
        f"whole number from {low} to {high}",
        lambda value: type(value) is int and low <= value <= high,
    )


def _distinct(field: Field, *names: str) -> Field:
    """Return the kind of a list in which no two entries are the same in some keys."""

    def accepts(value: Any) -> bool:
        if not field.accepts(value):
            return False
        told = [tuple(one[name] for name in names) for one in value]
        return len(set(told)) == len(told)

    return Field(field.kind, accepts)


NAME: Final = _text("lower-case letters, digits and hyphens, at most 32", _NAME)
WRITER: Final = _text("w and 16 hex digits", _WRITER)
TIME: Final = Field("time in UTC with milliseconds", _is_time)
_ENDED: Final = Field("time, or empty text", lambda value: value == "" or _is_time(value))

POLICY: Final = {
    "anchor_hours": _within(1, 8760),
    "review_days": _within(1, 3660),
    "retention_days": _within(1, 36600),
    "work_from": _within(0, 24),
    "work_to": _within(0, 24),
    "work_days": many(_within(0, 6), 7),
    "utc_offset_minutes": _within(-840, 840),
    "spool_suffices": FLAG,
    "validated": many(VERSION),
}
"""The rules, by name."""

_OFFICER: Final = group(
    "officer",
    {
        "box": Field("X25519 key or empty", lambda v: v == "" or PUBLIC_KEY.accepts(v)),
        "pub": PUBLIC_KEY,
        "revoked": _ENDED,
    },
)
_INSTALL: Final = group(
    "workstation", {"from": TIME, "pub": PUBLIC_KEY, "revoked": _ENDED, "writer": WRITER}
)
_WITNESS: Final = group("witness", {"name": NAME, "pub": PUBLIC_KEY, "revoked": _ENDED})
_USER: Final = group("person", {"pub": PUBLIC_KEY, "revoked": _ENDED, "user": USER})

_SITE: Final = group(
    "site",
    {
        "installs": _distinct(many(_INSTALL, MAX_KEYS), "writer", "pub"),
        "made": TIME,
        "name": NAME,
        "officers": _distinct(many(_OFFICER), "pub"),
        "policy": group("rules", POLICY),
        "previous": Field("digest or empty", lambda v: v == "" or DIGEST.accepts(v)),
        "serial": _within(1, 9999),
        "users": _distinct(many(_USER, MAX_KEYS), "user", "pub"),
        "v": _within(1, 1),
        "witnesses": _distinct(many(_WITNESS), "name", "pub"),
    },
)
DOCUMENT: Final = group(
    "document of a site", {"officer": PUBLIC_KEY, "signature": SIGNATURE, "site": _SITE}
)
"""The whole file."""
