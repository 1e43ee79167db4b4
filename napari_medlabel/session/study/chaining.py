"""The chain of custody of what is released: what log, records and reports say of each case."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_medlabel.audit.anchors.session_lines import SessionLines, read_lines, record_of
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.format.seal import Head, from_base64
from napari_medlabel.errors import LogError, RefusedError
from napari_medlabel.io.files import sha256_file
from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.cases.version import Version
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.release.chain import (
    ADDED,
    EVENTS,
    TOLD,
    CaseChain,
    Chain,
    Cleaning,
    Link,
    Sealed,
)
from napari_medlabel.project.release.proofs import Proofs
from napari_medlabel.project.release.splits import people_of
from napari_medlabel.project.release.unresolved import told_of
from napari_medlabel.session.study.seat import Seat


@dataclass(frozen=True)
class Leaving:
    """One case of a release.

    Parameters
    ----------
    record : CaseRecord
        The case.
    version : Version
        Whose mask leaves.
    slot : str
        Of which reading it is; ``consensus`` for one of all.
    files : mapping of str to str
        Path in the release of ``scan``, ``mask``, ``mask1`` of layer 1 and so on, and, where
        there are some, ``landmarks``.
    """

    record: CaseRecord
    version: Version
    slot: str
    files: Mapping[str, str]


def chain_of(seat: Seat, leaving: Sequence[Leaving], heads: Sequence[Head]) -> Chain:
    """Return the chain of what leaves.

    Parameters
    ----------
    leaving : sequence of Leaving
        By case.
    heads : sequence of Head
        Where the log's sessions stood; nothing after them is told.

    Raises
    ------
    LogError
        When a session is not what its head says.
    RefusedError
        When the report of a de-identification is not the one that the record names.
    """
    wanted = {one.record.content for one in leaving}
    sessions: list[Sealed] = []
    links: dict[str, list[Link]] = {content: [] for content in wanted}
    for head in heads:
        held = _held(seat, head)
        found = [*_about(held.lines[: head.size], wanted)]
        if not found:
            continue
        sessions.append(_sealed(held, head))
        proofs = Proofs(held.lines[: head.size])
        for index, record in found:
            link = _link(seat, record, head.origin, index, proofs)
            links[record["detail"]["case"]].append(link)
    numbers = _patients([one.record for one in leaving])
    cases = tuple(
        _case(seat.layout, one, links[one.record.content], numbers) for one in leaving
    )
    return Chain(tuple(sessions), cases)


def cleaning_of(layout: Layout, record: CaseRecord) -> Cleaning | None:
    """Return the de-identification that a case came through, None where it is not known.

    Raises
    ------
    RefusedError
        When its report is missing or another one than the record names.
    """
    if not record.manifest:
        return None
    path = layout.cleanings / f"{record.manifest.removeprefix('sha256:')}.json"
    try:
        if f"sha256:{sha256_file(path)}" != record.manifest:
            raise ValueError  # noqa: TRY301 - joins what cannot be read
        found: Any = json.loads(path.read_bytes())
        told = (str(found["profile"]), str(found["edition"]))
        options = " ".join(str(one) for one in found.get("chosen", ()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise RefusedError(
            f"The report on the cleaning of {record.case} is not there as it was kept.",
            hint="See what is wrong with: medlabel project validate STUDY",
        ) from err
    return Cleaning(record.manifest, *told, options)


def _held(seat: Seat, head: Head) -> SessionLines:
    try:
        return read_lines(seat.layout.audit / session_file(head.origin))
    except (OSError, ValueError) as err:
        raise LogError(
            "A session of the log cannot be read, or is not what its seal says.",
            hint="See what is wrong with: medlabel audit verify",
        ) from err


def _about(lines: Sequence[bytes], wanted: set[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for index, line in enumerate(lines):
        # Most lines are strokes: only those of a study's events are read.
        if b'"event":"study.' not in line and b'"event":"review.' not in line:
            continue
        record = record_of(line)
        if record["event"] in EVENTS and record["detail"].get("case") in wanted:
            yield index, record


def _link(
    seat: Seat, record: Mapping[str, Any], origin: str, index: int, proofs: Proofs
) -> Link:
    detail = record["detail"]
    reason = record.get("reason") or {}
    masks = tuple(ref["id"] for ref in record["object"] if ref["role"] == "new")
    return Link(
        record["event"],
        seat.code_of(record["actor"]["user"]),
        record["time"],
        origin,
        index,
        proofs.leaf(index),
        proofs.proof(index),
        str(detail.get("slot", "")),
        int(detail.get("step", 0)),
        next(iter(masks), ""),
        str(reason.get("code", "") if isinstance(reason, Mapping) else reason),
        {key: detail[key] for key in TOLD if key in detail},
        masks[1:],
    )


def _sealed(held: SessionLines, head: Head) -> Sealed:
    opening = held.opening()
    before = opening.get("prev_session")
    seal = next(raw for size, root, raw in held.heads if (size, root) == (head.size, head.root))
    has_cert = "cert" in opening
    return Sealed(
        head,
        seal,
        from_base64(opening["pub"], 32),
        from_base64(opening["install"], 32) if has_cert else b"",
        from_base64(opening["cert"], 68) if has_cert else b"",
        Head(before["origin"], before["size"], from_base64(before["root"], 32))
        if before
        else None,
    )


def _patients(records: Sequence[CaseRecord]) -> dict[str, int]:
    return {
        code: number
        for number, codes in enumerate(people_of(tuple(records)), start=1)
        for code in codes
    }


def _case(
    layout: Layout, one: Leaving, links: Sequence[Link], patients: Mapping[str, int]
) -> CaseChain:
    record = one.record
    return CaseChain(
        record.case,
        record.content,
        record.pixels,
        record.originals,
        cleaning_of(layout, record),
        patients[record.case.subject],
        one.slot,
        one.version.content,
        one.version.number,
        dict(one.files),
        tuple(sorted(links, key=_turn)),
        dict(one.version.sheets),
        told_of(layout, one.version),
    )


def _turn(link: Link) -> tuple[bool, str, int, str]:
    """Order lines for reading: the adding, then step by step; a clock orders nothing else."""
    return link.event != ADDED, link.slot, link.number, link.time
