"""Plants that only bytes hold: meta, preamble, odd encodings, pixels, what comes after them."""

from __future__ import annotations

import struct
from pathlib import Path

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)

from tests.deid.leaks.planting import IDENTITY, Context, Planter, add, add_raw, image, save

CHARSETS = (
    ("ISO_IR 100", "latin-1", "äéöüßñçø"),
    ("ISO_IR 101", "iso8859_2", "łžščřąęń"),
    ("ISO_IR 144", "iso8859_5", "абвгдежзик"),
    ("ISO_IR 126", "iso8859_7", "αβγδεζηθικλ"),
    ("ISO_IR 127", "iso8859_6", "ابتثجحخدذر"),
    ("ISO_IR 138", "iso8859_8", "אבגדהוזחטי"),
    ("ISO_IR 148", "iso8859_9", "ğışçöü"),
    ("ISO_IR 166", "tis-620", "กขคงจฉชซญดต"),
    ("ISO_IR 192", "utf-8", "山田太郎王小東김희"),
    ("GB18030", "gb18030", "王李张刘陈杨赵黄周吴"),
    ("GBK", "gbk", "徐孙胡朱高林何郭马罗"),
    (["", "ISO 2022 IR 87"], "iso2022_jp", "山田中村小林加藤吉佐"),
    (["", "ISO 2022 IR 149"], "iso2022_kr", "김이박최정강조윤장임"),
    (["", "ISO 2022 IR 58"], "gb2312", "宋唐许韩冯邓曹彭曾肖"),
)
"""Specific Character Set, Python's name of it, letters."""


def plant_meta(planter: Planter, folder: Path) -> None:
    """File meta information and preamble, and group 0004 in a file that is no directory."""
    file = "meta.dcm"
    c: Context = ("meta", file, "meta")
    meta = {
        "SourceApplicationEntityTitle": planter.word(c).upper(),
        "SendingApplicationEntityTitle": planter.word(c).upper(),
        "ReceivingApplicationEntityTitle": planter.word(c).upper(),
        "PrivateInformationCreatorUID": planter.uid(c),
        "PrivateInformation": planter.word(c, length=12).encode(),
        "ImplementationVersionName": planter.word(c).upper(),
        "SourcePresentationAddress": f"http://{planter.word(c).lower()}.example",
    }
    preamble = planter.word(("meta", file, "preamble"), length=20).encode()
    save(folder, file, image(planter, file), preamble=preamble, **meta)
    file = "directory-record.dcm"
    ds = image(planter, file)
    c = ("meta", file, "group 0004")
    add(ds, 0x00041130, "CS", planter.word(c).upper())
    add(ds, 0x00041500, "CS", planter.word(c).upper())
    add(ds, 0x00041511, "UI", planter.uid(c))
    save(folder, file, ds)


def plant_charsets(planter: Planter, folder: Path) -> None:
    """Names in other scripts, at the top, in items with a set of their own, in private text."""
    for number, (charset, codec, letters) in enumerate(CHARSETS):
        file = f"charset-{number:02}.dcm"
        c: Context = ("charsets", file, f"{charset}")
        ds = image(planter, file, without=["PatientName"])
        ds.SpecificCharacterSet = charset
        encoding = "euc_kr" if codec == "iso2022_kr" else codec

        def name(c: Context = c, letters: str = letters, encoding: str = encoding) -> str:
            return planter.letters(c, letters, encoding)

        ds.PatientName = f"{planter.word(c)}^{planter.word(c)}={name()}^{name()}"
        ds.PatientComments = name()
        ds.InstitutionName = name()
        ds.OperatorsName = name()
        add(ds, 0x00081030, "LO", name())
        add(ds, 0x00181400, "LO", name())
        add(ds, 0x00420010, "ST", name())
        add(ds, 0x00090010, "LO", "GEMS_IDEN_01")
        add(ds, 0x00091001, "LO", name())
        inner = Dataset()
        inner.SpecificCharacterSet = charset
        inner.PersonName, inner.TextValue = name(), name()
        ds.AnatomicRegionSequence = Sequence([inner])
        save(folder, file, ds)


