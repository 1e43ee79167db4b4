from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
from pathlib import Path

import pytest

from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.scan.output import (
    Allowance,
    Searched,
    Sign,
    SourceIdentity,
    source_identity,
)
from napari_medlabel.deid.scan.tree import scan_path

NONE = Allowance()
VOXELS = bytes(48)


def header(
    size: int = 348, *, text: bytes = b"", start: float = 352, pair: bool = False
) -> bytes:
    head = bytearray(size)
    struct.pack_into("<i", head, 0, size)
    if size == 348:
        struct.pack_into("<8h", head, 40, 3, 4, 3, 2, 1, 1, 1, 1)
        struct.pack_into("<2h", head, 70, 4, 16)
        struct.pack_into("<f", head, 108, start)
        head[148 : 148 + len(text)] = text
        head[344:348] = b"ni1\0" if pair else b"n+1\0"
    else:
        head[4:12] = b"n+2\0\r\n\x1a\n"
        struct.pack_into("<2h", head, 12, 4, 16)
        struct.pack_into("<8q", head, 16, 3, 4, 3, 2, 1, 1, 1, 1)
        struct.pack_into("<q", head, 168, int(start))
    return bytes(head)


@pytest.fixture
def found(tmp_path):
    """What the scan finds in a file's bytes, given the bytes of its source."""

    def scan(content: bytes, source: bytes | None = None) -> set[tuple[Sign, str]]:
        identity = SourceIdentity()
        if source is not None:
            (tmp_path / "source").write_bytes(source)
            identity = source_identity(tmp_path / "source", allowance=NONE)
        (tmp_path / "x").write_bytes(content)
        return {(f.sign, f.where) for f in Searched(identity, NONE).file(tmp_path / "x")}

    return scan


def packed(content: bytes, name: str = "", mtime: int = 0) -> bytes:
    stream = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=stream, mtime=mtime) as inside:
        inside.write(content)
    return stream.getvalue()


def test_rebuilt_images_have_nothing(found):
    clean = header() + bytes(4) + VOXELS
    for content in (clean, packed(clean), header(540, start=544) + bytes(4) + VOXELS):
        assert found(content) == set()
    assert found(header(start=0, pair=True) + bytes(4)) == set()
    assert found(header(start=float("nan")) + bytes(4) + VOXELS) == set()


def test_each_place_of_a_nifti_file_is_searched(found):
    named = header(text=b"Vorquilaz Zork") + bytes(4) + VOXELS
    assert found(named, named) == {(Sign.FIELD, "descrip"), (Sign.TEXT, "header")}
    body = header(start=384) + b"\1\0\0\0" + struct.pack("<2i", 32, 6) + b"Vorquilaz".ljust(24)
    assert found(body + VOXELS, named) == {
        (Sign.EXTENSION, "after the header"), (Sign.TEXT, "header"),
    }  # fmt: skip
    tail = header() + bytes(4) + VOXELS + b"\xffVorquilaz"
    assert found(tail, named) == {
        (Sign.TRAILING, "after the voxels"), (Sign.TEXT, "after the voxels"),
    }  # fmt: skip
    short = header() + bytes(4) + VOXELS[:10]
    assert found(short) == {(Sign.UNREADABLE, "voxels")}
    inside = header() + bytes(4) + b"\xfe\xfeVorquilaz\xfe".ljust(48, b"\xfe")
    assert found(inside, named) == {(Sign.TEXT, "voxels")}


def test_large_images_are_searched_block_by_block(found):
    named = header(text=b"Vorquilaz") + bytes(4) + VOXELS
    head = bytearray(header())
    struct.pack_into("<8h", head, 40, 3, 1024, 1024, 1, 1, 1, 1, 1)
    voxels = bytearray(b"\xfe" * (2 << 20))
    place = (1 << 20) - 352 - 4
    voxels[place : place + 9] = b"Vorquilaz"
    content = bytes(head) + bytes(4) + bytes(voxels)
    assert found(content, named) == {(Sign.TEXT, "voxels")}
    assert found(packed(content + b"\xffVorquilaz"), named) == {
        (Sign.TEXT, "voxels"), (Sign.TRAILING, "after the voxels"),
        (Sign.TEXT, "after the voxels"),
    }  # fmt: skip


def test_a_header_longer_than_a_block_is_read_on(found):
    start = (1 << 20) + 4000
    content = header(start=start) + b"\1\0\0\0" + bytes(start - 352) + VOXELS
    assert found(content) == {(Sign.EXTENSION, "after the header")}
    assert (Sign.EXTENSION, "after the header") in found(content[: 1 << 20])


