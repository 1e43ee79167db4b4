"""The chain of custody of each released case: raw hashes, cleaning, steps, and the final file.

Of every line of the log about a case the release holds what it says, with the rater's code in
place of the token, and a commitment: the line's leaf hash with its proof of inclusion
(RFC 9162 section 2.1.3) under a head that the session's key signed. The line itself stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.note import head_of_text
from napari_medlabel.audit.format.seal import Head, from_base64, to_base64
from napari_medlabel.errors import InputError
from napari_medlabel.project.layout import CONSENSUS, CaseId
from napari_medlabel.project.release.unresolved import Unresolved, from_record, record_of
from napari_medlabel.project.work.fold import SlotState, fold_slot
from napari_medlabel.project.work.made_of import made_of
from napari_medlabel.project.work.steps import ACTIONS, Step

CHAIN: Final = "chain.json"
VERSION: Final = 1
ADDED: Final = "study.case"
AGREED: Final = "study.consensus"
MAKES: Final = frozenset({"review.submit", "review.correct"})
"""Lines of readers and reviewers that tell of a mask."""
EVENTS: Final = (ADDED, AGREED, *ACTIONS)
"""Lines of the log that a release tells of its cases."""
TOLD: Final = ("version", "round", "ontology", "guideline", "rule", "readings", "open",
               "slots", "adjudicator", "has_read", "made_of")  # fmt: skip
"""Of their detail."""


@dataclass(frozen=True)
class Sealed:
    """Where a session of the log stood, under its own key.

    Parameters
    ----------
    head : Head
        Origin, size and root.
    seal : bytes
        Key id and signature over the head, 68 bytes.
    public : bytes
        The session's key.
    install, cert : bytes
        Key of the workstation and its certificate of the session's; empty where there is none.
    previous : Head or None
        Head of the session before, which the certificate covers.
    """

    head: Head
    seal: bytes
    public: bytes
    install: bytes = b""
    cert: bytes = b""
    previous: Head | None = None


@dataclass(frozen=True)
class Link:
    """One line of the log about a case.

    Parameters
    ----------
    event : str
        One of `EVENTS`.
    by : str
        Code of the rater; empty for somebody who is on no list.
    time : str
        When, by that computer's clock.
    origin : str
        Session in which it stands.
    index : int
        Its place there, from 0.
    leaf : bytes
        Its leaf hash, 32 bytes.
    proof : tuple of bytes
        That it is under the session's head.
    slot : str
        Which reading; empty for none.
    number : int
        Of the step; 0 for none.
    content : str
        Content id that it is about; empty for none.
    reason : str
        A code; empty for none.
    detail : mapping
        What else it says, of `TOLD`.
    sheets : tuple of str
        Content ids of masks of further layers that it is about, by layer.
    """

    event: str
    by: str
    time: str
    origin: str
    index: int
    leaf: bytes
    proof: tuple[bytes, ...]
    slot: str = ""
    number: int = 0
    content: str = ""
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    sheets: tuple[str, ...] = ()

    def step(self, case: str) -> Step | None:
        """Return the step on a reading that it is, None where it is none."""
        action = ACTIONS.get(self.event)
        if action is None or not self.slot:
            return None
        return Step(
            case, self.slot, self.number, action, self.by, self.time, self.content,
            int(self.detail.get("version", 0)), self.reason, self.detail, self.sheets,
        )  # fmt: skip


@dataclass(frozen=True)
class Cleaning:
    """The de-identification that a scan came through.

    Parameters
    ----------
    report : str
        ``sha256:<hex>`` of its report.
    profile, edition : str
        Rules it followed; empty where the report does not say.
    options : str
        Options that were chosen, with blanks between them.
    """

    report: str
    profile: str = ""
    edition: str = ""
    options: str = ""

    @property
    def rules(self) -> str:
        """Profile, edition and options in one line."""
        return " ".join(filter(None, (self.profile, self.edition, self.options)))


@dataclass(frozen=True)
class CaseChain:
    """One released case, from its raw files to the mask.

    Parameters
    ----------
    case : CaseId
        The case.
    content : str
        Content id of the scan, as the log names the case.
    pixels : str
        ``sha256:<hex>`` of its voxels.
    originals : tuple of str
        ``sha256:<hex>`` of each file it was made of.
    cleaning : Cleaning or None
        None where it came de-identified.
    patient : int
        Number of the patient in this release: two codes of one patient have one.
    slot : str
        Whose mask is released: a reading, or ``consensus``.
    mask : str
        Content id of the released mask.
    version : int
        Of the mask.
    files : mapping of str to str
        Path in the release of ``scan``, ``mask``, ``mask1`` of layer 1 and on, ``landmarks``,
        ``unresolved`` and ``unresolved1``.
    links : tuple of Link
        Lines of the log about it, as they came.
    sheets : mapping of int to str
        Content ids of the masks of further layers, by layer.
    unresolved : mapping of int to Unresolved
        Voxels of a consensus without an answer, by layer; layers without any are left out.
    """

    case: CaseId
    content: str
    pixels: str
    originals: tuple[str, ...]
    cleaning: Cleaning | None
    patient: int
    slot: str
    mask: str
    version: int
    files: Mapping[str, str]
    links: tuple[Link, ...]
    sheets: Mapping[int, str] = field(default_factory=dict)
    unresolved: Mapping[int, Unresolved] = field(default_factory=dict)

    def state(self, slot: str) -> SlotState:
        """Return where a reading stands by the steps that are told."""
        steps = [link.step(self.content) for link in self.links if link.slot == slot]
        return fold_slot(step for step in steps if step is not None)

    @property
    def slots(self) -> tuple[str, ...]:
        """Readings that steps are told of, the consensus among them."""
        return tuple(sorted({link.slot for link in self.links if link.slot}))

    def of_event(self, event: str) -> tuple[Link, ...]:
        """Return its links of one event."""
        return tuple(link for link in self.links if link.event == event)

    @property
    def authors(self) -> frozenset[str]:
        """Codes of all who ever made a mask of it: who submitted, or corrected with one."""
        return frozenset(link.by for link in self.links if link.content and link.event in MAKES)

    @property
    def agreed_by(self) -> Link | None:
        """The line that tells of the consensus which leaves; None where none does."""
        sheets = tuple(self.sheets[layer] for layer in sorted(self.sheets))
        wanted = (self.mask, self.version, sheets)
        made = [
            link
            for link in self.of_event(AGREED)
            if (link.content, link.detail.get("version"), link.sheets) == wanted
        ]
        return made[-1] if self.is_agreed and made else None

    @property
    def unresolved_voxels(self) -> int:
        """How many voxels have no answer, in all layers together."""
        return sum(one.voxels for one in self.unresolved.values())

    @property
    def is_agreed(self) -> bool:
        """Tell whether a consensus is released."""
        return self.slot == CONSENSUS


@dataclass(frozen=True)
class Chain:
    """All cases of a release, and the sessions of the log that tell of them.

    Parameters
    ----------
    sessions : tuple of Sealed
        By origin.
    cases : tuple of CaseChain
        By name.
    """

    sessions: tuple[Sealed, ...]
    cases: tuple[CaseChain, ...]

    def to_bytes(self) -> bytes:
        """Return the file's content, canonical JSON (RFC 8785)."""
        return canonical.encode(
            {
                "medlabel": "chain",
                "v": VERSION,
                "sessions": [_of_session(one) for one in self.sessions],
                "cases": [_of_case(one) for one in self.cases],
            }
        )


