"""DICOM segmentations: every kind and packing, on their scan or refused."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.axes import ORIENTATIONS
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.model.volume import Volume
from tests.io.marks_made import (
    FRAME,
    ROOT,
    base,
    frame_group,
    item,
    planes,
    save,
    scan,
    seg,
    seg_of,
    segment,
)

DATA = Path(__file__).parents[4] / "shared" / "data" / "dcmqi" / "segmentations"


def ball(volume: Volume, seed: int = 0) -> np.ndarray:
    """Return a random mask (i, j, k) that has something on every slice."""
    mask = np.random.default_rng(seed).random(volume.grid.shape) > 0.6
    mask[1, 2, :] = True
    return mask


def read(ds: pydicom.Dataset, volume: Volume, tmp_path: Path, **kwargs: Any) -> Any:
    return read_marks(save(ds, tmp_path / "marks.dcm"), volume, **kwargs)


def test_a_binary_segmentation_lies_on_its_scan_voxel_by_voxel(tmp_path: Path) -> None:
    volume, mask = scan(), ball(scan())
    marks = read(seg_of(volume, {3: mask}), volume, tmp_path)
    (labels,) = marks.labels
    assert marks.kind == "SEG"
    assert np.array_equal(labels.array == 3, mask)
    assert labels.scheme[3].name == "Part 3"
    assert labels.scheme[3].code is not None
    assert labels.scheme[3].code.meaning == "Liver"
    assert labels.array.T.flags.c_contiguous
    assert marks.warnings == ()


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_any_scan_orientation_is_found(codes: str, tmp_path: Path) -> None:
    volume = scan(codes)
    mask = ball(volume)
    marks = read(seg_of(volume, {1: mask}), volume, tmp_path)
    assert np.array_equal(marks.labels[0].array == 1, mask)


@pytest.mark.parametrize("across", [0, 1, 2])
@pytest.mark.parametrize("flips", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_frames_across_another_axis_or_turned_over_are_placed(
    across: int, flips: tuple[int, int], tmp_path: Path
) -> None:
    volume = scan("PIR")
    mask = ball(volume)
    frames, groups = [], []
    for n in range(volume.grid.shape[across]):
        frame = np.take(mask, n, axis=across)
        frames.append(frame[:: 1 - 2 * flips[0], :: 1 - 2 * flips[1]].T)
        groups.append(frame_group(planes(volume.grid, n, across, flips), 1, None))
    marks = read(seg(np.array(frames), groups, [segment(1)]), volume, tmp_path)
    assert np.array_equal(marks.labels[0].array == 1, mask)


def test_a_tilted_and_oblique_scan_keeps_its_segmentation(tmp_path: Path) -> None:
    turn = np.array([[0.96, -0.28, 0.0], [0.28, 0.96, 0.2], [0.0, 0.0, 1.0]])
    volume = scan(turn=turn)
    mask = ball(volume)
    marks = read(seg_of(volume, {1: mask}), volume, tmp_path)
    assert np.array_equal(marks.labels[0].array == 1, mask)


def test_a_cropped_segmentation_is_placed_where_it_belongs(tmp_path: Path) -> None:
    volume = scan()
    mask = np.zeros(volume.grid.shape, bool)
    mask[3:7, 2:5, 1:3] = True
    groups = []
    for k in (1, 2):
        place = planes(volume.grid, k)
        corner = volume.grid.affine.apply((3, 2, k)) * (-1, -1, 1)
        place["position"] = corner.tolist()
        groups.append(frame_group(place, 1, None))
    ds = seg(np.ones((2, 3, 4)), groups, [segment(1)])
    marks = read(ds, volume, tmp_path)
    assert np.array_equal(marks.labels[0].array == 1, mask)


def test_overlapping_segments_become_several_layers(tmp_path: Path) -> None:
    volume = scan()
    masks = {n: ball(volume, n) for n in (1, 2)}
    alone = np.zeros(volume.grid.shape, bool)
    alone[~masks[1]] = True
    masks[5] = alone & ~masks[2]
    marks = read(seg_of(volume, masks), volume, tmp_path)
    assert len(marks.labels) == 2
    assert np.array_equal(marks.labels[0].array == 1, masks[1])
    assert np.array_equal(marks.labels[0].array == 5, masks[5])
    assert np.array_equal(marks.labels[1].array == 2, masks[2])
    assert [label.value for label in marks.labels[1].scheme.labels] == [2]
    assert any("overlap" in w for w in marks.warnings)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_other_byte_orders_give_the_same_voxels(syntax: str, tmp_path: Path) -> None:
    volume, mask = scan(), ball(scan())
    ds = seg_of(volume, {1: mask}, syntax=syntax)
    if syntax == ExplicitVRBigEndian:
        swapped = np.frombuffer(ds.PixelData, "<u2").byteswap().tobytes()
        ds.PixelData = swapped
        ds["PixelData"].VR = "OW"
    path = tmp_path / "marks.dcm"
    ds.save_as(path, enforce_file_format=True)
    assert np.array_equal(read_marks(path, volume).labels[0].array == 1, mask)


def pack_rle(raw: bytes) -> bytes:
    """Return PackBits that copies, with the header of one segment."""
    parts = [raw[n : n + 128] for n in range(0, len(raw), 128)]
    body = b"".join(bytes([len(part) - 1]) + part for part in parts)
    body += b"\0" * (len(body) % 2)
    return np.array([1, 64, *[0] * 14], "<u4").tobytes() + body


def deflate(raw: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(raw) + packer.flush()
    return packed + b"\0" * (len(packed) % 2)


@pytest.mark.parametrize("bits", [1, 8])
@pytest.mark.parametrize(
    ("syntax", "pack"),
    [("1.2.840.10008.1.2.5", pack_rle), ("1.2.840.10008.1.2.8.1", deflate)],
)
def test_compressed_frames_give_the_same_voxels(
    bits: int, syntax: str, pack: Any, tmp_path: Path
) -> None:
    volume, mask = scan(), ball(scan())
    ds = seg_of(volume, {1: mask})
    frames = [mask[:, :, k].T for k in range(mask.shape[2])]
    if bits == 8:
        groups = [frame_group(planes(volume.grid, k), 0, None) for k in range(len(frames))]
        ds = seg(np.array(frames, np.uint8), groups, [segment(1)], kind="LABELMAP")
        parts = [pack(frame.astype(np.uint8).tobytes()) for frame in frames]
    else:
        parts = [pack(np.packbits(f.ravel(), bitorder="little").tobytes()) for f in frames]
    # pydicom does not write every syntax: another one of that length stands in for it.
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.90"
    ds.PixelData = encapsulate(parts)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    path = save(ds, tmp_path / "marks.dcm")
    raw = path.read_bytes().replace(b"1.2.840.10008.1.2.4.90", syntax.encode().ljust(22, b"\0"))
    path.write_bytes(raw)
    assert np.array_equal(read_marks(path, volume).labels[0].array == 1, mask)


def test_jpeg_2000_frames_are_decoded_after_their_size_was_compared(tmp_path: Path) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    volume, mask = scan(), ball(scan())
    parts = [
        imagecodecs.jpeg2k_encode(mask[:, :, k].T.astype(np.uint8).copy(), level=0)
        for k in range(mask.shape[2])
    ]
    ds = seg_of(volume, {1: mask})
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.90"
    ds.PixelData = encapsulate([part + b"\0" * (len(part) % 2) for part in parts])
    ds["PixelData"].is_undefined_length = True
    assert np.array_equal(read(ds, volume, tmp_path).labels[0].array == 1, mask)
    big = imagecodecs.jpeg2k_encode(np.zeros((400, 400), np.uint8), level=0)
    ds.PixelData = encapsulate([big + b"\0" * (len(big) % 2)] * len(parts))
    ds["PixelData"].is_undefined_length = True
    with pytest.raises(InputError, match=r"Frame 1 of 5 is damaged"):
        read(ds, volume, tmp_path)


@pytest.mark.parametrize(
    ("syntax", "encode"),
    [
        ("1.2.840.10008.1.2.4.80", "jpegls_encode"),
        ("1.2.840.10008.1.2.4.70", "ljpeg_encode"),
    ],
)
def test_jpeg_frames_of_label_maps_are_decoded(
    syntax: str, encode: str, tmp_path: Path
) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    volume = scan()
    values = np.random.default_rng(6).integers(0, 9, volume.grid.shape).astype(np.uint8)
    frames = np.array([values[:, :, k].T for k in range(5)])
    groups = [frame_group(planes(volume.grid, k), 0, None) for k in range(5)]
    ds = seg(frames, groups, [segment(n) for n in range(1, 9)], kind="LABELMAP")
    parts = [bytes(getattr(imagecodecs, encode)(frame)) for frame in frames]
    ds.file_meta.TransferSyntaxUID = syntax
    ds.PixelData = encapsulate([part + b"\0" * (len(part) % 2) for part in parts])
    ds["PixelData"].is_undefined_length = True
    assert np.array_equal(read(ds, volume, tmp_path).labels[0].array, values)
    ds.PixelData = encapsulate([b"\xff\xd8\xff\xd9\0\0"] * 5)
    ds["PixelData"].is_undefined_length = True
    with pytest.raises(InputError, match="Frame 1 of 5 is damaged"):
        read(ds, volume, tmp_path)


def test_a_deflated_file_is_read_and_a_bomb_refused(tmp_path: Path) -> None:
    volume, mask = scan(), ball(scan())
    ds = seg_of(volume, {1: mask}, syntax="1.2.840.10008.1.2.1.99")
    path = save(ds, tmp_path / "marks.dcm")
    assert np.array_equal(read_marks(path, volume).labels[0].array == 1, mask)
    raw = path.read_bytes()
    start = 144 + int.from_bytes(raw[140:144], "little")
    path.write_bytes(raw[:start] + deflate(bytes(100 << 20)))
    with pytest.raises(InputError, match="cut off, or holds far more"):
        read_marks(path, volume)


def test_fractions_come_as_probabilities_and_as_labels_from_a_half_on(tmp_path: Path) -> None:
    volume = scan()
    values = np.random.default_rng(3).integers(0, 201, volume.grid.shape).astype(np.uint8)
    frames = np.array([values[:, :, k].T for k in range(5)])
    groups = [frame_group(planes(volume.grid, k), 1, None) for k in range(5)]
    marks = read(seg(frames, groups, [segment(1)], kind="FRACTIONAL"), volume, tmp_path)
    (map_,) = marks.probabilities
    assert (map_.largest, map_.is_occupancy, map_.name) == (200, False, "Part 1")
    assert np.array_equal(map_.array, values)
    assert map_.fractions().max() <= 1.0
    assert np.array_equal(marks.labels[0].array == 1, values >= 100)
    assert "0.5 or more" in marks.warnings[0]
    ds = seg(frames, groups, [segment(1)], kind="FRACTIONAL", MaximumFractionalValue=100)
    with pytest.raises(InputError, match="larger than Maximum Fractional Value"):
        read(ds, volume, tmp_path)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_label_map_keeps_its_numbers_and_its_padding_is_background(
    dtype: Any, tmp_path: Path
) -> None:
    volume = scan()
    top = 4 if dtype == np.uint8 else 700
    values = np.random.default_rng(4).integers(0, 4, volume.grid.shape).astype(dtype)
    values[values == 3] = top
    frames = np.array([values[:, :, k].T for k in range(5)])
    groups = [frame_group(planes(volume.grid, k), 0, None) for k in range(5)]
    segments = [segment(0, "Background"), segment(1), segment(2)]
    ds = seg(frames, groups, segments, kind="LABELMAP", PixelPaddingValue=2)
    marks = read(ds, volume, tmp_path)
    expected = np.where(values == 2, 0, values)
    assert np.array_equal(marks.labels[0].array, expected)
    assert marks.labels[0].array.dtype == dtype
    assert {label.value for label in marks.labels[0].scheme.labels} == {1, top}
    assert marks.warnings == ()


def test_segment_zero_that_is_no_background_is_said(tmp_path: Path) -> None:
    volume = scan()
    groups = [frame_group(planes(volume.grid, 0), 0, None)]
    ds = seg(np.ones((1, 7, 9), np.uint8), groups, [segment(0), segment(1)], kind="LABELMAP")
    assert "Segment 0" in read(ds, volume, tmp_path).warnings[0]


def test_colours_come_from_cielab(tmp_path: Path) -> None:
    volume, mask = scan(), ball(scan())
    ds = seg_of(volume, {1: mask})
    ds.SegmentSequence = DicomSequence([segment(1, "Red", (34939, 53485, 50171))])
    colour = read(ds, volume, tmp_path).labels[0].scheme[1].colour
    red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    assert red > 240
    assert green < 40
    assert blue < 40


def test_equal_and_missing_names_get_names_of_their_own(tmp_path: Path) -> None:
    volume, mask = scan(), ball(scan())
    ds = seg_of(volume, {1: mask, 2: mask, 3: mask})
    segments = [segment(1, "Node"), segment(2, "Node"), segment(3)]
    segments[2].SegmentLabel = ""
    ds.SegmentSequence = DicomSequence(segments)
    found = [
        label.name for one in read(ds, volume, tmp_path).labels for label in one.scheme.labels
    ]
    assert found == ["Node", "Node (2)", "Segment 3"]


def test_frames_without_a_place_go_where_their_image_is(tmp_path: Path) -> None:
    volume, mask = scan(slices="pictures", frame=None, is_oriented=False), ball(scan())
    uids = volume.source.sop_instance_uids
    frames = np.array([mask[:, :, k].T for k in (3, 1)])
    groups = [frame_group(None, 1, uids[k]) for k in (3, 1)]
    ds = seg(frames, groups, [segment(1)])
    array = read(ds, volume, tmp_path).labels[0].array
    assert np.array_equal(array[:, :, [1, 3]] == 1, mask[:, :, [1, 3]])
    assert not array[:, :, [0, 2, 4]].any()
    ds.PerFrameFunctionalGroupsSequence = DicomSequence(
        [frame_group(None, 1, ROOT + "404")] * 2
    )
    with pytest.raises(GeometryError, match="neither where it lies nor on which image"):
        read(ds, volume, tmp_path)


def test_a_frame_of_a_multi_frame_image_is_named_by_its_number(tmp_path: Path) -> None:
    volume = scan(
        slices="pictures", uids=(ROOT + "5",) * 5, planes=tuple((0, 4 - k) for k in range(5))
    )
    group = frame_group(None, 1, ROOT + "5")
    image = group.DerivationImageSequence[0].SourceImageSequence[0]
    image.ReferencedFrameNumber = 2
    array = (
        read(seg(np.ones((1, 7, 9)), [group], [segment(1)]), volume, tmp_path).labels[0].array
    )
    assert array.any(axis=(0, 1)).tolist() == [False, False, False, True, False]


def test_an_uneven_slice_is_placed_by_the_image_it_names(tmp_path: Path) -> None:
    volume = scan()
    place = planes(volume.grid, 2)
    place["position"][2] += 0.08
    uid = volume.source.sop_instance_uids[2]
    ds = seg(np.ones((1, 7, 9)), [frame_group(place, 1, uid)], [segment(1)])
    marks = read(ds, volume, tmp_path)
    assert marks.labels[0].array[:, :, 2].all()
    assert marks.warnings[0].startswith(
        "1 of 1 frame lies a little beside the image that it names"
    )
    ds = seg(np.ones((1, 7, 9)), [frame_group(place, 1, None)], [segment(1)])
    with pytest.raises(GeometryError, match=r"up to 0\.08 mm beside"):
        read(ds, volume, tmp_path)


def test_a_rounded_spacing_is_forgiven_where_the_image_is_named(tmp_path: Path) -> None:
    volume = scan()
    place = planes(volume.grid, 2)
    place["spacing"] = [0.91, 0.81]
    uids = volume.source.sop_instance_uids
    ds = seg(np.ones((1, 7, 9)), [frame_group(place, 1, uids[2])], [segment(1)])
    assert read(ds, volume, tmp_path).labels[0].array[:, :, 2].all()
    for group, frame in (
        (frame_group(place, 1, None), np.ones((1, 7, 9))),
        (frame_group(place, 1, uids[3]), np.ones((1, 7, 9))),
        (frame_group(place, 1, uids[2]), np.ones((1, 5, 5))),
    ):
        with pytest.raises(GeometryError, match="beside the scan's voxels"):
            read(seg(frame, [group], [segment(1)]), volume, tmp_path)


def test_frames_beyond_a_part_of_a_scan_are_left_out_and_said(tmp_path: Path) -> None:
    whole = scan(shape=(9, 7, 8))
    mask = ball(whole)
    marks = read(seg_of(whole, {1: mask}), scan(), tmp_path)
    assert np.array_equal(marks.labels[0].array == 1, mask[:, :, :5])
    assert marks.warnings[0].startswith("3 of 8 frames lie beyond")


def _shifted(ds: pydicom.Dataset) -> None:
    for group in ds.PerFrameFunctionalGroupsSequence:
        position = group.PlanePositionSequence[0].ImagePositionPatient
        position[0] = float(position[0]) + 0.15


def _larger(ds: pydicom.Dataset) -> None:
    for group in ds.PerFrameFunctionalGroupsSequence:
        group.PixelMeasuresSequence[0].PixelSpacing = [1.8, 1.6]


def _turned(ds: pydicom.Dataset) -> None:
    for group in ds.PerFrameFunctionalGroupsSequence:
        orientation = [0.8, 0.6, 0, -0.6, 0.8, 0]
        group.PlaneOrientationSequence[0].ImageOrientationPatient = orientation


def _elsewhere(ds: pydicom.Dataset) -> None:
    ds.FrameOfReferenceUID = ROOT + "404"


def _outside(ds: pydicom.Dataset) -> None:
    position = ds.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0]
    position.ImagePositionPatient[0] = float(position.ImagePositionPatient[0]) + 0.8


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_shifted, r"corners lie up to 0\.15 mm beside"),
        (_larger, "beside the scan's voxels"),
        (_turned, "beside the scan's voxels"),
        (_elsewhere, "the frames of reference differ"),
        (_outside, "reaches out of the scan"),
    ],
)
def test_another_grid_is_refused(change: Any, reason: str, tmp_path: Path) -> None:
    volume = scan()
    ds = seg_of(volume, {1: ball(volume)})
    change(ds)
    with pytest.raises(GeometryError, match=reason) as caught:
        read(ds, volume, tmp_path)
    assert "does not lie on this scan" in caught.value.message
    assert caught.value.hint


def _tiled(ds: pydicom.Dataset) -> None:
    ds.TotalPixelMatrixColumns = 100


def _short(ds: pydicom.Dataset) -> None:
    ds.PixelData = ds.PixelData[:10]


def _absurd(ds: pydicom.Dataset) -> None:
    ds.NumberOfFrames, ds.Rows, ds.Columns = 2_000_000_000, 65535, 65535


def _fewer_places(ds: pydicom.Dataset) -> None:
    ds.PerFrameFunctionalGroupsSequence = ds.PerFrameFunctionalGroupsSequence[:2]


def _no_segment(ds: pydicom.Dataset) -> None:
    del ds.PerFrameFunctionalGroupsSequence[1].SegmentIdentificationSequence


def _unknown_segment(ds: pydicom.Dataset) -> None:
    ds.SegmentSequence[0].SegmentNumber = 9


def _twice(ds: pydicom.Dataset) -> None:
    ds.SegmentSequence = DicomSequence([segment(1), segment(1, "Twin")])


def _no_pixels(ds: pydicom.Dataset) -> None:
    del ds.PixelData


def _no_size(ds: pydicom.Dataset) -> None:
    ds.Rows = 0


def _unknown_kind(ds: pydicom.Dataset) -> None:
    ds.SegmentationType = "SURFACE"


def _no_spacing(ds: pydicom.Dataset) -> None:
    ds.PerFrameFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = [0, 0.8]


def _text_as_number(ds: pydicom.Dataset) -> None:
    ds.add_new(0x00620002, "LO", "Invented^Name")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_tiled, "whole-slide"),
        (_short, "cut off"),
        (_absurd, "cut off or its header is wrong"),
        (_fewer_places, "places 2 frames and says that there are 5"),
        (_no_segment, "Frame 2 of 5 names no segment"),
        (_unknown_segment, "1 of the segments that frames belong to are not described"),
        (_twice, "Two segments have the same number"),
        (_no_pixels, "no pixel data"),
        (_no_size, "rows, columns and frames"),
        (_unknown_kind, "binary, fractional or a label map"),
        (_no_spacing, "Frame 1 of 5 has directions or a pixel spacing that cannot be"),
        (_text_as_number, "not described"),
    ],
)
def test_a_damaged_segmentation_is_refused_by_its_reason(
    change: Any, reason: str, tmp_path: Path
) -> None:
    volume = scan()
    ds = seg_of(volume, {1: ball(volume)})
    change(ds)
    with pytest.raises(InputError, match=reason) as caught:
        read(ds, volume, tmp_path)
    assert "Invented" not in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_that_is_cut_off_is_refused(share: float, tmp_path: Path) -> None:
    volume = scan()
    path = save(seg_of(volume, {1: ball(volume)}), tmp_path / "marks.dcm")
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    with pytest.raises(InputError):
        read_marks(path, volume)


def test_too_few_or_damaged_compressed_frames_are_refused(tmp_path: Path) -> None:
    volume = scan()
    ds = seg_of(volume, {1: ball(volume)})
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.5"
    ds.PixelData = encapsulate([pack_rle(b"\0" * 8)] * 4)
    ds["PixelData"].is_undefined_length = True
    with pytest.raises(InputError, match=r"compressed frames|holds 4"):
        read(ds, volume, tmp_path)
    ds.PixelData = encapsulate([pack_rle(b"\0" * 4)] * 5)
    ds["PixelData"].is_undefined_length = True
    with pytest.raises(InputError, match="Frame 1 of 5 is damaged"):
        read(ds, volume, tmp_path)
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"
    with pytest.raises(InputError, match="compressed in a way that is not read"):
        read(ds, volume, tmp_path)


def test_progress_counts_frames_and_can_cancel(tmp_path: Path) -> None:
    volume = scan()
    ds = seg_of(volume, {1: ball(volume)})
    told: list[tuple[int, int]] = []
    read(ds, volume, tmp_path, progress=lambda *args: told.append(args))
    assert told == [(n, 5) for n in range(1, 6)]

    def cancel(done: int, total: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        read(ds, volume, tmp_path, progress=cancel)


def test_words_about_marks_hold_no_names(tmp_path: Path) -> None:
    volume = scan()
    marks = read(seg_of(volume, {1: ball(volume)}), volume, tmp_path)
    assert "Part" not in repr(marks) + repr(marks.labels) + repr(marks.probabilities)


def test_highdicom_writes_what_is_read_voxel_by_voxel(tmp_path: Path) -> None:
    hd = pytest.importorskip("highdicom", reason="highdicom is not installed")
    from pydicom.sr.codedict import codes

    volume = scan()
    source = []
    for k in range(5):
        ds = base("1.2.840.10008.5.1.4.1.1.2")
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = f"{ROOT}1.{k + 1}"
        place = planes(volume.grid, k)
        ds.update(_patient())
        ds.ImagePositionPatient = place["position"]
        ds.ImageOrientationPatient = place["orientation"]
        ds.PixelSpacing, ds.SliceThickness = place["spacing"], 3
        ds.Rows, ds.Columns, ds.InstanceNumber = 7, 9, k + 1
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated = ds.BitsStored = 16
        ds.HighBit, ds.PixelRepresentation = 15, 0
        ds.PixelData = bytes(7 * 9 * 2)
        source.append(ds)
    values = np.random.default_rng(5).integers(0, 3, (5, 7, 9)).astype(np.uint8)
    described = [
        hd.seg.SegmentDescription(
            n, f"Part {n}", codes.SCT.Tissue, codes.SCT.Liver,
            hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for n in (1, 2)
    ]  # fmt: skip
    for kind in ("BINARY", "LABELMAP"):
        ds = hd.seg.Segmentation(
            source, values, kind, described, ROOT + "31", 1, ROOT + "32", 1, "m", "m", "1", "1"
        )
        path = tmp_path / f"{kind}.dcm"
        ds.save_as(path)
        marks = read_marks(path, volume)
        assert np.array_equal(marks.labels[0].array.T, values), kind


def _patient() -> pydicom.Dataset:
    return item(
        PatientID="INVENTED-7",
        PatientBirthDate="",
        PatientSex="",
        AccessionNumber="",
        StudyID="",
        StudyDate="",
        StudyTime="",
        ReferringPhysicianName="",
        StudyInstanceUID=ROOT + "9",
        SeriesInstanceUID=ROOT + "1",
        SeriesNumber=1,
        Modality="CT",
        FrameOfReferenceUID=FRAME,
        PositionReferenceIndicator="",
        Manufacturer="m",
    )


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data set dcmqi is not here")
@pytest.mark.parametrize(
    ("images", "file", "twin"),
    [
        ("ct-3slice", "liver.dcm", "liver_seg.nrrd"),
        ("24x38x3/image", "24x38x3/seg/label.seg", "24x38x3/nrrd/label.nrrd"),
        ("23x38x3/image", "23x38x3/seg/label.seg", "23x38x3/nrrd/label.nrrd"),
        ("24x38x3/image", "sparse-labelmap-noppv.dcm", "sparse_labelmap_noppv_seg.nrrd"),
        ("24x38x3/image", "sparse-labelmap-ppv5.dcm", "sparse_labelmap_noppv_seg.nrrd"),
    ],
)
def test_real_segmentations_equal_their_nrrd_twins(images: str, file: str, twin: str) -> None:
    from napari_medlabel.io.registry import read_volume

    volume = read_volume(DATA / images, hashes=False)
    ours = read_marks(DATA / file, volume).labels[0].array
    theirs = read_marks(DATA / twin, volume).labels[0].array
    assert ours.any()
    assert np.array_equal(ours != 0, theirs != 0)
