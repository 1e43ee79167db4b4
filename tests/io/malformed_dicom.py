"""Broken DICOM: headers that lie, miss or contradict."""

# ruff: noqa: E501 - a case is a line of a table

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.sequence import Sequence as Items
from pydicom.uid import ImplicitVRLittleEndian

from tests.io.malformed import Case, Probe, block, probes
from tests.io.scans import instance

ORIGIN = (-10.0, 20.0, 30.0)
STEP = 2.5
AFFINE = np.array([(-0.7, 0, 0, 10), (0, -0.8, 0, -20), (0, 0, STEP, 30), (0, 0, 0, 1)])
Edit = Callable[[Dataset, int], None]


def datasets(slices: int = 5, **extra: Any) -> list[Dataset]:
    """Return an invented, whole series of CT slices, 2.5 mm apart."""
    return [
        instance(
            k,
            plane,
            position=(ORIGIN[0], ORIGIN[1], ORIGIN[2] + STEP * k),
            spacing=(0.8, 0.7),
            **extra,
        )
        for k, plane in enumerate(block(slices=slices))
    ]


def encoded(ds: Dataset) -> bytes:
    """Return the dataset as a file's bytes."""
    buffer = DicomBytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return bytes(buffer.getvalue())


def written(folder: Path, files: Sequence[bytes]) -> Path:
    """Write files side by side; return the folder."""
    for number, content in enumerate(files):
        (folder / f"{number:03d}.dcm").write_bytes(content)
    return folder


def series(edit: Edit, which: Sequence[int] | None, slices: int, folder: Path) -> Path:
    """Write the series with some of its slices edited (all where None)."""
    found = datasets(slices)
    for k, ds in enumerate(found):
        if which is None or k in which:
            edit(ds, k)
    return written(folder, [encoded(ds) for ds in found])


def patched(change: Callable[[bytes], bytes], which: Sequence[int], folder: Path) -> Path:
    """Write the series with the bytes of some files changed."""
    files = [encoded(ds) for ds in datasets()]
    return written(folder, [change(f) if k in which else f for k, f in enumerate(files)])


def setting(**values: Any) -> Edit:
    """Return an edit that sets attributes, or deletes those that are None."""

    def edit(ds: Dataset, _k: int) -> None:
        for name, new in values.items():
            if new is None:
                delattr(ds, name)
            else:
                setattr(ds, name, new)

    return edit


def raw(name: str, text: bytes) -> Edit:
    """Return an edit that puts bytes into an attribute that pydicom would not accept."""

    def edit(ds: Dataset, _k: int) -> None:
        from pydicom.datadict import tag_for_keyword
        from pydicom.dataelem import RawDataElement
        from pydicom.tag import Tag

        tag = Tag(tag_for_keyword(name))
        vr = ds[name].VR if name in ds else "DS"
        padded = text + b" " * (len(text) % 2)
        ds._dict[tag] = RawDataElement(tag, vr, len(padded), padded, 0, False, True)

    return edit


def _head(data: bytes) -> int:
    """Return where the pixel data element begins."""
    return data.index(b"\xe0\x7f\x10\x00")


