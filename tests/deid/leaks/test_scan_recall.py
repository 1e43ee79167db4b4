"""Each plant alone in a file that is clean otherwise: the scan must find it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from napari_medlabel.deid.scan.output import Allowance, Sign, SourceIdentity, scan_output
from napari_medlabel.deid.scan.read import BrokenError, FileParts, read_parts
from tests.deid.leaks.planting import Planter, image, save
from tests.deid.leaks.suite import plant_all

SEED = 77
OTHER_FORM = {"implicit.dcm", "big-endian.dcm", "deflated.dcm"}
CHARSET = 0x00080005


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recall") / "source"
    return folder, plant_all(folder, SEED)


def clean(folder: Path, **save_words) -> Path:
    """A file as a clean one looks."""
    ds = image(Planter(1), "", without=("PatientBirthDate",))
    ds.PatientName = ds.PatientID = "P-ABCDEFGH"
    ds.StudyDate = ds.StudyTime = ""
    for number, keyword in enumerate(
        ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
    ):
        ds[keyword].value = f"2.25.{10**37 + number}"
    ds.PatientSex = ""
    save(folder, "clean.dcm", ds, **save_words)
    return folder / "clean.dcm"


def parts_of(path: Path) -> FileParts:
    with path.open("rb") as stream:
        return read_parts(stream)


def with_element(base: FileParts, content: bytes, extra: dict[int, bytes]) -> bytes:
    """The bytes of a clean file with some elements more."""
    raws = {element[0]: element[2] for element in base.elements} | extra
    tail = content[base.start + sum(len(e[2]) for e in base.elements) :]
    return content[: base.start] + b"".join(raws[tag] for tag in sorted(raws)) + tail


def test_a_clean_file_is_clean(tmp_path):
    assert scan_output(clean(tmp_path), SourceIdentity(), allowance=Allowance()) == ()


def test_each_planted_element_is_found_alone(planted, tmp_path):
    folder, plants = planted
    path = clean(tmp_path)
    base, content = parts_of(path), path.read_bytes()
    by_file: dict[str, list] = {}
    for plant in plants:
        by_file.setdefault(plant.file, []).append(plant)
    missed, tried = [], 0
    for file in sorted(name for name in by_file if name.endswith(".dcm")):
        if file in OTHER_FORM:
            continue
        parts = parts_of(folder / file)
        raws = {element[0]: element[2] for element in parts.elements}
        for tag, raw in raws.items():
            lowered = raw.lower()
            held = [p for p in by_file[file] if any(x in lowered for x in p.patterns)]
            if not held or tag == 0x00080018:
                continue
            extra = {tag: raw} | ({CHARSET: raws[CHARSET]} if CHARSET in raws else {})
            path.write_bytes(with_element(base, content, extra))
            tried += 1
            if not scan_output(path, SourceIdentity(), allowance=Allowance()):
                missed.append((file, f"{tag:08X}", held[0].where))
    assert missed == []
    assert tried > 900


@pytest.mark.parametrize("name", sorted(OTHER_FORM))
def test_other_encodings_are_read(planted, name):
    folder, _ = planted
    found = scan_output(folder / name, SourceIdentity(), allowance=Allowance())
    places = {finding.where for finding in found}
    assert {"(0010,0010)", "(0008,2218)/(0010,0010)", "(0042,0010)", "(0019,1001)"} <= places
    assert "(0019,1002)/(0010,0010)" in places
    assert {"(0018,FFF1)", "(0008,2218)/(0018,FFF1)"} <= places


def signs(path: Path) -> set[Sign]:
    return {f.sign for f in scan_output(path, SourceIdentity(), allowance=Allowance())}


def test_what_lies_around_the_data_set_is_found(tmp_path):
    assert signs(clean(tmp_path, preamble=b"II*\0Vorquilaz")) == {Sign.PREAMBLE}
    assert signs(clean(tmp_path, SourceApplicationEntityTitle="VORQUILAZ")) == {Sign.META}
    assert signs(clean(tmp_path, tail=b"\0\0\0Vorquilaz again")) == {Sign.TRAILING}
    padding = b"\xfc\xff\xfc\xffOB\0\0" + struct.pack("<L", 8) + b"Vorquila"
    assert signs(clean(tmp_path, tail=padding)) == {Sign.LISTED}


def test_bytes_beyond_the_last_pixel_are_found(planted):
    folder, _ = planted
    assert Sign.OVERHANG in signs(folder / "overhang.dcm")
    assert Sign.DIRECTORY in signs(folder / "directory-record.dcm")
    assert Sign.FIELD in signs(folder / "jpeg.dcm")
    assert Sign.TRAILING in signs(folder / "jpeg.dcm")


def test_other_formats_are_searched(planted):
    folder, _ = planted
    found = signs(folder / "other/scan.nii.gz")
    assert {Sign.FIELD, Sign.EXTENSION, Sign.WRAPPER, Sign.TRAILING} <= found
    for name in ("scan2.nii", "pair.hdr", "scan.nrrd", "scan.mha", "scan.json"):
        assert Sign.FIELD in signs(folder / "other" / name), name


def test_bytes_that_are_no_data_set_are_named(tmp_path):
    path = tmp_path / "broken.dcm"
    path.write_bytes(bytes(128) + b"DICM" + b"\xff" * 40)
    assert signs(path) == {Sign.UNREADABLE}
    with pytest.raises(BrokenError):
        parts_of(path)