def test_what_gzip_says_of_a_file_is_named(found):
    clean = header() + bytes(4) + VOXELS
    assert found(packed(clean, "Quincy.nii")) == {(Sign.WRAPPER, "gzip header")}
    assert found(packed(clean, mtime=1)) == {(Sign.WRAPPER, "gzip header")}
    assert (Sign.TRAILING, "after the voxels") in found(packed(clean) + packed(b"more"))
    assert (Sign.TRAILING, "after the voxels") in found(packed(clean) + b"Quincy")
    assert found(b"\x1f\x8b\x08") == set()
    assert found(b"\x1f\x8b\x08\0" + b"\xff" * 40) != set()


NRRD = (
    b"NRRD0005\ntype: short\ndimension: 3\nsizes: 4 3 2\nencoding: raw\n"
    b"DWMRI_b-value:=1000\nmodality:=DWMRI\n"
)


def test_fields_of_nrrd_that_are_no_geometry_are_named(found):
    assert found(NRRD + b"\n" + VOXELS) == set()
    named = NRRD + b"# Zorkhaven\ncontent: Vorquilaz\nPatient:=Quinnifer\n\n" + VOXELS
    assert found(named, named) >= {
        (Sign.FIELD, "comment"), (Sign.FIELD, "key and value"),
        (Sign.FIELD, "field that is no geometry"), (Sign.TEXT, "header"),
    }  # fmt: skip
    assert found(NRRD + b"\n" + VOXELS + b"\xff\xfeVorquilaz", named) == {(Sign.TEXT, "voxels")}
    assert found(NRRD) == set()


@pytest.mark.parametrize(
    ("pair", "fine"),
    [
        (b"DWMRI_gradient_0001:=0 0.5 1", True), (b"DWMRI_gradient_0001:=Vorquilaz", False),
        (b"Segment0_Name:=Segment_1", True), (b"Segment0_Name:=liver", True),
        (b"Segment0_Name:=Vorquilaz", False), (b"Segment0_ID:=Segment_1", True),
        (b"Segment0_Tags:=Segmentation.Status:inprogress|", True),
        (b"Segment0_Tags:=SCT^10200004^Liver|", True), (b"Segment0_Tags:=by Vorquilaz|", False),
        (b"Segment0_Tags:=SCT^10200004^Vorquilaz|", False), (b"Segment0_Tags:=^^|", True),
        (b"Segment0_Extent:=0 5 0 5 0 5", True), (b"Vorquilaz:=0", False),
    ],
)  # fmt: skip
def test_pairs_of_segmentations_may_stay(found, pair, fine):
    content = NRRD + pair + b"\n\n" + VOXELS
    assert (found(content) == set()) is fine


META = b"ObjectType = Image\nNDims = 3\nDimSize = 4 3 2\n"


def test_fields_of_metaimage_that_are_no_geometry_are_named(found):
    end = b"ElementDataFile = LOCAL\n"
    assert found(META + end + VOXELS) == set()
    named = META + b"Comment = Vorquilaz\n" + end + VOXELS
    assert found(named, named) == {
        (Sign.FIELD, "field that is no geometry"), (Sign.TEXT, "header"),
    }  # fmt: skip


def test_sidecars_are_judged_by_keys_and_values(found):
    clean = {"EchoTime": 0.03, "Modality": "MR", "PatientSex": "", "PatientName": "P-ABCDEFGH",
             "Flag": True, "None": None, "ImageType": ["ORIGINAL", "PRIMARY"]}  # fmt: skip
    assert found(json.dumps(clean).encode()) == set()
    named = {
        "PatientName": "Quincy", "Series": "1.2.3.4.5.6", "When": "1963-04-12",
        "Clock": "12:13:14.5", "Standard": "1.2.840.10008.1.2", "Ours": "2.25.1.2.3.4",
    }  # fmt: skip
    assert found(json.dumps(named).encode()) == {
        (Sign.FIELD, "PatientName"), (Sign.UID, "sidecar"), (Sign.DATE, "sidecar"),
    }  # fmt: skip
    assert found(b"{ not json", None) == set()


