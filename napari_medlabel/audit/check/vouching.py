"""Which sessions without a certificate a certified one vouches for.

A workstation gets its key on some day. The first session that it certifies names, in its
signed first lines, the ends of the sessions before it, which this computer's own memory knew;
those name the ones before them. Whoever believes the certificate can believe these ends too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Final

from napari_medlabel.audit.check.verdict import SessionReport
from napari_medlabel.audit.format.layout import session_file, writer_of
from napari_medlabel.audit.format.seal import Head

_NAMING: Final = frozenset({"session.open", "session.recover"})
_SPOILED: Final = ("BROKEN", "NAME", "FORK", "TRUNCATED")


def _named_by(report: SessionReport) -> Iterator[Head]:
    """Yield the ends that a session names as those of its own writer's sessions."""
    for anchor in report.anchors:
        head = anchor.head
        if anchor.kind in _NAMING and writer_of(head.origin) == writer_of(report.origin):
            yield head


def vouched_for(
    reports: Mapping[str, SessionReport], trusted: Set[str], bare: Set[str]
) -> frozenset[str]:
    """Return the uncertified sessions whose whole content a trusted one stands for.

    Parameters
    ----------
    reports : mapping
        Every session, by file, compared with everyone who remembers it.
    trusted : set of str
        Files of the sessions certified by a trusted workstation.
    bare : set of str
        Files of the sessions that have no certificate at all.

    Returns
    -------
    frozenset of str
        Those of `bare` whose head, with all their events, is named in ``session.open`` or
        ``session.recover`` of a session of `trusted` of the same writer, or of one that is
        vouched for itself.
    """
    found: set[str] = set()
    asked = [file for file in sorted(trusted) if not reports[file].has(*_SPOILED)]
    for file in asked:
        for head in _named_by(reports[file]):
            named = session_file(head.origin)
            if named not in bare or named in found:
                continue
            one = reports[named]
            if one.sealed == head and not one.has(*_SPOILED):
                found.add(named)
                asked.append(named)
    return frozenset(found)
