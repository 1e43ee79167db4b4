"""What stored values mean: tables, real-world values, precise scales, units."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.pixels.values import OUTSIDE
from tests.io.coded import filled, grey, pattern, save
from tests.io.scans import instance

STORED = np.arange(-4, 8, dtype=np.int16).reshape(1, 3, 4)


def item(**values: object) -> Dataset:
    one = Dataset()
    for name, value in values.items():
        setattr(one, name, value)
    return one


@pytest.mark.parametrize(("bits", "vr"), [(16, "US"), (16, "OW"), (8, "OW")])
def test_a_modality_table_gives_the_values(tmp_path, bits, vr):
    entries = np.array([200, 7, 9, 30, 30, 1], np.uint16)
    table = item(LUTDescriptor=[6, -2, bits], ModalityLUTType="HU")
    raw = entries.astype("<u1" if bits == 8 else "<u2").tobytes()
    table.add_new("LUTData", vr, entries.tolist() if vr == "US" else raw)
    ds = grey(STORED, ModalityLUTSequence=Sequence([table]))
    result = filled(save(ds, tmp_path / "a.dcm"))
    truth = entries[np.clip(STORED.astype(int) + 2, 0, 5)]
    np.testing.assert_array_equal(result.array[0], truth)
    assert result.array.dtype == np.uint8
    assert result.quantity == "HU"


@pytest.mark.parametrize("values", ["rescaled", "suv-bw"])
def test_a_slope_of_zero_is_refused(tmp_path, values):
    path = save(grey(STORED, RescaleSlope=0, RescaleIntercept=9), tmp_path / "a.dcm")
    with pytest.raises(InputError, match="Rescale Slope is zero"):
        filled(path, values=values)
    np.testing.assert_array_equal(filled(path, values="stored").array[0], STORED)


@pytest.mark.parametrize("slope", ["1e60", "1.5e38"])
def test_an_absurd_slope_is_refused(tmp_path, slope):
    path = save(grey(STORED, RescaleSlope=slope), tmp_path / "a.dcm")
    with pytest.raises(InputError, match="absurdly large"):
        filled(path)


def test_a_short_modality_table_is_refused(tmp_path):
    table = item(LUTDescriptor=[6, 0, 16], ModalityLUTType="HU")
    table.add_new("LUTData", "US", [1, 2])
    ds = grey(STORED, ModalityLUTSequence=Sequence([table]))
    with pytest.raises(InputError, match="shorter than its descriptor"):
        filled(save(ds, tmp_path / "a.dcm"))


def test_stored_values_are_left_alone(tmp_path):
    ds = grey(STORED, RescaleSlope=2, RescaleIntercept=-5)
    result = filled(save(ds, tmp_path / "a.dcm"), values="stored")
    np.testing.assert_array_equal(result.array[0], STORED)
    assert result.array.dtype == np.int16
    assert result.quantity == ""


def test_another_kind_of_values_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"Values can be rescaled, stored, .* or suv-bsa"):
        filled(save(grey(STORED), tmp_path / "a.dcm"), values="nice")


@pytest.mark.parametrize(
    ("extra", "quantity"),
    [
        ({"Modality": "CT"}, "HU"),
        ({"Modality": "CT", "RescaleType": "HU"}, "HU"),
        ({"Modality": "CT", "RescaleType": "US"}, ""),
        ({"Modality": "CT", "RescaleType": "Invented words"}, ""),
        ({"Modality": "CT", "RescaleType": "MGML"}, "mg/ml"),
        ({"Modality": "MR"}, ""),
        ({"Modality": "PT", "Units": "BQML"}, "Bq/ml"),
        ({"Modality": "PT", "Units": "CNTS"}, "counts"),
    ],
)
def test_the_unit_is_said_where_it_is_known(tmp_path, extra, quantity):
    assert filled(save(grey(STORED, **extra), tmp_path / "a.dcm")).quantity == quantity


def test_a_dose_is_scaled_to_gray(tmp_path):
    ds = grey(pattern((2, 3, 4), "u4"), Modality="RTDOSE", DoseUnits="GY")
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.2"
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.DoseGridScaling = 1e-8
    result = filled(save(ds, tmp_path / "a.dcm"))
    truth = pattern((2, 3, 4), "u4") * 1e-8
    np.testing.assert_allclose(result.array[0], truth, rtol=1e-7)
    assert result.quantity == "Gy"


def mapping(first: int, last: int, **more: object) -> Dataset:
    one = item(**more)
    one.add_new("RealWorldValueFirstValueMapped", "SS", first)
    one.add_new("RealWorldValueLastValueMapped", "SS", last)
    one.MeasurementUnitsCodeSequence = Sequence(
        [item(CodeValue="mm2/s", CodingSchemeDesignator="UCUM", CodeMeaning="x")]
    )
    return one


def test_real_world_values_hold_only_where_they_are_mapped(tmp_path):
    line = mapping(-2, 5, RealWorldValueSlope=0.5, RealWorldValueIntercept=1.0)
    other = mapping(-2, 5, RealWorldValueSlope=9.0, RealWorldValueIntercept=1.0)
    ds = grey(STORED, RealWorldValueMappingSequence=Sequence([line, other]))
    result = filled(save(ds, tmp_path / "a.dcm"), values="real-world")
    truth = np.where((STORED >= -2) & (STORED <= 5), STORED * 0.5 + 1, np.nan)
    np.testing.assert_array_equal(result.array[0], truth.astype(np.float32))
    assert result.quantity == "mm2/s"
    assert "There are 2 real-world value mappings" in result.warnings[0]
    assert result.warnings[1] == OUTSIDE


def test_a_real_world_table_of_each_frame(tmp_path):
    groups = []
    for number in range(2):
        table = [10.5 * (number + 1), 2.0, 7.25]
        line = mapping(0, 2, RealWorldValueLUTData=table)
        groups.append(item(RealWorldValueMappingSequence=Sequence([line])))
    stored = np.tile(np.array([[0, 1, 2, 3]], np.int16), (2, 1, 1))
    ds = grey(stored, PerFrameFunctionalGroupsSequence=Sequence(groups))
    array = filled(save(ds, tmp_path / "a.dcm"), values="real-world").array[0]
    truth = np.array([[[10.5, 2, 7.25, np.nan]], [[21, 2, 7.25, np.nan]]], np.float32)
    np.testing.assert_array_equal(array, truth)


def test_missing_real_world_values_are_refused(tmp_path):
    with pytest.raises(InputError, match="Real World Value Mapping Sequence is missing"):
        filled(save(grey(STORED), tmp_path / "a.dcm"), values="real-world")


def test_a_real_world_table_shorter_than_its_range_is_refused(tmp_path):
    line = mapping(0, 5, RealWorldValueLUTData=[1.0, 2.0])
    ds = grey(STORED, RealWorldValueMappingSequence=Sequence([line]))
    with pytest.raises(InputError, match="shorter than its range"):
        filled(save(ds, tmp_path / "a.dcm"), values="real-world")


def philips(block: Dataset, scale: float, zero: float = 0.0) -> None:
    private = block.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    private.add_new(0x0E, "FL", scale)
    private.add_new(0x0D, "FL", zero)


def test_the_precise_values_of_philips_undo_the_display_scale(tmp_path):
    paths = []
    for k, scale in enumerate((0.25, 4.0)):
        ds = instance(k, STORED[0], RescaleSlope=1.5, RescaleIntercept=-3, Modality="MR")
        philips(ds, scale)
        paths.append(save(ds, tmp_path / f"{k}.dcm"))
    array = filled(paths, values="philips-precise").array[0]
    for plane, scale in zip(array, (0.25, 4.0), strict=True):
        truth = (STORED[0] * 1.5 - 3) / (1.5 * scale)
        np.testing.assert_allclose(plane, truth, rtol=1e-6)


def test_precise_values_of_frames_come_from_their_own_groups(tmp_path):
    groups = []
    for scale in (0.5, 2.0):
        inner = Dataset()
        philips(inner, scale)
        group = Dataset()
        block = group.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
        block.add_new(0x0F, "SQ", Sequence([inner]))
        groups.append(group)
    stored = np.repeat(STORED, 2, axis=0)
    ds = grey(stored, PerFrameFunctionalGroupsSequence=Sequence(groups), Modality="MR")
    array = filled(save(ds, tmp_path / "a.dcm"), values="philips-precise").array[0]
    np.testing.assert_array_equal(array, stored / np.array([[[0.5]], [[2.0]]]))


def test_precise_values_without_their_scale_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"Scale Slope \(2005,100E\), which is missing"):
        filled(save(grey(STORED), tmp_path / "a.dcm"), values="philips-precise")


def test_a_precise_scale_that_contradicts_the_rescale_is_refused(tmp_path):
    ds = grey(STORED, RescaleSlope=2, RescaleIntercept=-8)
    philips(ds, 0.5, zero=99.0)
    with pytest.raises(InputError, match="contradicts Rescale Intercept"):
        filled(save(ds, tmp_path / "a.dcm"), values="philips-precise")