def _elements() -> list[tuple[str, str, Edit, str]]:
    """Return name, want, edit of every slice, and phrase."""
    careful = "careful"
    return [
        ("no position", careful, setting(ImagePositionPatient=None), ""),
        ("no orientation", careful, setting(ImageOrientationPatient=None), ""),
        ("no spacing", careful, setting(PixelSpacing=None), ""),
        ("zero spacing", careful, setting(PixelSpacing=[0, 0]), ""),
        ("negative spacing", careful, setting(PixelSpacing=[-0.8, -0.7]), ""),
        ("one number for spacing", careful, setting(PixelSpacing=[0.8]), ""),
        ("infinite spacing", careful, raw("PixelSpacing", b"inf\\inf"), ""),
        ("position with decimal commas", careful, raw("ImagePositionPatient", b"-1,5\\2,5\\3,5"), ""),
        ("position that is not a number", careful, raw("ImagePositionPatient", b"nan\\nan\\nan"), ""),
        ("position in letters", careful, raw("ImagePositionPatient", b"left\\up\\in"), ""),
        ("position of two numbers", careful, raw("ImagePositionPatient", b"1.0\\2.0"), ""),
        ("position beyond all lengths", careful, raw("ImagePositionPatient", b"1e300\\1e300\\1e300"), ""),
        ("orientation of two numbers", careful, raw("ImageOrientationPatient", b"1\\0"), ""),
        ("orientation of zeros", careful, setting(ImageOrientationPatient=[0] * 6), ""),
        ("orientation of twice one axis", careful, setting(ImageOrientationPatient=[1, 0, 0] * 2), ""),
        ("orientation not at right angles", careful, setting(ImageOrientationPatient=[1, 0, 0, 0.6, 0.8, 0]), ""),
        ("orientation not of unit length", careful, setting(ImageOrientationPatient=[2, 0, 0, 0, 3, 0]), ""),
        ("orientation that is not a number", careful, raw("ImageOrientationPatient", b"nan\\0\\0\\0\\1\\0"), ""),
        ("rows missing", "refused", setting(Rows=None), ""),
        ("zero rows", "refused", setting(Rows=0), ""),
        ("absurd rows and columns", "refused", setting(Rows=65535, Columns=65535), ""),
        ("absurd number of frames", "refused", setting(NumberOfFrames=2147483647), ""),
        ("negative number of frames", careful, setting(NumberOfFrames=-3), ""),
        ("zero frames", careful, setting(NumberOfFrames=0), ""),
        ("frames in letters", careful, raw("NumberOfFrames", b"many"), ""),
        ("more frames than pixels", "refused", setting(NumberOfFrames=7), ""),
        ("12 bits allocated", "refused", setting(BitsAllocated=12), ""),
        ("no bits allocated", "refused", setting(BitsAllocated=0), ""),
        ("512 bits allocated", "refused", setting(BitsAllocated=512), ""),
        ("more bits stored than allocated", careful, setting(BitsStored=24, HighBit=23), ""),
        ("high bit below bits stored", careful, setting(BitsStored=12, HighBit=3), ""),
        ("no bits stored", careful, setting(BitsStored=0), ""),
        ("two samples", "refused", setting(SamplesPerPixel=2), ""),
        ("three samples of grey", "refused", setting(SamplesPerPixel=3), ""),
        ("zero samples", careful, setting(SamplesPerPixel=0), ""),
        ("colour by a photometry nobody knows", careful, setting(PhotometricInterpretation="PLAID"), ""),
        ("palette without table", "refused", setting(PhotometricInterpretation="PALETTE COLOR"), ""),
        ("palette with a short table", "refused", _short_palette, ""),
        ("rescale slope zero", careful, setting(RescaleSlope=0), ""),
        ("rescale slope not a number", careful, raw("RescaleSlope", b"nan"), ""),
        ("rescale slope in letters", careful, raw("RescaleSlope", b"one"), ""),
        ("rescale intercept infinite", careful, raw("RescaleIntercept", b"-inf"), ""),
        ("pixel data empty", "refused", setting(PixelData=b""), ""),
        ("pixel data of one byte too few", "refused", _cut_pixels, ""),
        ("no pixel data", "refused", setting(PixelData=None), ""),
        ("no series UID", careful, setting(SeriesInstanceUID=None), ""),
        ("enhanced without functional groups", careful, _enhanced(0), ""),
        ("enhanced with too few functional groups", "refused", _enhanced(2), ""),
    ]  # fmt: skip


def _harmless() -> list[tuple[str, Edit]]:
    """Return name and edit of what hides no pixel and no place."""
    return [
        ("no instance UID", setting(SOPInstanceUID=None)),
        ("more pixel data than pixels", lambda ds, k: setattr(ds, "PixelData", ds.PixelData + b"\7" * 64)),
        ("odd length of a string", raw("StudyDescription", b"odd")),
        ("sequence 100 deep", _deep(100)),
    ]  # fmt: skip


