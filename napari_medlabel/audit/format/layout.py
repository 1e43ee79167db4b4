"""Where each file of a log lies under its root.

::

    site.json                                     policy and trusted keys, signed by the officer
    site/<serial>.json                            every version of it
    writers/<writer>/install.json                 a workstation's public key, asking for trust
    writers/<writer>/<YYYY>/<MM>/<session>.jsonl  one per session
    heads/<writer>/<session>.note                 latest published head of a session (C2SP note)
    witness/<name>/<writer>/<session>.note        the same head, cosigned by a witness
    codes/<code>.txt                              what a code on paper stands for: all heads
    objects/sha256/ab/<digest>.nii.gz             superseded mask versions, by content
    signatures/<digest>.json                      statements of people: name, time, meaning
    reasons/<digest>.bin                          free text of a reason; can be erased
"""

from __future__ import annotations

from typing import Final

SITE: Final = "site.json"
SITE_HISTORY: Final = "site"
WRITERS: Final = "writers"
HEADS: Final = "heads"
WITNESS: Final = "witness"
CODES: Final = "codes"
OBJECTS: Final = "objects/sha256"
SIGNATURES: Final = "signatures"
REASONS: Final = "reasons"


def writer_of(origin: str) -> str:
    """Return the writer in an origin ``medlabel.local/<site>/<writer>/<session>``."""
    return origin.split("/")[2]


def session_of(origin: str) -> str:
    """Return the session in an origin; sessions sort by the time they began."""
    return origin.split("/")[3]


def session_file(origin: str) -> str:
    """Return where a session's file lies in the log's folder, from its origin."""
    session = session_of(origin)
    return f"{WRITERS}/{writer_of(origin)}/{session[:4]}/{session[4:6]}/{session}.jsonl"


def install_file(writer: str) -> str:
    """Return where a workstation shows its public key."""
    return f"{WRITERS}/{writer}/install.json"


def head_note(origin: str) -> str:
    """Return where a session publishes its latest head."""
    return f"{HEADS}/{writer_of(origin)}/{session_of(origin)}.note"


def witness_note(name: str, origin: str) -> str:
    """Return where a witness puts its cosignature of a session's head."""
    return f"{WITNESS}/{name}/{writer_of(origin)}/{session_of(origin)}.note"


def object_file(content_id: str) -> str:
    """Return where a superseded mask lies, from ``sha256:<64 hex digits>``."""
    digest = content_id.removeprefix("sha256:")
    return f"{OBJECTS}/{digest[:2]}/{digest}.nii.gz"


def site_version(serial: int) -> str:
    """Return where a version of ``site.json`` is kept."""
    return f"{SITE_HISTORY}/{serial:04d}.json"
