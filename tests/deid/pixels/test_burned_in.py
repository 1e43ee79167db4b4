from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset

from napari_medlabel.deid.pixels.burned_in import device_places, outside_regions, signatures
from napari_medlabel.deid.pixels.generate_burned_in import TARGET, main
from napari_medlabel.deid.pixels.generate_burned_in import signatures as generated

SOURCE = Path(__file__).parents[4] / "shared" / "standard" / "burnedin_regions_deid_0.4.13.json"


def region(kind: int, *corners: object) -> Dataset:
    item = Dataset()
    item.RegionSpatialFormat = kind
    keywords = ("MinX0", "MinY0", "MaxX1", "MaxY1")
    for keyword, corner in zip(keywords, corners, strict=True):
        setattr(item, f"RegionLocation{keyword}", corner)
    return item


def image(*regions: Dataset, **changed: object) -> Dataset:
    ds = Dataset()
    ds.Rows, ds.Columns = 60, 80
    if regions:
        ds.SequenceOfUltrasoundRegions = list(regions)
    for keyword, value in changed.items():
        setattr(ds, keyword, value)
    return ds


def test_what_lies_outside_every_scan_is_black():
    ds = image(region(1, 10, 20, 29, 39), region(3, 40, 20, 49, 59))
    outside, count = outside_regions(ds, 60, 80)
    assert count == 2
    assert not outside[20:40, 10:30].any()
    assert not outside[20:60, 40:50].any()
    assert outside.sum() == 60 * 80 - 400 - 400


@pytest.mark.parametrize("kind", [0, 5])
def test_tables_and_thumbnails_are_no_scans(kind):
    outside, count = outside_regions(
        image(region(kind, 0, 0, 79, 59), region(2, 0, 0, 9, 9)), 60, 80
    )
    assert count == 1
    assert outside.sum() == 60 * 80 - 100


@pytest.mark.parametrize("corners", [(10, 10, 5, 20), (0, 0, 900, 20), (0, 20, 9, 20)])
def test_regions_that_cannot_be_right_leave_the_image_as_it_is(corners):
    outside, count = outside_regions(image(region(1, *corners)), 60, 80)
    assert (count, bool(outside.any())) == (0, False)


def test_regions_that_end_on_the_edge_are_right():
    outside, count = outside_regions(image(region(1, 0, 0, 80, 60)), 60, 80)
    assert (count, bool(outside.any())) == (1, False)
    assert outside_regions(image(), 60, 80)[1] == 0


def test_regions_without_corners_are_left_out():
    item = Dataset()
    item.RegionSpatialFormat = 1
    assert outside_regions(image(item), 60, 80)[1] == 0


def test_a_known_device_writes_where_it_is_known_to():
    ds = image(
        Rows=768,
        Columns=1024,
        Modality="US",
        Manufacturer="Siemens Healthineers",
        ManufacturerModelName="ACUSON S2000",
    )
    places, count = device_places(ds, 768, 1024)
    assert count >= 1
    assert places[:60].all()
    assert not places[400:].any()


def test_one_of_two_attributes_is_enough_where_a_rule_says_so():
    ds = image(Modality="CT", ManufacturerModelName="LightSpeed VCT")
    assert device_places(ds, 512, 512)[1] == 0
    ds.SeriesDescription = "Dose Report"
    places, count = device_places(ds, 512, 512)
    assert count == 1
    assert places[:121, :512].all()
    del ds.SeriesDescription
    ds.ImageType = ["DERIVED", "SCREEN SAVE"]
    assert device_places(ds, 512, 512)[1] == 1


def test_the_file_meta_can_tell_the_device():
    ds = image(Modality="US")
    ds.file_meta = FileMetaDataset()
    ds.file_meta.ImplementationVersionName = "MINDRAY_1"
    assert device_places(ds, 900, 1300)[1] == 1


def test_every_signature_has_conditions_and_rectangles():
    found = signatures()
    assert len(found) == 105
    for signature in found:
        assert len(signature["if"]) >= 2
        for left, top, right, bottom in signature["boxes"]:
            assert 0 <= left < right
            assert 0 <= top < bottom


def test_the_data_file_says_whose_it_is_and_under_which_licence():
    document = json.loads(TARGET.read_text("utf-8"))
    assert document["licence"].startswith("MIT")
    assert "deid" in document["source"]


@pytest.mark.skipif(
    not SOURCE.is_file(), reason="needs the collected rules beside the checkout"
)
def test_the_data_file_is_what_the_script_writes(tmp_path):
    main(SOURCE, tmp_path / "made.json")
    assert (tmp_path / "made.json").read_bytes() == TARGET.read_bytes()


def test_rules_become_conditions():
    rule = {
        "filters": [
            {"action": ["contains"], "field": ["Manfacturer"], "value": ["A|B"]},
            {
                "action": ["contains", "equals"],
                "field": ["ImageType", "Rows"],
                "value": ["C", "5"],
            },
        ],
        "coordinates": [[0, "1,2,3, 4"]],
    }
    other = {"filters": [], "coordinates": []}
    made = generated({"source": "s", "filters": {"graylist": [rule, other]}})
    assert made["signatures"] == [
        {
            "if": [
                [["Manufacturer", "contains", ["A", "B"]]],
                [["ImageType", "contains", ["C"]], ["Rows", "equals", ["5"]]],
            ],
            "boxes": [[1, 2, 3, 4]],
        }
    ]
