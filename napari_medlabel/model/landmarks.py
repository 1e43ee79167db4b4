"""Landmarks: named points in the patient, in RAS mm, and the templates that name them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

from napari_medlabel.errors import InputError
from napari_medlabel.model.labelmap import Code

Point = tuple[float, float, float]
State = Literal["unplaced", "placed", "uncertain", "absent"]
Laterality = Literal["", "left", "right", "midline"]
Plane = Literal["axial", "coronal", "sagittal"]
Absence = Literal["outside-field", "resected", "artefact", "not-identifiable"]

PLANES: Final[tuple[Plane, ...]] = get_args(Plane)
ABSENCES: Final[dict[Absence, str]] = {
    "outside-field": "outside the field of view",
    "resected": "resected",
    "artefact": "hidden by an artefact",
    "not-identifiable": "not identifiable",
}
"""Why a landmark has no position, in words."""

_DEFINITION: Final = (
    "description",
    "acronym",
    "laterality",
    "plane",
    "example",
    "picture",
)
_CODE: Final = ("scheme", "value", "meaning")


@dataclass(frozen=True)
class Landmark:
    """A named point.

    Parameters
    ----------
    name : str
        What it is, for instance ``"Nasion"``.
    point_ras : tuple of float or None
        World position in RAS mm; None while it has not been placed.
    description : str
        Its definition: what to look for.
    acronym : str
        A short name, for instance ``"N"``.
    laterality : str
        ``"left"``, ``"right"``, ``"midline"`` or empty.
    plane : str
        The plane in which it is best seen: ``"axial"``, ``"coronal"``, ``"sagittal"`` or empty.
    example : str
        A hint in plain words, shown beside the definition.
    picture : str
        Name of a picture file beside the template file; empty without one.
    code : Code or None
        The concept, for instance from SNOMED CT.
    uncertain_mm : float or None
        Radius in mm within which the true place lies, where the person doubts; else None.
    absent : str
        Why there is nothing to place, a key of `ABSENCES`; empty otherwise.
    locked : bool
        Whether it must not be moved any more.
    inspected : tuple of str
        The planes in which it was looked at when it was placed, in the order of `PLANES`.

    Raises
    ------
    InputError
        When the name is empty, the point not finite, or a flag contradicts another.
    """

    name: str
    point_ras: Point | None = None
    description: str = ""
    acronym: str = ""
    laterality: Laterality = ""
    plane: Plane | Literal[""] = ""
    example: str = ""
    picture: str = ""
    code: Code | None = None
    uncertain_mm: float | None = None
    absent: Absence | Literal[""] = ""
    locked: bool = False
    inspected: tuple[Plane, ...] = ()

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InputError("A landmark has no name.", hint="Give every landmark a name.")
        if self.point_ras is not None:
            point = tuple(float(v) for v in self.point_ras)
            if len(point) != 3 or not all(math.isfinite(v) for v in point):
                raise InputError(
                    "A landmark's position is three finite numbers in mm.",
                    hint="Place the landmark again.",
                )
            object.__setattr__(self, "point_ras", point)
        self._require_words()
        self._require_flags()
        order = tuple(plane for plane in PLANES if plane in self.inspected)
        object.__setattr__(self, "inspected", order)

    def _require_words(self) -> None:
        if self.laterality not in get_args(Laterality) or self.plane not in ("", *PLANES):
            raise InputError(
                "A landmark's side is left, right or midline, its plane axial, coronal or "
                "sagittal.",
                hint="Correct the landmark's entry, or leave it empty.",
            )
        if any(plane not in PLANES for plane in self.inspected):
            raise InputError(
                "The planes that were looked at are axial, coronal and sagittal.",
                hint="Correct the landmark's entry.",
            )

    def _require_flags(self) -> None:
        if self.absent and self.absent not in ABSENCES:
            raise InputError(
                "A landmark is absent for one of four reasons; another one was given.",
                hint=f"Choose one of: {', '.join(ABSENCES)}.",
            )
        if self.absent and self.point_ras is not None:
            raise InputError(
                "A landmark that is absent has no position.",
                hint="Place it, or say that it is absent.",
            )
        if self.uncertain_mm is None:
            return
        object.__setattr__(self, "uncertain_mm", float(self.uncertain_mm))
        if self.point_ras is None or not 0.0 < self.uncertain_mm < math.inf:
            raise InputError(
                "An uncertain landmark has a position and a radius above 0 mm.",
                hint="Place it first, then say within how many millimetres it lies.",
            )

    @property
    def is_placed(self) -> bool:
        """Whether it has a position."""
        return self.point_ras is not None

    @property
    def is_open(self) -> bool:
        """Whether it still waits: neither placed nor said to be absent."""
        return self.point_ras is None and not self.absent

    @property
    def state(self) -> State:
        """``"unplaced"``, ``"placed"``, ``"uncertain"`` or ``"absent"``."""
        if self.absent:
            return "absent"
        if self.point_ras is None:
            return "unplaced"
        return "placed" if self.uncertain_mm is None else "uncertain"

    def at(self, point_ras: Point | None, *, inspected: tuple[Plane, ...] = ()) -> Landmark:
        """Return it at another place (RAS mm), or unplaced (None); old flags go.

        Raises
        ------
        InputError
            When it is locked.
        """
        self._require_unlocked()
        return replace(
            self, point_ras=point_ras, uncertain_mm=None, absent="", inspected=inspected
        )

    def moved(self, point_ras: Point) -> Landmark:
        """Return it moved to a point in RAS mm; what was said of its certainty stays.

        Raises
        ------
        InputError
            When it is locked.
        """
        self._require_unlocked()
        return replace(self, point_ras=point_ras, absent="")

    def missing(self, reason: Absence) -> Landmark:
        """Return it as absent for one of the reasons in `ABSENCES`.

        Raises
        ------
        InputError
            When it is locked or the reason is another one.
        """
        self._require_unlocked()
        return replace(self, point_ras=None, uncertain_mm=None, absent=reason, inspected=())

    def defined_as(self, other: Landmark) -> Landmark:
        """Return its position and flags under the name and the definition of another."""
        return replace(
            other,
            point_ras=self.point_ras,
            description=other.description or self.description,
            uncertain_mm=self.uncertain_mm,
            absent=self.absent,
            locked=self.locked,
            inspected=self.inspected,
        )

    def _require_unlocked(self) -> None:
        if self.locked:
            raise InputError(
                "This landmark is locked and stays where it is.", hint="Unlock it first."
            )


@dataclass(frozen=True)
class LandmarkSet:
    """Landmarks in the order they are placed; names are unique.

    Raises
    ------
    InputError
        When two landmarks share a name.
    """

    landmarks: tuple[Landmark, ...] = ()

    def __post_init__(self) -> None:
        names = [mark.name for mark in self.landmarks]
        if len(set(names)) != len(names):
            raise InputError(
                "Each landmark of a set has its own name; one name stands twice.",
                hint="Rename one of the two.",
            )

    def __iter__(self) -> Iterator[Landmark]:
        return iter(self.landmarks)

    def __len__(self) -> int:
        return len(self.landmarks)

    def __contains__(self, name: object) -> bool:
        return any(mark.name == name for mark in self.landmarks)

    def __getitem__(self, name: str) -> Landmark:
        """Return the landmark of a name.

        Raises
        ------
        InputError
            When there is none.
        """
        for mark in self.landmarks:
            if mark.name == name:
                return mark
        raise InputError(
            "The set has no landmark of that name.", hint="Choose one of the listed landmarks."
        )

    @property
    def placed(self) -> tuple[Landmark, ...]:
        """Those with a position, in order."""
        return tuple(mark for mark in self.landmarks if mark.is_placed)

    @property
    def next_name(self) -> str | None:
        """The first that is neither placed nor absent, or None."""
        return next((mark.name for mark in self.landmarks if mark.is_open), None)

    def with_point(self, name: str, point_ras: Point | None) -> LandmarkSet:
        """Return a copy in which one landmark is placed, moved, or unplaced (None).

        A name that the set does not have is added at the end.

        Raises
        ------
        InputError
            When the landmark is locked.
        """
        if name not in self:
            return LandmarkSet((*self.landmarks, Landmark(name, point_ras)))
        mark = self[name]
        moves = mark.is_placed and point_ras is not None
        return self.with_mark(
            mark.moved(point_ras) if moves and point_ras else mark.at(point_ras)
        )

    def with_mark(self, new: Landmark) -> LandmarkSet:
        """Return a copy in which the landmark of that name is this one, or has been added."""
        if new.name not in self:
            return LandmarkSet((*self.landmarks, new))
        return LandmarkSet(
            tuple(new if mark.name == new.name else mark for mark in self.landmarks)
        )

    def without(self, name: str) -> LandmarkSet:
        """Return a copy without the landmark of that name."""
        return LandmarkSet(tuple(mark for mark in self.landmarks if mark.name != name))

    def merged_into(self, template: LandmarkSet) -> LandmarkSet:
        """Return the template's landmarks with these positions, then the rest of these."""
        known = {mark.name: mark for mark in self.landmarks}
        kept = tuple(
            known[mark.name].defined_as(mark) if mark.name in known else mark
            for mark in template
        )
        rest = tuple(mark for mark in self.landmarks if mark.name not in template)
        return LandmarkSet(kept + rest)

    def named_as(self, template: LandmarkSet) -> LandmarkSet:
        """Return these under the template's names, where acronym or description says which.

        Some files number their points and say what each is in its description (AFIDs: label
        ``"1"``, description ``"AC"``). Letters' case does not count. A name is never given
        twice, and one that the template has stays. Nothing is guessed: an empty word says
        nothing, nor does one that means two of the template's landmarks, nor do name and
        description that mean different ones.
        """
        taken = {mark.name for mark in self.landmarks}
        meant: dict[str, set[str]] = {}
        for mark in template:
            for word in _words_of(mark.acronym, mark.name):
                meant.setdefault(word, set()).add(mark.name)
        marks = []
        for mark in self.landmarks:
            words = _words_of(mark.name, mark.description) & meant.keys()
            found = set().union(*(meant[word] for word in words))
            if mark.name not in template and len(found) == 1 and not found & taken:
                taken |= found
                mark = replace(mark, name=found.pop())  # noqa: PLW2901 - the same landmark
            marks.append(mark)
        return LandmarkSet(tuple(marks))