def parse_chain(data: bytes) -> Chain:
    """Read a chain.

    Raises
    ------
    InputError
        When it is none, or of a later version.
    """
    try:
        found: Any = canonical.decode(data)
        if found["medlabel"] != "chain":
            raise ValueError  # noqa: TRY301 - joins what a wrong form raises by itself
        if found["v"] != VERSION:
            raise InputError(
                f"The chain of custody is of another version than {VERSION}.",
                hint="Update the program.",
            )
        chain = Chain(
            tuple(_session(one) for one in found["sessions"]),
            tuple(_case(one) for one in found["cases"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise _broken() from err
    if chain.to_bytes() != data:
        raise _broken()
    return chain


def _of_session(one: Sealed) -> dict[str, Any]:
    return {
        "checkpoint": one.head.text().decode("ascii"),
        "seal": to_base64(one.seal),
        "pub": to_base64(one.public),
        "install": to_base64(one.install),
        "cert": to_base64(one.cert),
        "previous": one.previous.text().decode("ascii") if one.previous else "",
    }


def _session(found: Any) -> Sealed:
    has_cert = bool(found["cert"])
    before = str(found["previous"])
    return Sealed(
        head_of_text(str(found["checkpoint"]).encode()),
        from_base64(found["seal"], 68),
        from_base64(found["pub"], 32),
        from_base64(found["install"], 32 if has_cert else 0),
        from_base64(found["cert"], 68 if has_cert else 0),
        head_of_text(before.encode()) if before else None,
    )


def _of_case(one: CaseChain) -> dict[str, Any]:
    clean = one.cleaning
    return {
        "case": str(one.case),
        "content": one.content,
        "pixels": one.pixels,
        "originals": list(one.originals),
        "cleaning": dict(vars(clean)) if clean else None,
        "patient": one.patient,
        "slot": one.slot,
        "mask": one.mask,
        "version": one.version,
        "files": dict(one.files),
        "links": [
            {
                **vars(link),
                "leaf": to_base64(link.leaf),
                "proof": [to_base64(step) for step in link.proof],
                "detail": dict(link.detail),
                "sheets": list(link.sheets),
            }
            for link in one.links
        ],
        "sheets": {str(layer): content for layer, content in one.sheets.items()},
        "unresolved": record_of(one.unresolved),
    }


def _case(found: Any) -> CaseChain:
    clean = found["cleaning"]
    return CaseChain(
        CaseId.parse(str(found["case"])),
        str(found["content"]),
        str(found["pixels"]),
        tuple(map(str, found["originals"])),
        None if clean is None else Cleaning(**{key: str(clean[key]) for key in clean}),
        _whole(found["patient"]),
        str(found["slot"]),
        str(found["mask"]),
        _whole(found["version"]),
        {str(kind): str(path) for kind, path in found["files"].items()},
        tuple(map(_link, found["links"])),
        {int(layer): str(content) for layer, content in found["sheets"].items()},
        from_record(found["unresolved"]),
    )


def _link(found: Any) -> Link:
    plain = {key: str(found[key]) for key in ("event", "by", "time", "origin", "slot",
                                              "content", "reason")}  # fmt: skip
    return Link(
        **plain,
        index=_whole(found["index"]),
        number=_whole(found["number"]),
        leaf=from_base64(found["leaf"], 32),
        proof=tuple(from_base64(step, 32) for step in found["proof"]),
        detail=_detail(found["detail"]),
        sheets=tuple(map(str, found["sheets"])),
    )


def _detail(found: Any) -> dict[str, Any]:
    made_of(found)  # raises here, where it is expected, on what is no list of readings
    return dict(found)


def _whole(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError("a whole number was expected")
    return value


def _broken() -> InputError:
    return InputError(
        "The chain of custody of a release cannot be read, or is none.",
        hint=f"Give the folder of the release, in which {CHAIN} lies as it was made.",
    )