def plant_misused(planter: Planter, folder: Path) -> None:
    """Names in attributes whose VR is for something else, and VRs other than the standard's."""
    file = "misused.dcm"
    ds = image(planter, file, without=["PatientName"])
    wrong = (
        (0x00180022, "CS"), (0x00189005, "SH"), (0x00081155, "UI"), (0x00180088, "DS"),
        (0x00200012, "IS"), (0x00081190, "UR"), (0x00181063, "DS"), (0x00180081, "DS"),
        (0x00185101, "CS"), (0x00189073, "FD"),
        (0x00080201, "SH"), (0x00101010, "AS"), (0x00080031, "TM"), (0x00720050, "CS"),
        (0x00080054, "AE"), (0x00182010, "DS"), (0x00540081, "US"), (0x00200060, "CS"),
    )  # fmt: skip
    for tag, vr in wrong:
        word = planter.word(("misused VR", file, f"{tag:08X}"))
        add_raw(ds, tag, vr, word.upper().encode() if vr == "CS" else word.encode())
    for tag, vr in ((0x00189004, "PN"), (0x00080070, "UN"), (0x00100010, "OB"),
                    (0x00181314, "UN"), (0x00080090, "UN"), (0x00280106, "UN")):  # fmt: skip
        c: Context = ("misused VR", file, f"{tag:08X} as {vr}")
        word = planter.word(c)
        add_raw(ds, tag, vr, word.encode())
    save(folder, file, ds)


def plant_encodings(planter: Planter, folder: Path) -> None:
    """The same kinds of identity in each transfer syntax, and tags that nobody knows."""
    for syntax, name in (
        (ImplicitVRLittleEndian, "implicit"), (ExplicitVRBigEndian, "big-endian"),
        (DeflatedExplicitVRLittleEndian, "deflated"),
    ):  # fmt: skip
        file = f"{name}.dcm"
        ds = image(planter, file, without=["PatientName"])
        c: Context = ("encodings", file, name)
        inner = Dataset()
        for target in (ds, inner):
            target.PatientName, target.PatientComments = planter.word(c), planter.word(c)
            target.AccessionNumber, target.ContentDate = planter.number(c), planter.day(c)
            add(target, 0x00420010, "ST", planter.word(c))
            add(target, 0x00190010, "LO", "MAKER")
            add(target, 0x00191001, "UN", planter.word(c).encode())
            add(target, 0x0018FFF1, "UN", planter.word(c, length=12).encode())
            add(target, 0x00100012, "UN", planter.word(c, length=12).encode())
        private = Dataset()
        private.PatientName = planter.word(c)
        add(ds, 0x00191002, "SQ", Sequence([private]))
        ds.AnatomicRegionSequence = Sequence([inner])
        if syntax == ExplicitVRBigEndian:
            ds.PixelData = np.arange(48, dtype=">u2").tobytes()
            ds["PixelData"].VR = "OW"
        save(folder, file, ds, syntax=syntax)
    _undefined(planter, folder)


def _undefined(planter: Planter, folder: Path) -> None:
    """A sequence of VR UN and undefined length, implicit inside: standard and private."""
    file = "unknown-vr.dcm"
    c: Context = ("encodings", file, "UN of undefined length")
    save(folder, file, image(planter, file))
    path = folder / file
    content = path.read_bytes()
    for tag in (0x00191003, 0x00082218):
        name = planter.word(c).encode().ljust(12)
        leaf = struct.pack("<HHL", 0x0010, 0x0010, len(name)) + name
        body = struct.pack("<HHL", 0xFFFE, 0xE000, len(leaf)) + leaf
        head = struct.pack("<HH2sHL", tag >> 16, tag & 0xFFFF, b"UN", 0, 0xFFFFFFFF)
        made = head + body + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
        group = tag >> 16
        place = _place(content, group, tag & 0xFFFF)
        content = content[:place] + made + content[place:]
    path.write_bytes(content)