def _words_of(*texts: str) -> set[str]:
    """Return the words that say which landmark is meant, without case and empty ones."""
    return {text.strip().casefold() for text in texts} - {""}


def template_from_json(data: object) -> LandmarkSet:
    """Build a template, landmarks without positions, from plain data.

    Parameters
    ----------
    data : object
        ``{"landmarks": [{"name": ..., "description": ..., "acronym": ..., "laterality": ...,
        "plane": ..., "example": ..., "picture": ..., "code": {...}}, ...]}``; all but the name
        may be left out.

    Raises
    ------
    InputError
        When the data has another form, or a picture is not a plain file name.
    """
    try:
        if not isinstance(data, Mapping):
            raise TypeError  # noqa: TRY301 - joins what a wrong form raises by itself
        rows: list[Mapping[str, Any]] = list(data["landmarks"])
        return LandmarkSet(tuple(defined_landmark(row) for row in rows))
    except (KeyError, TypeError, AttributeError) as err:
        raise InputError(
            "This is not a landmark template: expected a list of landmarks with names.",
            hint="See docs/reference/files.md for an example.",
        ) from err


def defined_landmark(row: Mapping[str, Any]) -> Landmark:
    """Build one landmark without a position from its entry in a template."""
    told: dict[str, Any] = {key: str(row.get(key, "")) for key in _DEFINITION}
    if any(sign in told["picture"] for sign in ("/", "\\", ":")):
        raise InputError(
            "A template's picture lies beside the template: a file name without folders.",
            hint="Put the picture into the template's folder.",
        )
    code = row.get("code")
    told["code"] = Code(*(str(code[key]) for key in _CODE)) if code else None
    return Landmark(str(row["name"]), **told)


def definition_of(mark: Landmark) -> dict[str, Any]:
    """Return what a template says of a landmark beside its name, empty entries left out."""
    told: dict[str, Any] = {key: getattr(mark, key) for key in _DEFINITION}
    if mark.code is not None:
        told["code"] = {key: getattr(mark.code, key) for key in _CODE}
    return {key: value for key, value in told.items() if value}