def _short_palette(ds: Dataset, _k: int) -> None:
    ds.PhotometricInterpretation = "PALETTE COLOR"
    ds.PixelRepresentation = 0
    for name in ("Red", "Green", "Blue"):
        setattr(ds, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(ds, f"{name}PaletteColorLookupTableData", b"\1\2\3\4")


def _cut_pixels(ds: Dataset, _k: int) -> None:
    ds.PixelData = ds.PixelData[:-2]


def _deep(levels: int) -> Edit:
    def edit(ds: Dataset, _k: int) -> None:
        inner = Dataset()
        inner.add_new(0x00080104, "LO", "end")
        for _ in range(levels):
            outer = Dataset()
            outer.add_new(0x00081140, "SQ", Items([inner]))
            inner = outer
        ds.add_new(0x00081140, "SQ", Items([inner]))

    return edit


def _enhanced(items: int) -> Edit:
    def edit(ds: Dataset, _k: int) -> None:
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"
        for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
            delattr(ds, name)
        ds.NumberOfFrames = 4
        ds.PixelData = ds.PixelData * 4
        if items:
            ds.PerFrameFunctionalGroupsSequence = Items([_groups(n) for n in range(items)])

    return edit


def _groups(frame: int) -> Dataset:
    group = Dataset()
    for name, values in (
        ("PlanePosition", {"ImagePositionPatient": [0, 0, frame]}),
        ("PlaneOrientation", {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}),
        ("PixelMeasures", {"PixelSpacing": [1, 1], "SliceThickness": 1}),
    ):
        item = Dataset()
        for attribute, new in values.items():
            setattr(item, attribute, new)
        setattr(group, f"{name}Sequence", Items([item]))
    return group


def _replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        if data.count(old) != 1:
            raise ValueError("The bytes to replace must occur once.")
        return data.replace(old, new)

    return change


def _inserted(element: bytes) -> Callable[[bytes], bytes]:
    """Put an element before the pixel data."""
    return lambda data: data[: _head(data)] + element + data[_head(data) :]


def _very_deep() -> bytes:
    """Return a private sequence 10,000 deep, of undefined lengths, ended rightly."""
    begin = struct.pack("<HH2sHI", 0x5001, 0x1010, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    end = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return begin * 10_000 + end * 10_000


def _unended() -> bytes:
    return struct.pack("<HH2sHI", 0x5001, 0x1010, b"SQ", 0, 0xFFFFFFFF)


def _absurd_length() -> bytes:
    return struct.pack("<HH2sHI", 0x5001, 0x1010, b"SQ", 0, 0xFFFFFFF0)


def _rows_as(vr: bytes) -> Callable[[bytes], bytes]:
    plain = struct.pack("<HH2sHH", 0x28, 0x10, b"US", 2, 5)
    if vr == b"UL":
        return _replaced(plain, struct.pack("<HH2sHI", 0x28, 0x10, b"UL", 4, 5))
    return _replaced(plain, struct.pack("<HH2sH2s", 0x28, 0x10, b"IS", 2, b"5 "))


def _bytes_cases() -> list[tuple[str, Any, Callable[[bytes], bytes], Sequence[int], str]]:
    """Return name, want, change of the bytes, files and phrase."""
    one, every = (2,), range(5)
    inside = _inserted(_very_deep())
    return [
        ("pixel data cut", "refused", lambda d: d[:-20], one, "shorter|cut|truncat|ends"),
        ("file cut in the header", "careful", lambda d: d[:400], one, ""),
        ("file cut right before the pixels", "careful", lambda d: d[: _head(d)], one, ""),
        ("file cut in the length of the pixels", "careful", lambda d: d[: _head(d) + 9], one, ""),
        ("all files cut in the header", "refused", lambda d: d[:400], every, ""),
        ("file of no bytes among the slices", "careful", lambda _: b"", (4,), ""),
        ("file of zeros among the slices", "careful", lambda d: bytes(len(d)), (4,), ""),
        ("length of the file meta is a lie", "careful", _meta_length, every, ""),
        ("no preamble", "read", lambda d: d[128:], every, ""),
        ("group 2 at once", "read", lambda d: d[132:], every, ""),
        ("no file meta", "careful", _no_meta, every, ""),
        ("rows as a long", "careful", _rows_as(b"UL"), every, ""),
        ("rows as text", "careful", _rows_as(b"IS"), every, ""),
        ("meta says explicit, data is implicit", "careful", _implicit_inside, every, ""),
        ("meta says big endian, data is little", "careful", _big_inside, every, ""),
        ("sequence 10,000 deep", "careful", inside, every, ""),
        ("sequence without an end", "careful", _inserted(_unended()), every, ""),
        ("sequence of four gigabytes", "careful", _inserted(_absurd_length()), every, ""),
        ("bytes behind the pixels", "read", lambda d: d + b"\0" * 333, every, ""),
        ("a page of HTML called .dcm", "careful", lambda _: b"<html><body>404</body>" * 9, (4,), ""),
        ("unknown transfer syntax", "refused", with_syntax("1.2.3.4.5.6"), every, ""),
        ("MPEG", "refused", with_syntax("1.2.840.10008.1.2.4.102"), every, ""),
        ("private transfer syntax", "refused", with_syntax("1.2.840.113619.5.2.1"), every, ""),
        ("JPIP, pixels elsewhere", "refused", with_syntax("1.2.840.10008.1.2.4.94"), every, ""),
        ("unknown character set", "read", _charset(b"ISO_IR 999"), every, ""),
        ("name in a wrong character set", "read", _replaced(b"Invented^Name", b"Invented\xff\xfe\x1b$Q"), every, ""),
        ("pixel data of undefined length, not encapsulated", "refused", _undefined, every, ""),
        ("pixel data longer than four gigabytes", "careful", _long_pixels, every, ""),
    ]  # fmt: skip


def with_syntax(uid: str) -> Callable[[bytes], bytes]:
    """Return a change of the transfer syntax that leaves all behind the file meta alone."""

    def change(data: bytes) -> bytes:
        at = data.index(b"\2\0\x10\0UI") + 6
        length = struct.unpack_from("<H", data, at)[0]
        text = uid.encode() + b"\0" * (len(uid) % 2)
        out = data[:at] + struct.pack("<H", len(text)) + text + data[at + 2 + length :]
        meta = struct.unpack_from("<I", data, 140)[0] + len(text) - length
        return out[:140] + struct.pack("<I", meta) + out[144:]

    return change


def _charset(name: bytes) -> Callable[[bytes], bytes]:
    element = struct.pack("<HH2sH", 0x0008, 0x0005, b"CS", len(name)) + name
    return _replaced(
        struct.pack("<HH2s", 8, 0x16, b"UI"), element + struct.pack("<HH2s", 8, 0x16, b"UI")
    )


def _meta_length(data: bytes) -> bytes:
    return data[:140] + struct.pack("<I", 0x7FFFFFFF) + data[144:]


def _no_meta(data: bytes) -> bytes:
    length = struct.unpack_from("<I", data, 140)[0]
    return data[144 + length :]


def _implicit_inside(data: bytes) -> bytes:
    from pydicom import dcmread

    ds = dcmread(DicomBytesIO(data))
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return with_syntax("1.2.840.10008.1.2.1")(encoded(ds))


def _big_inside(data: bytes) -> bytes:
    return with_syntax("1.2.840.10008.1.2.2")(data)


def _undefined(data: bytes) -> bytes:
    at = _head(data) + 8
    return data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :]


def _long_pixels(data: bytes) -> bytes:
    at = _head(data) + 8
    return data[:at] + b"\xfe\xff\xff\xff" + data[at + 4 :]


def _several() -> list[Case]:
    whole = probes(AFFINE, range(5))
    return [
        Case("two files, one UID, other pixels", "refused", _same_uid, "same image"),
        Case("a slice twice", "read", _twice, "", whole),
        Case("one slice of ten missing", "warned", _one_missing, "missing", _without(10, 4)),
        Case("slices at uneven distances", "careful", _uneven, "", ()),
        Case("one slice of another size", "careful", _other_size, "", ()),
        Case("one slice turned", "careful", _turned, "", ()),
        Case("signed and unsigned slices mixed", "careful", _mixed_sign, "", whole),
        Case("one position for all slices", "careful", _one_position, "", ()),
        Case("a record of DICOMDIR that points to itself", "refused", _circular, "", ()),
        Case("slices of two patients under one UID", "careful", _two_patients, "", whole),
        Case(
            "64 MB of zeros behind a preamble", "refused", partial(_long, bytes(128) + b"DICM")
        ),
        Case("64 MB of zeros called .dcm", "refused", partial(_long, b"")),
        Case("four million empty elements", "refused", _empty_elements),
        Case("segmentation without its segments", "refused", _broken_seg, "", ()),
    ]


def _without(slices: int, gone: int) -> tuple[Probe, ...]:
    return probes(AFFINE, [k for k in range(slices) if k != gone])


def _same_uid(folder: Path) -> Path:
    found = datasets()
    other = datasets()[2]
    other.PixelData = bytes(len(other.PixelData))
    return written(folder, [encoded(ds) for ds in (*found, other)])


def _twice(folder: Path) -> Path:
    found = datasets()
    return written(folder, [encoded(ds) for ds in (*found, found[1])])


def _one_missing(folder: Path) -> Path:
    found = datasets(10)
    return written(folder, [encoded(ds) for k, ds in enumerate(found) if k != 4])


def _uneven(folder: Path) -> Path:
    def edit(ds: Dataset, k: int) -> None:
        ds.ImagePositionPatient = [-10, 20, 30 + (0, 2.5, 6.1, 7.0, 19.3)[k]]

    return series(edit, None, 5, folder)


def _other_size(folder: Path) -> Path:
    found = datasets()
    found[2].Rows, found[2].Columns = 6, 5
    return written(folder, [encoded(ds) for ds in found])


def _turned(folder: Path) -> Path:
    return series(setting(ImageOrientationPatient=[0, 1, 0, 0, 0, -1]), (2,), 5, folder)


def _mixed_sign(folder: Path) -> Path:
    return series(setting(PixelRepresentation=0), (2,), 5, folder)


def _one_position(folder: Path) -> Path:
    return series(setting(ImagePositionPatient=[0, 0, 0]), None, 5, folder)


def _two_patients(folder: Path) -> Path:
    return series(
        setting(PatientID="INVENTED-7b", PatientName="Invented^Two"), (3, 4), 5, folder
    )


def _circular(folder: Path) -> Path:
    ds = datasets()[0]
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    for name in ("PixelData", "Rows", "Columns"):
        delattr(ds, name)
    record = Dataset()
    record.OffsetOfTheNextDirectoryRecord = 1
    record.OffsetOfReferencedLowerLevelDirectoryEntity = 1
    record.DirectoryRecordType = "PATIENT"
    record.PatientID = "INVENTED-7"
    ds.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 1
    ds.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 1
    ds.DirectoryRecordSequence = Items([record])
    data = encoded(ds)
    at = data.index(struct.pack("<HH", 0xFFFE, 0xE000))
    ds.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = at
    record.OffsetOfTheNextDirectoryRecord = at
    record.OffsetOfReferencedLowerLevelDirectoryEntity = at
    (folder / "DICOMDIR").write_bytes(encoded(ds))
    return folder


def _long(begin: bytes, folder: Path) -> Path:
    with (folder / "long.dcm").open("wb") as stream:
        stream.write(begin)
        stream.truncate(64 << 20)
    return folder


def _empty_elements(folder: Path) -> Path:
    whole = encoded(datasets()[0])
    meta = whole[: 144 + struct.unpack_from("<I", whole, 140)[0]]
    empty = struct.pack("<HH2sH", 0x0009, 0x1010, b"LO", 0)
    (folder / "long.dcm").write_bytes(meta + empty * 4_000_000)
    return folder


def _broken_seg(folder: Path) -> Path:
    ds = datasets()[0]
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.66.4"
    ds.Modality = "SEG"
    ds.BitsAllocated = ds.BitsStored = 1
    ds.HighBit = 0
    ds.NumberOfFrames = 12
    ds.SegmentationType = "BINARY"
    ds.PixelData = b"\1\2"
    return written(folder, [encoded(ds)])


def cases() -> list[Case]:
    """Return the cases about headers."""
    whole = probes(AFFINE, range(5))
    silent = {"no series UID", "high bit below bits stored", "negative number of frames"}
    silent |= {"zero frames", "frames in letters", "zero samples", "no bits stored"}
    found = [
        Case(
            name, want, partial(series, edit, None, 5), phrase, whole if name in silent else ()
        )
        for name, want, edit, phrase in _elements()
    ]
    found += [
        Case(name, "read", partial(series, edit, None, 5), "", whole)
        for name, edit in _harmless()
    ]
    found += [
        Case(name, want, partial(patched, change, which), phrase, whole)
        for name, want, change, which, phrase in _bytes_cases()
    ]
    return [*found, *_several()]
