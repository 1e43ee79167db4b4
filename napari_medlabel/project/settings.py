"""The rules of a study: who may do what, how often a case is read, what counts as good."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.io.files import write_bytes_aside
from napari_medlabel.project.layout import require_rater

SCHEMA: Final = 1
Role = Literal["annotator", "reviewer", "adjudicator", "releaser", "manager"]
Asked = Literal["independent", "reader", "nobody"]
ROLES: Final[tuple[Role, ...]] = (
    "annotator",
    "reviewer",
    "adjudicator",
    "releaser",
    "manager",
)
Rule = Literal["adjudicate", "majority", "staple"]
Adjudicator = Literal["independent", "reader"]
"""Who settles where readings differ: somebody who has not read the case, or a reader too."""
ADJUDICATORS: Final[tuple[Adjudicator, ...]] = get_args(Adjudicator)


@dataclass(frozen=True)
class Rater:
    """Somebody who works on a study, by code; no name stands here.

    Parameters
    ----------
    code : str
        Such as ``r01``.
    user : str
        Token of the account in the log, ``u1-...``; empty until the first claim.
    roles : tuple of str
        Of `ROLES`.
    """

    code: str
    user: str = ""
    roles: tuple[Role, ...] = ("annotator",)

    def __post_init__(self) -> None:
        require_rater(self.code)
        unknown = set(self.roles) - set(ROLES)
        if unknown or not self.roles:
            raise InputError(
                f"A rater has roles of {', '.join(ROLES)}.",
                hint="Give at least one of them.",
            )


@dataclass(frozen=True)
class Thresholds:
    """What counts as good against a gold case, and as agreement of two readings.

    Parameters
    ----------
    dice : float
        Least Dice coefficient.
    hd95_mm : float
        Largest 95th percentile of the surface distances.
    volume_ml : float
        Largest difference of volumes.
    landmark_mm : float
        Largest distance of a landmark.
    tolerance_mm : float
        Of the surface Dice (NSD).
    """

    dice: float = 0.85
    hd95_mm: float = 5.0
    volume_ml: float = 5.0
    landmark_mm: float = 3.0
    tolerance_mm: float = 2.0


@dataclass(frozen=True)
class Settings:
    """What `project.json` says.

    Parameters
    ----------
    name : str
        Of the study; it stands in documents, so it names no patient and no person.
    raters : tuple of Rater
        Who works on it.
    readings : int
        How many raters read each case, blind to one another.
    rule : str
        How readings become one: ``adjudicate``, ``majority`` or ``staple``.
    adjudicator : str
        Who settles where they differ: ``independent``, somebody who has not read the case, or
        ``reader``, one of its readers, too.
    gold_share : float
        Share of gold cases mixed into each rater's list, 0 to 1.
    review_share : float
        Share of submitted cases that are reviewed, 0 to 1.
    gold_feedback : bool
        Whether a rater is told at once how a gold case went; else the log and managers alone.
    repeat_days : int
        After how many days a case is served again to the same rater; 0 for never.
    repeat_share : float
        Share of cases that are served again, 0 to 1.
    claim_hours : float
        After how long without a sign of life a claim may be taken over.
    idle_minutes : float
        After how long without a move the clock of a case stops.
    seed : int
        Of every draw: order, gold, samples, repeats, splits.
    thresholds : Thresholds
        What counts as good.

    Raises
    ------
    InputError
        When two raters share a code, or a number is out of its range.
    """

    name: str
    raters: tuple[Rater, ...] = ()
    readings: int = 1
    rule: Rule = "adjudicate"
    adjudicator: Adjudicator = "independent"
    gold_share: float = 0.0
    review_share: float = 1.0
    gold_feedback: bool = False
    repeat_days: int = 0
    repeat_share: float = 0.1
    claim_hours: float = 12.0
    idle_minutes: float = 2.0
    seed: int = 1
    thresholds: Thresholds = field(default_factory=Thresholds)

    def __post_init__(self) -> None:
        codes = [rater.code for rater in self.raters]
        if len(set(codes)) != len(codes):
            raise InputError(
                "Each rater of a study has a code of their own; one code stands twice.",
                hint="Change one of the two.",
            )
        if not self.name.strip():
            raise InputError("A study has no name.", hint="Give it one in project.json.")
        if not 1 <= self.readings <= 8:
            raise InputError(
                f"A case is read by 1 to 8 raters; got {self.readings}.",
                hint="Change readings in project.json.",
            )
        if self.adjudicator not in ADJUDICATORS:
            raise InputError(
                f"Who settles differences is one of {', '.join(ADJUDICATORS)}.",
                hint="Change adjudicator in project.json.",
            )
        for key in ("gold_share", "review_share", "repeat_share"):
            if not 0.0 <= getattr(self, key) <= 1.0:
                raise InputError(
                    f"{key} is a share from 0 to 1; got {getattr(self, key):g}.",
                    hint="Change it in project.json.",
                )

    @property
    def slots(self) -> tuple[str, ...]:
        """The readings of each case: ``A``, ``B``, ..."""
        return tuple("ABCDEFGH"[: self.readings])

    def asks_for(self, way: str) -> Asked:
        """Return whom these rules ask to make one mask of readings in a way.

        A rule that the study has chosen before is no judgement of a person, so ``nobody`` is
        asked for. To take another one for a case that differs is as much a judgement as to
        decide its differences.

        Parameters
        ----------
        way : str
            ``adjudicate``, or a rule of consensus.
        """
        return "nobody" if way == self.rule != "adjudicate" else self.adjudicator

    def rater(self, code: str) -> Rater:
        """Return the rater of a code.

        Raises
        ------
        InputError
            When the study has none.
        """
        for rater in self.raters:
            if rater.code == code:
                return rater
        raise InputError(
            "The study has no rater of that code.",
            hint="Add the rater to project.json, or choose one of those in it.",
        )

    def rater_of(self, user: str) -> Rater:
        """Return the rater behind an account.

        Raises
        ------
        RefusedError
            When the account is not on the list.
        """
        for rater in self.raters:
            if user and rater.user == user:
                return rater
        raise RefusedError(
            "Your account is not on the list of this study's raters.",
            hint="Ask its manager to add you: medlabel project rater STUDY CODE",
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain data for JSON; `from_json` reads it."""
        data = asdict(self)
        data["raters"] = [{**r, "roles": list(r["roles"])} for r in data["raters"]]
        return {"medlabel": "project", "v": SCHEMA, **data}

    @classmethod
    def from_json(cls, data: object) -> Settings:
        """Build from plain data.

        Raises
        ------
        InputError
            When it is not a study's, or of a later version.
        """
        if not isinstance(data, Mapping) or data.get("medlabel") != "project":
            raise InputError(
                "This is not a study's project.json.",
                hint="Choose the folder of a study, or make one with: "
                "medlabel project init FOLDER",
            )
        if data.get("v") != SCHEMA:
            raise InputError(
                f"project.json is of version {data.get('v')!r}; this program knows {SCHEMA}.",
                hint="Update the program.",
            )
        rest = {k: v for k, v in data.items() if k not in ("medlabel", "v")}
        try:
            raters = tuple(
                Rater(str(r["code"]), str(r.get("user", "")), tuple(r["roles"]))
                for r in rest.pop("raters", [])
            )
            thresholds = Thresholds(**rest.pop("thresholds", {}))
            return cls(**rest, raters=raters, thresholds=thresholds)
        except (KeyError, TypeError) as err:
            raise InputError(
                "project.json has an entry that is not known, or lacks one.",
                hint="See docs/reference/study.md for its form.",
            ) from err


def read_settings(path: Path) -> Settings:
    """Read `project.json`.

    Raises
    ------
    InputError
        When it cannot be read or is not one.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        raise InputError(
            "project.json cannot be read, or is not JSON.",
            hint="Check that the folder is there; mend the file, or take it from a backup.",
        ) from err
    return Settings.from_json(data)


def write_settings(path: Path, settings: Settings) -> None:
    """Write `project.json`, aside and renamed.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    write_bytes_aside(path, settings_bytes(settings))


def settings_bytes(settings: Settings) -> bytes:
    """Return what `project.json` holds; its SHA-256 is what the log names."""
    text = json.dumps(settings.to_json(), indent=2, ensure_ascii=False) + "\n"
    return text.encode("utf-8")
