"""One event, checked when it is built against the closed list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from napari_medlabel.audit.format.catalogue import EVENTS
from napari_medlabel.audit.format.kinds import AUTH
from napari_medlabel.audit.format.schema import DIGEST, SUBJECT, USER, Field, choice
from napari_medlabel.audit.format.spec import Spec
from napari_medlabel.errors import LogError

VERSION: Final = 1
"""The ``v`` of every record."""

MAX_REFS: Final = 4096
"""Most subjects and most objects in one event."""

NOTHING: Final[Mapping[str, object]] = MappingProxyType({})

ROLE: Final = choice("annotator", "reviewer", "researcher", "officer", "service", "unknown")
OBJECT_ROLE: Final = choice("old", "new", "source", "output", "manifest", "weights", "report")
OBJECT_TYPE: Final = choice(
    "volume", "mask", "landmarks", "dataset", "model", "profile", "log", "document", "image"
)
REASON: Final = choice(
    "CORRECTION", "PROTOCOL", "QA_FEEDBACK", "WRONG_PATIENT", "CONSENT_WITHDRAWN", "OTHER"
)
_KEY_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)


def _refuse(what: str, came: str) -> LogError:
    return LogError(
        f"{what}, {came}.",
        hint="This is a mistake in the program, not in your data: please report it.",
    )


def _require(kind: Field, value: object, where: str) -> None:
    if not kind.accepts(value):
        raise _refuse(f"{where} must be {kind.kind}", "and something else came")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a token, never a name.

    Parameters
    ----------
    user : str
        ``u<kid>-<16 hex digits>``.
    role : str
        annotator, reviewer, researcher, officer, service or unknown.
    auth : str
        How the person was identified: os-login, passphrase, service or none.

    Raises
    ------
    LogError
        When a part is anything else.
    """

    user: str
    role: str = "annotator"
    auth: str = "os-login"

    def __post_init__(self) -> None:
        _require(USER, self.user, "The user")
        _require(ROLE, self.role, "The role")
        _require(AUTH, self.auth, "The way of identification")

    def record(self) -> dict[str, object]:
        """Return the actor as it stands in a record."""
        return {"auth": self.auth, "role": self.role, "user": self.user}


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """What was acted on, by its content.

    Parameters
    ----------
    id : str
        ``sha256:<64 hex digits>`` of the content.
    role : str
        old, new, source, output, manifest, weights or report.
    type : str
        volume, mask, landmarks, dataset, model, profile, log, document or image.

    Raises
    ------
    LogError
        When a part is anything else.
    """

    id: str
    role: str
    type: str

    def __post_init__(self) -> None:
        _require(DIGEST, self.id, "The id of an object")
        _require(OBJECT_ROLE, self.role, "The role of an object")
        _require(OBJECT_TYPE, self.type, "The type of an object")

    def record(self) -> dict[str, object]:
        """Return the object as it stands in a record."""
        return {"id": self.id, "role": self.role, "type": self.type}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a code, and where text was written, the commitment to it.

    Parameters
    ----------
    code : str
        CORRECTION, PROTOCOL, QA_FEEDBACK, WRONG_PATIENT, CONSENT_WITHDRAWN or OTHER.
    ref : str, optional
        ``sha256:<64 hex digits>`` of salt and text. The text itself lies apart and can be
        erased.

    Raises
    ------
    LogError
        When a part is anything else.
    """

    code: str
    ref: str = ""

    def __post_init__(self) -> None:
        _require(REASON, self.code, "The reason")
        if self.ref:
            _require(DIGEST, self.ref, "The reference of a reason")

    def record(self) -> dict[str, object]:
        """Return the reason as it stands in a record."""
        return {"code": self.code, "ref": self.ref} if self.ref else {"code": self.code}


def _plain(value: object) -> object:
    """Return JSON's own types for what a caller may pass: tuples, mappings, NumPy scalars."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if getattr(value, "ndim", None) == 0:
        return value.item()  # type: ignore[attr-defined]
    return value  # of no kind that a schema knows: refused there, with its key


def _check_detail(name: str, spec: Spec, detail: Mapping[str, object]) -> None:
    for key, value in detail.items():
        kind = spec.required.get(key) or spec.optional.get(key)
        if kind is None:
            shown = f"'{key}'" if _KEY_NAME.fullmatch(str(key)) else "(its name is withheld)"
            raise _refuse(f"The detail of {name} has no key {shown}", "but one came")
        _require(kind, value, f"'{key}' of {name}")
    for key in spec.required:
        if key not in detail:
            raise _refuse(f"{name} needs '{key}' in its detail", "and none came")


def _coded(spec: Spec, roles: set[object]) -> tuple[str, str]:
    """Return action and ISO word, which may depend on whether there was an old object."""
    if spec.new_as and "old" not in roles:
        return spec.new_as[0], spec.new_as[1]
    return spec.action, spec.iso


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, in words of the closed list.

    Parameters
    ----------
    event : str
        A name from `napari_medlabel.audit.format.catalogue.EVENTS`.
    subject : tuple of str
        Tokens of the patients concerned; one where it can be helped.
    objects : tuple of ObjectRef
        Contents concerned.
    detail : mapping
        Only keys and kinds that the event's schema names.
    reason : Reason, optional
        Why; required by some events.
    outcome : int, optional
        0 success, 4, 8, 12 failure; the event's usual one by default.

    Raises
    ------
    LogError
        When anything is not in the event's schema. The message names the key, never the
        value.
    """

    event: str
    subject: tuple[str, ...] = ()
    objects: tuple[ObjectRef, ...] = ()
    detail: Mapping[str, object] = field(default_factory=dict)
    reason: Reason | None = None
    outcome: int | None = None

    def __post_init__(self) -> None:
        spec = EVENTS.get(self.event)
        if spec is None:
            raise _refuse("An event must be in the closed list", "and another came")
        if len(self.subject) > MAX_REFS or len(self.objects) > MAX_REFS:
            raise _refuse(f"{self.event} takes {MAX_REFS} subjects or objects", "more came")
        for token in self.subject:
            _require(SUBJECT, token, "A subject")
        detail = {key: _plain(value) for key, value in self.detail.items()}
        _check_detail(self.event, spec, detail)
        outcome = spec.outcomes[0] if self.outcome is None else self.outcome
        if type(outcome) is not int or outcome not in spec.outcomes:
            raise _refuse(f"The outcome of {self.event} must be {spec.outcomes}", "not this")
        if spec.needs_reason and self.reason is None:
            raise _refuse(f"{self.event} needs a reason", "and none came")
        object.__setattr__(self, "detail", MappingProxyType(detail))
        object.__setattr__(self, "outcome", outcome)

    def record(self) -> dict[str, object]:
        """Return what the event itself puts into its record; the log adds the rest."""
        spec = EVENTS[self.event]
        action, iso = _coded(spec, {ref.role for ref in self.objects})
        record: dict[str, object] = {
            "action": action,
            "dcm": list(spec.dcm),
            "detail": dict(self.detail),
            "event": self.event,
            "object": [ref.record() for ref in self.objects],
            "outcome": self.outcome,
            "subject": list(self.subject),
            "v": VERSION,
        }
        if iso:
            record["iso"] = iso
        if self.reason is not None:
            record["reason"] = self.reason.record()
        return record
