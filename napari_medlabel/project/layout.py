"""Names of everything in a study folder: the only place that joins its paths.

The root is a BIDS-style raw data set; each annotator, each model and the consensus has a
derivative of its own, which one writer writes; `medlabel/` holds what makes it a study. Paths
in files are relative to the root.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from napari_medlabel.errors import InputError, SaveError

CONSENSUS: Final = "consensus"
_WORD: Final = re.compile(r"[A-Za-z0-9]+")
_CASE: Final = re.compile(
    r"sub-(?P<subject>[A-Za-z0-9]+)(_ses-(?P<session>[A-Za-z0-9]+))?"
    r"(_run-(?P<run>[0-9]+))?_(?P<suffix>[A-Za-z0-9]+)"
)
_RATER: Final = re.compile(r"[a-z][a-z0-9]{0,15}")


@dataclass(frozen=True, order=True)
class CaseId:
    """One scan of a study, as BIDS names it: ``sub-001_ses-01_ct``.

    Parameters
    ----------
    subject : str
        Code of the patient, letters and digits.
    session : str
        Code of the visit; empty where there is one only.
    run : int
        Which of several scans of one kind, from 1; 0 where there is one only.
    suffix : str
        What kind of scan: ``ct``, ``T1w``, ``pet``.

    Raises
    ------
    InputError
        When a part holds something else than letters and digits.
    """

    subject: str
    session: str = ""
    run: int = 0
    suffix: str = "ct"

    def __post_init__(self) -> None:
        for part in (self.subject, self.session or "x", self.suffix):
            if not _WORD.fullmatch(part):
                raise InputError(
                    "A case is named by letters and digits: patient, visit and kind of scan.",
                    hint="Leave out blanks, dashes and underscores.",
                )

    def __str__(self) -> str:
        visit = f"_ses-{self.session}" if self.session else ""
        run = f"_run-{self.run}" if self.run else ""
        return f"sub-{self.subject}{visit}{run}_{self.suffix}"

    @property
    def stem(self) -> str:
        """The name without the kind of scan; what derivatives begin with."""
        return str(self).rpartition("_")[0]

    @property
    def folder(self) -> PurePosixPath:
        """Its folder in a data set."""
        parts = [f"sub-{self.subject}"]
        if self.session:
            parts.append(f"ses-{self.session}")
        return PurePosixPath(*parts, "anat")

    @classmethod
    def parse(cls, text: str) -> CaseId:
        """Read a name.

        Raises
        ------
        InputError
            When it is none.
        """
        found = _CASE.fullmatch(text)
        if found is None:
            raise InputError(
                "A case is named like sub-001_ct or sub-001_ses-01_T1w.",
                hint="See the names in the list, or with: medlabel project status STUDY",
            )
        run = int(found["run"] or 0)
        return cls(found["subject"], found["session"] or "", run, found["suffix"])


def require_rater(code: str) -> str:
    """Return a rater's code when it is one: a small letter, then small letters and digits.

    Raises
    ------
    InputError
        When it is none.
    """
    if not _RATER.fullmatch(code) or code == CONSENSUS:
        raise InputError(
            "A rater is called by a code such as r01: small letters and digits, no name.",
            hint="Codes stand in file names and in every export; names stay with the officer.",
        )
    return code


@dataclass(frozen=True)
class Layout:
    """Where things lie below a study's root.

    Parameters
    ----------
    root : Path
        The study's folder.
    """

    root: Path

    @property
    def own(self) -> Path:
        """What makes the folder a study: project, ontology, guidelines, claims, log."""
        return self.root / "medlabel"

    @property
    def project(self) -> Path:
        """Who may do what, and by which rules."""
        return self.own / "project.json"

    @property
    def ontology(self) -> Path:
        """Labels, landmarks and questions."""
        return self.own / "ontology.json"

    @property
    def guidelines(self) -> Path:
        """What annotators read; pictures lie beside it."""
        return self.own / "guidelines" / "guidelines.md"

    @property
    def cases(self) -> Path:
        """One small file for each case: content id, subject token, hashes, origin."""
        return self.own / "cases"

    @property
    def claims(self) -> Path:
        """Who works on what now; disposable."""
        return self.own / "claims"

    @property
    def comments(self) -> Path:
        """Threads: a file for each case and writer."""
        return self.own / "comments"

    @property
    def gold(self) -> Path:
        """True answers of gold cases; to be guarded by rights of the system."""
        return self.own / "gold"

    @property
    def audit(self) -> Path:
        """The audit log of the study."""
        return self.own / "audit"

    @property
    def dicoms(self) -> Path:
        """The de-identified DICOM images that scans were made of, a folder for each case."""
        return self.own / "dicom"

    @property
    def cleanings(self) -> Path:
        """Reports of the de-identifications that scans came through, by digest."""
        return self.own / "deid"

    @property
    def adding(self) -> Path:
        """What is being added, aside until it is whole; disposable."""
        return self.own / ".adding"

    @property
    def outbox(self) -> Path:
        """What the log must still be told of added cases."""
        return self.own / ".outbox"

    @property
    def participants(self) -> Path:
        """One line for each patient: sex, age band, split."""
        return self.root / "participants.tsv"

    @property
    def releases(self) -> Path:
        """Signed manifests of what was released."""
        return self.own / "releases"

    @property
    def originals(self) -> Path:
        """Scans as they came, never exported; may be missing."""
        return self.root / "sourcedata"

    @property
    def exports(self) -> Path:
        """What is made from the study; never a source."""
        return self.root / "exports"

    def case_file(self, case: CaseId) -> Path:
        """Return the file that describes a case."""
        return self.cases / f"{case}.json"

    def scan(self, case: CaseId) -> Path:
        """Return the de-identified scan of a case."""
        return self.root.joinpath(*case.folder.parts) / f"{case}.nii.gz"

    def dicom_files(self, case: CaseId, count: int) -> tuple[Path, ...]:
        """Return the files of a case's de-identified DICOM images.

        Parameters
        ----------
        case : CaseId
            Which scan.
        count : int
            How many there are, as its record tells.
        """
        folder = self.dicoms / str(case)
        return tuple(folder / f"{number:05d}.dcm" for number in range(1, count + 1))

    def derivative(self, rater: str) -> Path:
        """Return the data set of one annotator, one model or the consensus."""
        return self.root / "derivatives" / f"medlabel-{rater}"

    def work(self, rater: str, case: CaseId) -> Path:
        """Return the folder in which a rater's open work on a case lies."""
        folder = self.derivative(rater).joinpath(*case.folder.parts)
        return folder / f".{case}"

    def version(self, rater: str, case: CaseId, number: int, kind: str) -> Path:
        """Return a file of a submitted version; it is never overwritten.

        Parameters
        ----------
        rater : str
            Code of the rater, or ``consensus``.
        case : CaseId
            Which scan.
        number : int
            Which version, from 1.
        kind : str
            Ending: ``dseg.nii.gz``, ``dseg.json``, ``landmarks.mrk.json``, ``answers.json``,
            ``prov.nii.gz``, ``boxes.json``.
        """
        folder = self.derivative(rater).joinpath(*case.folder.parts)
        # The kind of scan stays in the name: two scans of one visit have masks of their own.
        return folder / f"{case.stem}_desc-{case.suffix}v{number:03d}_{kind}"

    def claim(self, case: CaseId, slot: str) -> Path:
        """Return the claim file of a slot (``A``, ``B``, ``review``, ``consensus``)."""
        return self.claims / f"{case}.{slot}.json"

    def relative(self, path: Path) -> str:
        """Return a path as it stands in files: from the root, with slashes.

        Raises
        ------
        InputError
            When it lies outside the study.
        """
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError as err:
            raise InputError(
                "A file of the study was expected, and one outside its folder came.",
                hint="Add it to the study first.",
            ) from err


