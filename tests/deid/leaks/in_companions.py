"""Plants in NIfTI, NRRD and MetaImage headers, and in sidecars."""

from __future__ import annotations

import gzip
import io
import json
import struct
from pathlib import Path

from tests.deid.leaks.planting import Context, Planter

SHAPE = (4, 3, 2)
VOXELS = bytes(range(2 * 4 * 3 * 2))


def plant_companions(planter: Planter, folder: Path) -> None:
    """Write one file of each kind."""
    (folder / "other").mkdir(parents=True)
    _nifti1(planter, folder)
    _nifti2(planter, folder)
    _pair(planter, folder)
    _sidecar(planter, folder)
    _nrrd(planter, folder)
    _meta_image(planter, folder)


def _header(size: int = 348) -> bytearray:
    head = bytearray(size)
    struct.pack_into("<i", head, 0, size)
    if size == 348:
        struct.pack_into("<8h", head, 40, 3, *SHAPE, 1, 1, 1, 1)
        struct.pack_into("<2h", head, 70, 4, 16)
        struct.pack_into("<8f", head, 76, 1, 0.5, 0.5, 2, 0, 0, 0, 0)
        struct.pack_into("<f", head, 108, 352)
        head[344:348] = b"n+1\0"
    else:
        head[4:12] = b"n+2\0\r\n\x1a\n"
        struct.pack_into("<2h", head, 12, 4, 16)
        struct.pack_into("<8q", head, 16, 3, *SHAPE, 1, 1, 1, 1)
        struct.pack_into("<8d", head, 104, 1, 0.5, 0.5, 2, 0, 0, 0, 0)
        struct.pack_into("<q", head, 168, 544)
    return head


def _text(head: bytearray, at: int, text: str) -> None:
    head[at : at + len(text)] = text.encode()


def _nifti1(planter: Planter, folder: Path) -> None:
    file = "other/scan.nii.gz"
    c: Context = ("NIfTI", file, "header")
    head = _header()
    for at, length in ((4, 8), (14, 16), (148, 40), (228, 20), (328, 14)):
        _text(head, at, planter.word(c, length=min(length, 14)))
    extensions = b""
    for code in (2, 4, 6, 30, 44):
        body = planter.word(("NIfTI", file, f"extension {code}"), length=24).encode()
        extensions += struct.pack("<2i", 32, code) + body
    struct.pack_into("<f", head, 108, 352 + len(extensions))
    tail = planter.word(("NIfTI", file, "after the voxels"), length=16).encode()
    content = bytes(head) + b"\1\0\0\0" + extensions + VOXELS + tail
    stream = io.BytesIO()
    name = planter.word(("NIfTI", file, "gzip name")) + ".nii"
    with gzip.GzipFile(name, "wb", fileobj=stream, mtime=1_700_000_000) as packed:
        packed.write(content)
    (folder / file).write_bytes(stream.getvalue())


def _nifti2(planter: Planter, folder: Path) -> None:
    file = "other/scan2.nii"
    c: Context = ("NIfTI", file, "header")
    head = _header(540)
    for at in (240, 320, 508):
        _text(head, at, planter.word(c, length=14))
    _text(head, 525, planter.word(c, length=14))
    (folder / file).write_bytes(bytes(head) + bytes(4) + VOXELS)


def _pair(planter: Planter, folder: Path) -> None:
    file = "other/pair.hdr"
    c: Context = ("NIfTI", file, "header")
    head = _header()
    head[344:348] = b"ni1\0"
    struct.pack_into("<f", head, 108, 0)
    _text(head, 148, planter.word(c, length=20))
    (folder / file).write_bytes(bytes(head) + bytes(4))
    tail = planter.word(("NIfTI", file, "after the voxels"), length=16).encode()
    (folder / "other/pair.img").write_bytes(VOXELS + tail)


def _sidecar(planter: Planter, folder: Path) -> None:
    file = "other/scan.json"
    c: Context = ("sidecars", file, "JSON")
    document = {
        "PatientName": planter.word(c), "PatientID": planter.number(c),
        "PatientBirthDate": planter.day(c), "InstitutionName": planter.word(c),
        "InstitutionAddress": planter.word(c), "StationName": planter.word(c),
        "DeviceSerialNumber": planter.number(c), "SeriesDescription": planter.word(c),
        "ProtocolName": planter.word(c), "ImageComments": planter.word(c),
        "SeriesInstanceUID": planter.uid(c), "StudyInstanceUID": planter.uid(c),
        "ReferringPhysicianName": planter.word(c), "AccessionNumber": planter.number(c),
        "AcquisitionDateTime": planter.moment(c), "Custom": planter.word(c),
        "History": [{"operator": planter.word(c), "path": f"/home/{planter.word(c)}/x"}],
        "Modality": "MR", "EchoTime": 0.03, "RepetitionTime": 2.5, "FlipAngle": 90,
    }  # fmt: skip
    (folder / file).write_text(json.dumps(document), "utf-8")
    (folder / "other/scan.bval").write_text("0 1000 1000\n", "ascii")


def _nrrd(planter: Planter, folder: Path) -> None:
    file = "other/scan.nrrd"
    c: Context = ("sidecars", file, "NRRD")
    head = (
        f"NRRD0005\n# {planter.word(c)}\ntype: short\ndimension: 3\nsizes: 4 3 2\n"
        f"endian: little\nencoding: raw\ncontent: {planter.word(c)}\n"
        f"space: left-posterior-superior\nspace origin: (0,0,0)\n"
        f"space directions: (1,0,0) (0,1,0) (0,0,2)\nPatient:={planter.word(c)}\n\n"
    )
    (folder / file).write_bytes(head.encode() + VOXELS)


def _meta_image(planter: Planter, folder: Path) -> None:
    file = "other/scan.mha"
    c: Context = ("sidecars", file, "MetaImage")
    head = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
        f"Comment = {planter.word(c)}\nName = {planter.word(c)}\nPatient = {planter.word(c)}\n"
        "DimSize = 4 3 2\nElementSpacing = 1 1 2\nElementType = MET_SHORT\n"
        "ElementDataFile = LOCAL\n"
    )
    (folder / file).write_bytes(head.encode() + VOXELS)
