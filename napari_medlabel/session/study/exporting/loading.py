"""Cases on their way out: read again, and compared with what the log and the record say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.export.segments import CodingLike
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.io.registry import read_volume
from napari_medlabel.model.labelmap import LabelMap, LabelScheme
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.cases.version import Version, read_labels, read_landmarks
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.session.study.exporting.gates import digest_of
from napari_medlabel.session.study.exporting.plan import Chosen, ExportPlan
from napari_medlabel.session.study.exporting.planning import unresolved_in
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
    labels : LabelMap
        The mask, with all labels of the ontology.
    landmarks : LandmarkSet
        In RAS mm; empty where there are none.
    unresolved : ndarray of bool, shape (i, j, k), or None
        Voxels of a consensus that nobody decided.
    """

    chosen: Chosen
    scan: Volume
    labels: LabelMap
    landmarks: LandmarkSet
    unresolved: npt.NDArray[np.bool_] | None

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
    """

    layout: Layout
    plan: ExportPlan
    ontology: Ontology
    name: str
    now: datetime
    new_uid: Callable[[], str]
    tick: Tick

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
            self.labels_of(one.version, scan),
            self.landmarks_of(one.version),
            unresolved_in(self.layout, one, scan.grid),
        )

    def labels_of(self, version: Version, scan: Volume) -> LabelMap:
        """Read a mask, and give it the names of all labels of the ontology."""
        labels = read_labels(self.layout, version, scan.grid, self.scheme)
        if labels.content_id() != version.content:
            raise _changed()
        strange = set(labels.voxel_counts()) - set(self.scheme.values)
        if strange:
            raise InputError(
                f"A mask holds {len(strange)} values that the ontology does not have any more.",
                hint="Put the labels back into the ontology, or label the case again.",
            )
        return LabelMap(labels.grid, labels.array, self.scheme)

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
