"""Broken NIfTI, NRRD and MetaImage files: every field of the header that can lie."""

# ruff: noqa: E501 - a case is a line of a table

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.io.malformed import Case, Want, block, deflated_zeros, probes

AFFINE = np.array([(-0.7, 0, 0, 10), (0, -0.8, 0, -20), (0, 0, 2.5, 30), (0, 0, 0, 1)])
PLAIN = np.diag([0.7, 0.8, 2.5, 1.0])
NAN, INF = float("nan"), float("inf")


def nifti(order: str = "<", **fields: Any) -> bytearray:
    """Return a NIfTI-1 file of the invented scan; fields by their names in nifti1.h."""
    values: dict[str, Any] = {
        "sizeof_hdr": 348,
        "dim": (3, 6, 5, 5, 1, 1, 1, 1),
        "datatype": 4,
        "bitpix": 16,
        "pixdim": (1, 0.7, 0.8, 2.5, 0, 0, 0, 0),
        "vox_offset": 352,
        "scl_slope": 1,
        "scl_inter": 0,
        "xyzt_units": 2,
        "qform_code": 0,
        "sform_code": 1,
        "quatern": (0, 0, 0, 10, -20, 30),
        "srow": tuple(AFFINE[:3].ravel()),
        "magic": b"n+1\0",
        **fields,
    }
    raw = bytearray(352)
    for name, (offset, form) in _LAYOUT.items():
        new = values[name]
        struct.pack_into(
            order + form, raw, offset, *(new if isinstance(new, tuple) else (new,))
        )
    return raw + block().astype(order + "i2").tobytes()


_LAYOUT = {
    "sizeof_hdr": (0, "i"),
    "dim": (40, "8h"),
    "datatype": (70, "h"),
    "bitpix": (72, "h"),
    "pixdim": (76, "8f"),
    "vox_offset": (108, "f"),
    "scl_slope": (112, "f"),
    "scl_inter": (116, "f"),
    "xyzt_units": (123, "B"),
    "qform_code": (252, "h"),
    "sform_code": (254, "h"),
    "quatern": (256, "6f"),
    "srow": (280, "12f"),
    "magic": (344, "4s"),
}


def wrote(name: str, content: bytes, folder: Path) -> Path:
    """Write one file; return its path."""
    (folder / name).write_bytes(content)
    return folder / name