def _place(content: bytes, group: int, number: int) -> int:
    """Return where an element belongs in an explicit file of short top-level elements."""
    position = 132
    while True:
        found, other, vr, length = struct.unpack_from("<HH2sH", content, position)
        if (found, other) > (group, number):
            return position
        if vr in {b"OB", b"OW", b"UN", b"UT", b"SQ"}:
            (length,) = struct.unpack_from("<L", content, position + 8)
            position += 4
        position += 8 + length


def plant_pixels(planter: Planter, folder: Path) -> None:
    """After the data set, beyond the last pixel, in the markers of compressed frames."""
    c: Context = ("raw", "overhang.dcm", "beyond the last pixel")
    ds = image(planter, "overhang.dcm")
    ds.PixelData = ds.PixelData + planter.word(c, length=16).encode()
    ds["PixelData"].VR = "OW"
    save(folder, "overhang.dcm", ds)
    c = ("raw", "trailing.dcm", "after the data set")
    tail = b"\xfc\xff\xfc\xffOB\0\0" + struct.pack("<L", 16)
    tail += planter.word(c, length=16).encode()
    save(folder, "trailing.dcm", image(planter, "trailing.dcm"), tail=tail)
    c = ("raw", "garbage.dcm", "after the data set, no element")
    tail = b"\0" * 7 + planter.word(c, length=20).encode()
    save(folder, "garbage.dcm", image(planter, "garbage.dcm"), tail=tail)
    file = "jpeg.dcm"
    c = ("raw", file, "JPEG comment and after the end of a frame")
    ds = image(planter, file, BitsAllocated=8, BitsStored=8, HighBit=7, Rows=16, Columns=16)
    frame = imagecodecs.jpeg8_encode(np.arange(256, dtype=np.uint8).reshape(16, 16))
    words = planter.word(c, length=12).encode(), planter.word(c, length=12).encode()
    comment = b"\xff\xfe" + struct.pack(">H", 14) + words[0]
    ds.PixelData = encapsulate([frame[:2] + comment + frame[2:] + words[1]])
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    save(folder, file, ds, syntax=JPEGBaseline8Bit)
    file = "rle.dcm"
    c = ("raw", file, "after the last RLE segment")
    ds = image(planter, file, BitsAllocated=8, BitsStored=8, HighBit=7, Rows=4, Columns=4)
    segment = bytes((15, *range(16)))
    body = struct.pack("<16L", 1, 64, *([0] * 14)) + segment + b"\0" * 7
    ds.PixelData = encapsulate([body + planter.word(c, length=16).encode()])
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    save(folder, file, ds, syntax=RLELossless)


def plant_names(planter: Planter, folder: Path) -> None:
    """Folder and file names, and a series of two slices that refer to each other."""
    c: Context = ("names", "", "folder and file name")
    parent = f"{planter.word(c)}_{planter.word(c)}_{planter.day(c)}"
    slices = []
    for number in (1, 2):
        name = f"{parent}/{planter.number(c)}_{planter.word(c)}.{number}.dcm"
        shared = [k for k in IDENTITY if k != "SOPInstanceUID"] if slices else []
        ds = image(planter, name, without=shared, InstanceNumber=str(number))
        slices.append((name, ds))
    first = slices[0][1]
    for name, ds in slices:
        for keyword in IDENTITY:
            if keyword != "SOPInstanceUID":
                ds[keyword] = first[keyword]
        other = Dataset()
        other.ReferencedSOPClassUID = ds.SOPClassUID
        other.ReferencedSOPInstanceUID = first.SOPInstanceUID
        ds.ReferencedImageSequence = Sequence([other])
        save(folder, name, ds)