def is_study(folder: Path) -> bool:
    """Tell whether a folder is a study's own, or its ``medlabel``; not one deeper in it."""
    inside = Layout(folder.parent).own.name == folder.name and Layout(folder.parent).project
    return Layout(folder).project.is_file() or bool(inside and inside.is_file())


def find_study(start: Path) -> Layout:
    """Return the study that a folder is, or lies in.

    Raises
    ------
    InputError
        When there is none.
    """
    here = start.resolve()
    for folder in (here, *here.parents):
        if Layout(folder).project.is_file():
            return Layout(folder)
    raise InputError(
        "This is no study folder: there is no medlabel/project.json in it or above it.",
        hint="Choose the folder of a study, or make one with: medlabel project init FOLDER",
    )


def study_around(folder: Path) -> Layout | None:
    """Return the study that a folder is, or lies in; None where it is in none."""
    try:
        return find_study(folder)
    except InputError:
        return None


def require_there(layout: Layout) -> Layout:
    """Return a study whose folder is there; one that is gone is not made anew by a save.

    Raises
    ------
    SaveError
        When it is not where it was: renamed, or its share is not connected.
    """
    if not layout.project.is_file():
        raise SaveError(
            "The study's folder is not there any more: nothing was written.",
            hint="Connect the share again, or put the folder back in its place, and try again. "
            "What was drawn stays in the recovery journal on this computer.",
        )
    return layout