def _fields() -> list[tuple[str, Want, dict[str, Any]]]:
    only_q = {"sform_code": 0, "qform_code": 1, "quatern": (0, 0, 1, 10, -20, 30)}
    sheared = (-0.7, 0.2, 0, 10, 0, -0.8, 0, -20, 0, 0, 2.5, 30)
    return [
        ("no dimensions", "refused", {"dim": (0, 6, 5, 5, 1, 1, 1, 1)}),
        ("nine dimensions", "refused", {"dim": (9, 6, 5, 5, 1, 1, 1, 1)}),
        ("a negative dimension", "refused", {"dim": (3, -6, 5, 5, 1, 1, 1, 1)}),
        ("a dimension of zero", "refused", {"dim": (3, 6, 0, 5, 1, 1, 1, 1)}),
        ("27 million million voxels", "refused", {"dim": (3, 30000, 30000, 30000, 1, 1, 1, 1)}),
        ("voxels beyond 64 bits", "refused", {"dim": (7, *[32767] * 7)}),
        ("unknown data type", "refused", {"datatype": 9999}),
        ("bits that are bytes", "refused", {"datatype": 1, "bitpix": 1}),
        ("bits that contradict the type", "careful", {"bitpix": 32}),
        ("voxels behind the end", "refused", {"vox_offset": 9000}),
        ("voxels inside the header", "careful", {"vox_offset": 0}),
        ("voxels before the file", "refused", {"vox_offset": -352}),
        ("voxels at no number", "refused", {"vox_offset": NAN}),
        ("voxels at infinity", "refused", {"vox_offset": INF}),
        ("slope not a number", "careful", {"scl_slope": NAN}),
        ("intercept not a number", "careful", {"scl_inter": NAN}),
        ("slope infinite", "careful", {"scl_slope": INF}),
        ("slope zero, intercept five", "read", {"scl_slope": 0, "scl_inter": 5}),
        ("negative voxel size", "careful", {"pixdim": (1, -0.7, 0.8, 2.5, 0, 0, 0, 0)}),
        ("voxel sizes of zero, neither form", "careful", {"pixdim": (0,) * 8, "sform_code": 0}),
        ("voxel size not a number, neither form", "careful", {"pixdim": (1, NAN, 1, 1, 0, 0, 0, 0), "sform_code": 0}),
        ("voxel size infinite, neither form", "careful", {"pixdim": (1, INF, 1, 1, 0, 0, 0, 0), "sform_code": 0}),
        ("sform not a number", "careful", {"srow": (NAN,) * 12}),
        ("sform infinite", "careful", {"srow": (INF,) * 12}),
        ("sform singular", "careful", {"srow": (1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0)}),
        ("sform of zeros", "careful", {"srow": (0,) * 12}),
        ("qform not a number", "careful", {**only_q, "quatern": (NAN,) * 6}),
        ("quaternion longer than one", "careful", {**only_q, "quatern": (1, 1, 1, 0, 0, 0)}),
        ("qfac of zero", "read", {**only_q, "pixdim": (0, 0.7, 0.8, 2.5, 0, 0, 0, 0)}),
        ("neither form", "warned", {"sform_code": 0}),
        ("forms that disagree", "warned", {**only_q, "sform_code": 1, "quatern": (0, 0, 0, 0, 0, 0)}),
        ("sheared sform", "careful", {"srow": sheared}),
        ("forms of unknown codes", "careful", {"sform_code": 77, "qform_code": -3}),
        ("lengths in metres", "careful", {"xyzt_units": 1}),
        ("lengths in micrometres", "careful", {"xyzt_units": 3}),
        ("lengths in an unknown unit", "careful", {"xyzt_units": 7}),
        ("wrong magic", "refused", {"magic": b"nii\0"}),
        ("magic of a pair in one file", "careful", {"magic": b"ni1\0"}),
    ]  # fmt: skip