def test_a_sidecar_tells_whose_it_is(tmp_path):
    document = {"PatientName": "Quincy^Vorquilaz", "PatientID": "M7788991", "EchoTime": 1,
                "SeriesInstanceUID": "1.2.3.4.5.6.7.8", "AcquisitionDate": "19630412",
                "PatientSex": None, "InstitutionName": "Zorkhaven"}  # fmt: skip
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document), "utf-8")

    def told(*options: Option) -> set[bytes]:
        allowance = Allowance(frozenset(options))
        identity = source_identity(path, allowance=allowance)
        return {needle.pattern for group in identity.groups for needle in group}

    every = told()
    assert {b"vorquilaz", b"m7788991", b"1.2.3.4.5.6.7.8", b"19630412", b"zorkhaven"} <= every
    kept = told(Option.RETAIN_UIDS, Option.RETAIN_DATES, Option.RETAIN_INSTITUTION)
    assert b"vorquilaz" in kept
    assert not {b"1.2.3.4.5.6.7.8", b"19630412", b"zorkhaven"} & kept


def test_other_files_are_searched_for_what_is_known(found):
    named = json.dumps(
        {"PatientName": "Vorquilaz", "InstitutionName": "Zorkhaven Hall"}
    ).encode()
    assert found(b"read by VORQUILAZ", named) == {(Sign.NAME, "text")}
    assert found(b"a town called Zorkhaven", named) == set()  # prose may have it by chance
    assert found(b"x" * (1 << 20) + b" by Vorquilaz", named) == {(Sign.NAME, "text")}
    assert found(b"0 1000 1000\n", named) == set()


def test_archives_are_searched_inside(found):
    named = json.dumps({"PatientName": "Vorquilaz"}).encode()

    def archive(name: str, content: bytes, comment: bytes = b"") -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as inside:
            inside.writestr(name, content)
            inside.comment = comment
        return stream.getvalue()

    assert found(archive("a.json", b"{}"), named) == set()
    assert found(archive("Vorquilaz/a.json", named, b"x"), named) == {
        (Sign.WRAPPER, "comment of an archive"), (Sign.FILE_NAME, "name"),
        (Sign.FIELD, "PatientName"), (Sign.NAME, "text"),
    }  # fmt: skip
    assert found(b"PK\3\4 and nothing more") == {(Sign.UNREADABLE, "archive")}
    assert found(b"plain", archive("a", b"b")) == set()


def test_names_with_days_and_uids_are_named():
    searched = Searched(SourceIdentity(), NONE)
    assert searched.name(("P-ABCDEFGH", "I-0123456789ABCDEF.dcm")) == ()
    assert searched.name(("2.25.123456789.1.2.3",)) == ()
    for name in ("scan_1963-04-12", "19630412.dcm", "1.2.826.0.1.3680043"):
        found = searched.name((name.replace("scan_", "scan "),))
        assert [f.sign for f in found] == [Sign.FILE_NAME]


def test_texts_of_other_headers_are_identity(tmp_path):
    path = Path(tmp_path / "x")
    for content in (
        NRRD + b"# Vorquilaz\n\n",
        META + b"Name = Vorquilaz\nElementDataFile = LOCAL\n",
        header(start=384) + b"\1\0\0\0" + struct.pack("<2i", 32, 6) + b"Vorquilaz".ljust(24),
    ):
        path.write_bytes(content)
        identity = source_identity(path, allowance=NONE)
        found = {needle.pattern for group in identity.groups for needle in group}
        assert b"vorquilaz" in found
    path.write_bytes(b"plain")
    assert source_identity(path, allowance=NONE).groups == ()


def test_the_day_of_a_run_in_its_report_is_nobodys(tmp_path):
    report = {"date": "2026-11-22", "profile_sha256": "", "key_id": "", "scanned": True}
    path = tmp_path / "deid-report.json"
    for quarantined, found in (({"quarantined": []}, False), ({}, True)):
        path.write_text(json.dumps(report | quarantined), "utf-8")
        assert bool(scan_path(path).findings) is found


@pytest.mark.parametrize(
    ("document", "option"),
    [
        ({"DeviceSerialNumber": "17240", "StationName": "mr3tb"}, Option.RETAIN_DEVICE),
        ({"Taken": "2024-05-06"}, Option.RETAIN_DATES),
        ({"Taken": "15:25:09.02"}, Option.SHIFT_DATES),
        ({"Uid": "1.3.12.2.1107.5.2.43"}, Option.RETAIN_UIDS),
    ],
)
def test_a_sidecar_may_hold_what_an_option_keeps(tmp_path, document, option):
    path = tmp_path / "x.json"
    path.write_text("\ufeff" + json.dumps(document), "utf-8")
    assert Searched(SourceIdentity(), NONE).file(path) != ()
    allowance = Allowance(options=frozenset({option}))
    assert Searched(SourceIdentity(), allowance).file(path) == ()
