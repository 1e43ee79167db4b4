"""The transfer syntax of a parsed file, and a cleaned data set as the bytes of a new one."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from napari_medlabel.deid.dicom.plan import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.deid.rules.vocabulary import is_structural_uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset
    from pydicom.uid import UID


def transfer_syntax(source: FileDataset) -> UID:
    """Return the transfer syntax of a file, found from its encoding where it is not named."""
    from pydicom.uid import (
        UID,
        ExplicitVRBigEndian,
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
    )

    named = source.file_meta.get("TransferSyntaxUID")
    if named:
        if not is_structural_uid(str(named)):
            raise QuarantineError(Reason.UNREADABLE)
        return UID(str(named))
    implicit, little = source.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def written(dataset: Dataset, syntax: UID) -> bytes:
    """Return a cleaned data set as a file's bytes (PS3.10): nothing of the source's meta."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.filewriter import dcmwrite
    from pydicom.uid import UID

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION
    stream = BytesIO()
    target = FileDataset(stream, dataset, b"\0" * 128, meta)
    implicit, little = syntax.is_implicit_VR, syntax.is_little_endian
    target.set_original_encoding(implicit, little, None)
    dcmwrite(stream, target, enforce_file_format=True)
    return stream.getvalue()