def _bytes() -> list[tuple[str, Want, str, Callable[[], bytes]]]:
    def cut(data: bytes, length: int) -> bytes:
        return bytes(data)[:length]

    def packed() -> bytes:
        return gzip.compress(bytes(nifti()), mtime=0)

    def extended(size: int) -> bytes:
        data = nifti(vox_offset=368)
        data[348] = 1
        return (
            bytes(data[:352]) + struct.pack("<ii8s", size, 6, b"INVENTED") + bytes(data[352:])
        )

    return [
        ("an empty .nii", "refused", "a.nii", lambda: b""),
        ("a header cut", "refused", "a.nii", lambda: cut(nifti(), 200)),
        ("a header and nothing else", "refused", "a.nii", lambda: cut(nifti(), 352)),
        ("voxels cut", "refused", "a.nii", lambda: cut(nifti(), 500)),
        ("text called .nii", "refused", "a.nii", lambda: b"Invented text\n" * 50),
        ("an empty .nii.gz", "refused", "a.nii.gz", lambda: b""),
        ("a gzip cut in the voxels", "refused", "a.nii.gz", lambda: cut(packed(), len(packed()) // 2)),
        ("a gzip cut in the trailer", "refused", "a.nii.gz", lambda: cut(packed(), len(packed()) - 3)),
        ("a gzip cut in its header", "refused", "a.nii.gz", lambda: cut(packed(), 6)),
        ("a gzip with a wrong check sum", "refused", "a.nii.gz", lambda: packed()[:-8] + b"\1\2\3\4" + packed()[-4:]),
        ("a gzip with a wrong length", "refused", "a.nii.gz", lambda: packed()[:-4] + b"\1\2\3\4"),
        ("a gzip with a bit turned", "refused", "a.nii.gz", lambda: packed()[:60] + bytes([packed()[60] ^ 255]) + packed()[61:]),
        ("a gzip of zeros behind a gzip", "careful", "a.nii.gz", lambda: packed() + b"\0" * 512),
        ("garbage behind a gzip", "careful", "a.nii.gz", lambda: packed() + b"garbage" * 9),
        ("300 MB of zeros in a gzip", "careful", "a.nii.gz", _bomb),
        ("a gzip called .nii", "careful", "a.nii", packed),
        ("a plain file called .nii.gz", "careful", "a.nii.gz", lambda: bytes(nifti())),
        ("an extension of absurd length", "careful", "a.nii", lambda: extended(0x7FFFFFF0)),
        ("an extension of negative length", "careful", "a.nii", lambda: extended(-16)),
        ("an extension of no length", "careful", "a.nii", lambda: extended(0)),
        ("big endian", "read", "a.nii", lambda: bytes(nifti(">"))),
        ("bytes behind the voxels", "careful", "a.nii", lambda: bytes(nifti()) + b"\0" * 99),
        ("half a pair: a header without image", "refused", "a.hdr", lambda: cut(nifti(magic=b"ni1\0", vox_offset=0), 348)),
        ("half a pair: an image without header", "refused", "a.img", lambda: block().tobytes()),
    ]  # fmt: skip


def _bomb() -> bytes:
    """Return a small scan and then 300 MB of zeros that its header does not know."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    scan = bytes(nifti())
    begin = packer.compress(scan) + packer.flush(zlib.Z_FULL_FLUSH)
    check = zlib.crc32(bytes(300 << 20), zlib.crc32(scan))
    trailer = struct.pack("<II", check, len(scan) + (300 << 20))
    header = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    return header + begin + deflated_zeros(300) + b"\3\0" + trailer


def nrrd(**fields: str) -> bytes:
    """Return an NRRD file of the invented scan; an empty field is left out."""
    values = {
        "type": "int16",
        "dimension": "3",
        "space": "left-posterior-superior",
        "sizes": "6 5 5",
        "space directions": "(0.7,0,0) (0,0.8,0) (0,0,2.5)",
        "endian": "little",
        "encoding": "raw",
        "space origin": "(-10,20,30)",
        **{name.replace("_", " "): text for name, text in fields.items()},
    }
    lines = [f"{name}: {text}" for name, text in values.items() if text]
    return ("NRRD0004\n" + "\n".join(lines) + "\n\n").encode() + block().astype("<i2").tobytes()


def _nrrds() -> list[tuple[str, Want, str, bytes]]:
    packed = nrrd(encoding="gzip").partition(b"\n\n")[0] + b"\n\n"
    packed += gzip.compress(block().tobytes(), mtime=0)
    return [
        ("a header without an end", "refused", "a.nrrd", nrrd().partition(b"\n\n")[0]),
        ("sizes of a million million", "refused", "a.nrrd", nrrd(sizes="1000000 1000000 1000")),
        ("negative sizes", "refused", "a.nrrd", nrrd(sizes="6 -5 5")),
        ("sizes beyond 64 bits", "refused", "a.nrrd", nrrd(sizes="99999999999999999999 5 5")),
        ("two sizes of three", "refused", "a.nrrd", nrrd(sizes="6 5")),
        ("unknown type", "refused", "a.nrrd", nrrd(type="quaternion")),
        ("unknown encoding", "refused", "a.nrrd", nrrd(encoding="morse")),
        ("dimension seventeen", "refused", "a.nrrd", nrrd(dimension="17")),
        ("voxels cut", "refused", "a.nrrd", nrrd()[:-9]),
        ("gzip cut", "refused", "a.nrrd", packed[:-30]),
        ("whole gzip", "read", "a.nrrd", packed),
        ("directions of none", "careful", "a.nrrd", nrrd(space_directions="none none none")),
        ("directions not numbers", "careful", "a.nrrd", nrrd(space_directions="(nan,0,0) (0,1,0) (0,0,1)")),
        ("singular directions", "careful", "a.nrrd", nrrd(space_directions="(1,0,0) (1,0,0) (0,0,1)")),
        ("no space at all", "careful", "a.nrrd", nrrd(space="", space_directions="", space_origin="")),
        ("voxels in a file that is not there", "refused", "a.nhdr", nrrd(data_file="gone.raw").partition(b"\n\n")[0] + b"\n\n"),
        ("voxels in a file of the system", "refused", "a.nhdr", nrrd(data_file="/etc/passwd").partition(b"\n\n")[0] + b"\n\n"),
        ("voxels above the folder", "refused", "a.nhdr", nrrd(data_file="../../../../../etc/passwd").partition(b"\n\n")[0] + b"\n\n"),
    ]  # fmt: skip


def mha(**fields: str) -> bytes:
    """Return a MetaImage file of the invented scan; an empty field is left out."""
    values = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False",
        "TransformMatrix": "1 0 0 0 1 0 0 0 1",
        "Offset": "-10 20 30",
        "ElementSpacing": "0.7 0.8 2.5",
        "DimSize": "6 5 5",
        "ElementType": "MET_SHORT",
        **fields,
    }
    last = values.pop("ElementDataFile", "LOCAL")
    lines = [f"{name} = {text}" for name, text in values.items() if text]
    end = [f"ElementDataFile = {last}", ""] if last else [""]
    return "\n".join([*lines, *end]).encode() + block().astype("<i2").tobytes()


def _mhas() -> list[tuple[str, Want, str, bytes]]:
    return [
        ("sizes of a million million", "refused", "a.mha", mha(DimSize="1000000 1000000 1000")),
        ("negative sizes", "refused", "a.mha", mha(DimSize="6 -5 5")),
        ("no dimensions", "refused", "a.mha", mha(NDims="0")),
        ("a million dimensions", "refused", "a.mha", mha(NDims="1000000")),
        ("no element type", "refused", "a.mha", mha(ElementType="")),
        ("unknown element type", "refused", "a.mha", mha(ElementType="MET_PLAID")),
        ("spacing of zero", "refused", "a.mha", mha(ElementSpacing="0 0 0")),
        ("spacing not a number", "refused", "a.mha", mha(ElementSpacing="nan 1 1")),
        ("matrix of zeros", "refused", "a.mha", mha(TransformMatrix="0 0 0 0 0 0 0 0 0")),
        ("voxels cut", "refused", "a.mha", mha()[:-9]),
        ("no data file named", "refused", "a.mha", mha(ElementDataFile="")),
        ("data file that is not there", "refused", "a.mhd", mha(ElementDataFile="gone.raw")),
        ("data file of the system", "refused", "a.mhd", mha(ElementDataFile="/etc/passwd")),
        ("compressed size that lies", "refused", "a.mha", mha(CompressedData="True", CompressedDataSize="999999999")),
        ("text called .mha", "refused", "a.mha", b"Invented text\n" * 30),
    ]  # fmt: skip


def cases() -> list[Case]:
    """Return the cases about NIfTI, NRRD and MetaImage."""
    by_sform, other = probes(AFFINE, range(5)), probes(PLAIN, range(5))
    silent: dict[str, Sequence[Any]] = {
        "neither form": other,
        "negative voxel size": by_sform,
        "bits that contradict the type": by_sform,
        "slope not a number": by_sform,
        "intercept not a number": by_sform,
        "slope zero, intercept five": by_sform,
        "qfac of zero": by_sform,
        "forms that disagree": by_sform,
        "forms of unknown codes": by_sform,
        "lengths in an unknown unit": by_sform,
    }
    silent["sheared sform"] = probes(
        np.array([(-0.7, 0.2, 0, 10), (0, -0.8, 0, -20), (0, 0, 2.5, 30), (0, 0, 0, 1)]),
        range(5),
    )
    found = [
        Case(f"NIfTI: {name}", want, partial(_made, fields), "", tuple(silent.get(name, ())))
        for name, want, fields in _fields()
    ]
    found += [
        Case(f"NIfTI: {name}", want, partial(_later, file, make), "", by_sform)
        for name, want, file, make in _bytes()
    ]
    for words, table in (("NRRD", _nrrds()), ("MetaImage", _mhas())):
        found += [
            Case(f"{words}: {name}", want, partial(wrote, file, data), "", by_sform if want == "read" else ())
            for name, want, file, data in table
        ]  # fmt: skip
    return found


def _made(fields: dict[str, Any], folder: Path) -> Path:
    return wrote("a.nii", bytes(nifti(**fields)), folder)


def _later(name: str, make: Callable[[], bytes], folder: Path) -> Path:
    return wrote(name, make(), folder)
