"""What is said about a scan: the important first, nothing twice."""

from __future__ import annotations

from dataclasses import replace

from napari_medlabel.model.volume import Volume
from napari_medlabel.plugin.doubts import doubts_of, is_only_turned
from napari_medlabel.plugin.layers import KEY, volume_to_layer


def test_missing_slices_are_said_once_and_with_their_numbers(gappy_scan: Volume) -> None:
    readers = "2 slices of 6 missing: the room between the others is left blank."
    told = doubts_of(replace(gappy_scan, warnings=(readers, "Tilted.", "Tilted.")))
    assert told[0].startswith("2 of 6 slices are missing (number 3, 5): left blank")
    assert told[1:] == ["Tilted."]
    (one,) = doubts_of(replace(gappy_scan, missing=(3,)))
    assert one.startswith("1 of 6 slices is missing (number 4)")


def test_other_words_about_missing_things_stay(gappy_scan: Volume) -> None:
    whole = replace(gappy_scan, missing=())
    doubts = ("2 slices of 6 missing in another part.", "The frame of reference is missing.")
    assert doubts_of(replace(whole, warnings=doubts)) == list(doubts)
    assert doubts_of(whole) == []
    assert "MONOCHROME1" in doubts_of(replace(whole, is_inverted=True))[0]


def test_many_missing_slices_are_not_all_named(gappy_scan: Volume) -> None:
    grid = replace(gappy_scan.grid, shape=(12, 10, 60))
    array = gappy_scan.array[..., :1].repeat(60, axis=2)
    many = replace(gappy_scan, grid=grid, array=array, missing=tuple(range(10, 22)))
    assert "(number 11, 12, 13, 14, 15, 16, 17, 18, …)" in doubts_of(many)[0]


def test_oblique_axes_alone_are_no_alarm() -> None:
    assert is_only_turned("Oblique: the axes are turned by 8.0 degrees.")
    assert not is_only_turned("The slices are tilted by 8.0 degrees.")


def test_a_layer_carries_the_doubts_of_its_scan(gappy_scan: Volume) -> None:
    _, keywords, _ = volume_to_layer(replace(gappy_scan, warnings=("Tilted.",)), "x", (0, 1))
    warnings = keywords["metadata"][KEY]["warnings"]
    assert [w.split()[0] for w in warnings] == ["2", "Tilted."]
