"""Cases on their way out: read again, and compared with what the log and the record say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.export.segments import CodingLike
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.io.registry import read_volume
from napari_medlabel.model.boxes import BoxSet
from napari_medlabel.model.labelmap import Label, LabelMap, LabelScheme
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.cases.version import (
    Version,
    read_answers,
    read_boxes,
    read_labels,
    read_landmarks,
)
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.ontology.questions import Answer
from napari_medlabel.project.release.unresolved import unresolved_in
from napari_medlabel.session.study.exporting.gates import digest_of
from napari_medlabel.session.study.exporting.plan import Chosen, ExportPlan
from napari_medlabel.session.study.exporting.typed import TypedWords, leaving_answers
from napari_medlabel.session.study.exporting.wish import Format

Tick = Callable[[], None]


@dataclass(frozen=True, eq=False)
class Leaving:
    """A case as it leaves.

    Parameters
    ----------
    chosen : Chosen
        The case and its version.
    scan : Volume
        The study's scan.
    masks : mapping of int to LabelMap
        The masks by layer of the ontology, each with the labels of its layer.
    landmarks : LandmarkSet
        In RAS mm; empty where there are none.
    unresolved : mapping of int to ndarray of bool, shape (i, j, k)
        Voxels of a consensus that nobody decided, by layer; layers without any are left out.
    """

    chosen: Chosen
    scan: Volume
    masks: Mapping[int, LabelMap]
    landmarks: LandmarkSet
    unresolved: Mapping[int, npt.NDArray[np.bool_]]

    @property
    def layers(self) -> tuple[LabelMap, ...]:
        """The masks of all layers, by layer; labels of two may overlap."""
        return tuple(self.masks.values())

    @property
    def open_voxels(self) -> int:
        """How many voxels are not resolved, in all layers together."""
        return sum(int(np.count_nonzero(one)) for one in self.unresolved.values())

    @property
    def name(self) -> str:
        """The case's name in the study, which is nobody's."""
        return str(self.chosen.record.case)


@dataclass(frozen=True, eq=False)
class Exporting:
    """What all formats need.

    Parameters
    ----------
    layout : Layout
        The study.
    plan : ExportPlan
        What leaves.
    ontology : Ontology
        What the labels mean.
    name : str
        Of the data sets: letters and digits.
    now : datetime
        Now, aware.
    new_uid : callable
        Returns a UID that was never used.
    tick : callable
        Called when a case of a format is done; what it raises ends the work.
    rater : str
        Code of the rater whose labels alone they are; empty for those that count.
    """

    layout: Layout
    plan: ExportPlan
    ontology: Ontology
    name: str
    now: datetime
    new_uid: Callable[[], str]
    tick: Tick
    rater: str = ""

    @property
    def time(self) -> str:
        """Now, ISO 8601 in UTC, whole seconds."""
        return self.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def codings(self) -> dict[int, CodingLike]:
        """What each label value is, where the ontology says it."""
        coded = ((label.value, label.coding) for label in self.ontology.labels)
        return {value: coding for value, coding in coded if coding is not None}

    @property
    def scheme(self) -> LabelScheme:
        """All labels of the ontology, of every layer."""
        labels = tuple(label.as_label() for label in self.ontology.labels)
        return LabelScheme(self.ontology.name, labels)

    def cases(self, kind: Format) -> Iterator[Leaving]:
        """Yield the cases of a format, one after the other.

        Raises
        ------
        RefusedError
            When a file is another one than the plan was made of.
        """
        for one in self.plan.of_format(kind):
            yield self.load(one)
            self.tick()

    def load(self, one: Chosen) -> Leaving:
        """Read a case."""
        path = self.layout.scan(one.record.case)
        scan = load(path)
        if tuple(f"sha256:{digest}" for digest in scan.source.sha256) != (one.record.file,):
            raise _changed()
        return Leaving(
            one,
            scan,
            self.masks_of(one.version, scan),
            self.landmarks_of(one.version),
            unresolved_in(self.layout, one.version),
        )

    def masks_of(self, version: Version, scan: Volume) -> dict[int, LabelMap]:
        """Read the masks of all layers, and give each the labels of its layer."""
        found = {}
        for layer in (0, *sorted(version.sheets)):
            scheme = self.ontology.scheme(layer)
            labels = read_labels(self.layout, version, scan.grid, scheme, layer)
            if labels.content_id() != (version.sheets[layer] if layer else version.content):
                raise _changed()
            strange = set(labels.voxel_counts()) - set(scheme.values)
            if strange:
                raise InputError(
                    f"A mask holds {len(strange)} values that the ontology does not have any "
                    "more.",
                    hint="Put the labels back into the ontology, or label the case again.",
                )
            found[layer] = LabelMap(labels.grid, labels.array, scheme)
        return found

    def landmarks_of(self, version: Version) -> LandmarkSet:
        """Read landmarks, in the words of the ontology: what somebody typed stays here."""
        known = {mark.name: mark for mark in self.ontology.landmarks}
        found = read_landmarks(self.layout, version) or LandmarkSet()
        return LandmarkSet(
            tuple(
                replace(
                    known[mark.name],
                    point_ras=mark.point_ras,
                    uncertain_mm=mark.uncertain_mm,
                    absent=mark.absent,
                    inspected=mark.inspected,
                )
                for mark in found
                if mark.name in known
            )
        )

    @property
    def kinds(self) -> dict[str, Label]:
        """What a box may be of, by id: a label, or a kind with a value after all labels."""
        kinds = {label.id: label.as_label() for label in self.ontology.labels}
        first = max(self.scheme.values, default=0) + 1
        for value, box in enumerate(self.ontology.boxes, start=first):
            kinds[box.id] = Label(value, box.name, box.colour)
        return kinds

    def boxes_of(self, version: Version, scan: Volume) -> BoxSet:
        """Read boxes; each is of a kind of the ontology."""
        boxes = read_boxes(self.layout, version, scan.grid) or BoxSet()
        if {box.kind for box in boxes} - set(self.kinds):
            raise InputError(
                "A box is of a kind that the ontology does not have any more.",
                hint="Put the kind back into the ontology, or draw the boxes again.",
            )
        return boxes

    def answers_of(self, version: Version) -> tuple[tuple[str, str, Answer], ...]:
        """Read answers that leave, as (question, place, answer).

        What somebody typed stays here, unless it is wanted and all its words are nobody's.
        """
        words = TypedWords.of(self.ontology) if self.plan.wish.typed else None
        given = read_answers(self.layout, version)
        return tuple(leaving_answers(self.ontology, given, words))

    def images(self, leaving: Leaving) -> Volume:
        """Read the DICOM images of a case, which lie exactly where its scan does.

        Raises
        ------
        RefusedError
            When they are not those that were added, or not those of the scan.
        """
        record = leaving.chosen.record
        files = self.layout.dicom_files(record.case, len(record.dicom))
        if not files or tuple(map(digest_of, files)) != record.dicom:
            raise _changed()
        images = read_volume(files[0].parent)
        grid, scan = images.grid, leaving.scan
        same = grid.difference(scan.grid) == "" and np.array_equal(images.array, scan.array)
        if not same:
            raise RefusedError(
                f"The DICOM images of {record.case} do not lie where its scan does, or show "
                "something else.",
                hint="Leave the case out with --skip and --case, and add the scan anew.",
            )
        return images


def _changed() -> RefusedError:
    return RefusedError(
        "A file of the study has changed since the export was planned.",
        hint="Plan it again: medlabel export STUDY DST --check",
    )
