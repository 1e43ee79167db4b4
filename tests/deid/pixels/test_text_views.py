from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.deid.pixels.text_views import Tone, pictures, views

PLAIN = Tone()


def test_one_value_is_no_picture():
    assert pictures(np.full((4, 5), 7, np.uint16), PLAIN) == ()
    assert pictures(np.zeros((4, 5, 3), np.uint8), PLAIN) == ()
    assert pictures(np.full((4, 5), np.nan, np.float32), PLAIN) == ()


def test_colours_are_shown_as_they_are():
    values = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert pictures(values, PLAIN) == (values,)


def test_eight_even_bits_are_one_picture():
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    (shown,) = pictures(values, PLAIN)
    assert (shown == values).all()
    (turned,) = pictures(values, Tone(inverted=True))
    assert (turned == 255 - values).all()


def test_text_at_the_top_value_and_the_tissue_far_below_get_a_picture_each():
    values = np.random.default_rng(1).integers(0, 900, (200, 200)).astype(np.uint16)
    values[5:9, 5:60] = 65535
    whole, tissue = pictures(values, PLAIN)
    assert whole[6, 20] == 255
    assert whole[100:].max() < 5
    assert np.ptp(tissue[100:]) > 200


def test_one_lone_bright_value_does_not_hide_text_below_it():
    values = np.random.default_rng(1).integers(0, 900, (300, 300)).astype(np.uint16)
    values[5:9, 5:200] = 4095
    values[0, 0] = 65535
    assert pictures(values, PLAIN)[0][6, 20] == 255


def test_the_header_s_window_is_a_picture_where_it_shows_other_things():
    values = np.linspace(-2000, 6000, 90000).reshape(300, 300)
    assert len(pictures(values, Tone(window=(-100.0, 300.0)))) == 2
    assert len(pictures(values, Tone(window=(-2000.0, 6000.0)))) == 1
    assert len(pictures(values, Tone(window=(5.0, 5.0)))) == 1


def test_infinite_values_are_left_out():
    values = np.linspace(0, 1, 100, dtype=np.float32).reshape(10, 10)
    values[0, 0] = np.nan
    (shown,) = pictures(values, PLAIN)
    assert shown[0, 0] <= 5
    assert shown[-1, -1] == 255


@pytest.mark.parametrize("count", [1, 4])
def test_few_frames_are_searched_one_by_one(count):
    found = list(views(lambda n: np.full((2, 2), n), count))
    assert [view.frames for view in found] == [range(n, n + 1) for n in range(count)]
    assert all(view.closely for view in found)


def test_clips_are_searched_in_blocks_in_single_frames_and_as_a_whole():
    def frame(n: int):
        values = np.full((2, 2), 10, np.uint8)
        values[0, 0] = n
        return values

    found = list(views(frame, 20))
    blocks = [v for v in found if len(v.frames) in (8, 4)]
    assert [v.frames for v in blocks[::2]] == [range(8), range(8, 16), range(16, 20)]
    assert [int(v.values[0, 0]) for v in blocks] == [7, 0, 15, 8, 19, 16]
    singles = [v for v in found if len(v.frames) == 1]
    assert [v.frames[0] for v in singles] == [0, 10, 19]
    whole = [v for v in found if len(v.frames) == 20]
    assert [int(v.values[0, 0]) for v in whole] == [19, 0, 10]
    assert whole[2].values.dtype == np.uint8
    assert not any(v.closely for v in blocks)


def test_the_mean_of_floating_point_frames_is_not_rounded():
    found = list(views(lambda n: np.full((1, 1), n / 2, np.float32), 6))
    assert float(found[-1].values[0, 0]) == 1.25
