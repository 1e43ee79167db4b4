"""Philips PAR/REC: displayed values, places by the slices' own centres, both files whole."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest
from nibabel.parrec import PARRECHeader

from napari_medlabel.errors import InputError
from napari_medlabel.io import par

GENERAL = """\
# === DATA DESCRIPTION FILE ===
# CLINICAL TRYOUT             Research image export tool     V4.2
# === GENERAL INFORMATION ===
.    Patient name                       :   Invented \u00e9
.    Examination name                   :   invented
.    Protocol name                      :   invented
.    Examination date/time              :   2001.02.03 / 04:05:06
.    Series_data_type                   :   Image   MRSERIES
.    Acquisition nr                     :   2
.    Reconstruction nr                  :   1
.    Scan Duration [sec]                :   14
.    Max. number of cardiac phases      :   1
.    Max. number of echoes              :   1
.    Max. number of slices/locations    :   {slices}
.    Max. number of dynamics            :   {times}
.    Max. number of mixes               :   1
.    Patient Position                   :   HFS
.    Preparation direction              :   Anterior-Posterior
.    Technique                          :   FEEPI
.    Scan resolution  (x, y)            :   4  5
.    Scan mode                          :   MS
.    Repetition time [msec]             :   2000.00
.    FOV (ap,fh,rl) [mm]                :   15.000  {fov}  12.000
.    Water Fat shift [pixels]           :   11.050
.    Angulation midslice(ap,fh,rl)[degr]:   0.000  0.000  0.000
.    Off Centre midslice(ap,fh,rl) [mm] :   2.500  30.000  -16.000
.    Flow compensation <0=no 1=yes> ?   :   0
.    Presaturation     <0=no 1=yes> ?   :   0
.    Phase encoding velocity [cm/sec]   :   0.000000  0.000000  0.000000
.    MTC               <0=no 1=yes> ?   :   0
.    SPIR              <0=no 1=yes> ?   :   1
.    EPI factor        <0,1=no EPI>     :   39
.    Dynamic scan      <0=no 1=yes> ?   :   1
.    Diffusion         <0=no 1=yes> ?   :   0
.    Diffusion echo time [msec]         :   0.00
.    Max. number of diffusion values    :   1
.    Max. number of gradient orients    :   1
.    Number of label types   <0=no ASL> :   0
# === PIXEL VALUES ===
# === IMAGE INFORMATION DEFINITION ===
# === IMAGE INFORMATION ===
"""
LINE = (
    " {k} 1 {t} 1 0 2 {index} {bits} 62 4 5 {inter} {slope} 0.004 100 200 0 0 0 2.5 {z} -16.0 "
    "6.0 2.0 0 {turn} 0 2 3.0 3.0 30.0 {time} 0 0 0 90.0 0 0 0 39 0.0 1 1 8 0 0.0 0.0 0.0 1\n"
)
PICTURES = np.arange(3 * 2 * 5 * 4).reshape(6, 5, 4)


def pair(folder, *, slope=2.0, inter=-3.0, turned=None, order=None, times=2, bits=16, **kw):
    """Write three slices, two times; `order`: where in the REC file each picture lies."""
    text = GENERAL.format(slices=3, times=times, fov=22.0)
    places = list(range(6)) if order is None else order
    for n in range(3 * 2):
        t, k = divmod(n, 3)
        text += LINE.format(
            k=k + 1,
            t=t + 1,
            index=places[n],
            bits=bits,
            inter=inter,
            slope=slope + k,
            z=30.0 + 8 * (k - 1),
            turn=1 if turned != n else 2,
            time=t * 2.5,
        )
    (folder / "a.PAR").write_text(text, encoding="latin-1")
    stored = np.empty_like(PICTURES)
    stored[places] = PICTURES
    (folder / "a.REC").write_bytes(stored.astype(f"<u{bits // 8}").tobytes())
    return folder / "a.PAR"


def test_values_are_the_displayed_ones_and_times_an_axis(tmp_path):
    path = pair(tmp_path)
    volume = par.load(path)
    expected = PICTURES.reshape(2, 3, 5, 4) * (2.0 + np.arange(3))[:, None, None] - 3
    assert (volume.further.name, volume.further.unit) == ("time", "s")
    assert volume.further.values == (0.0, 2.5)
    np.testing.assert_array_equal(np.asarray(volume.further.array).T, expected)
    np.testing.assert_array_equal(volume.array.T, expected[0])
    assert volume.array.dtype == np.float32
    path.write_text(path.read_text(encoding="latin-1").replace("\u00e9", ""))  # for nibabel
    with path.open() as stream:
        truth = PARRECHeader.from_fileobj(stream, strict_sort=True).get_affine()
    np.testing.assert_array_equal(volume.grid.affine.matrix, truth)
    said = par.inspect(path)
    assert said.further == ("time", "s", 2)
    assert said.grid == volume.grid
    assert not said.is_colour


def test_slices_lie_at_their_own_centres(tmp_path):
    affine = par.load(pair(tmp_path)).grid.affine
    for k in range(3):
        # Off-centres are (P, H, L); this is the middle of a picture of 4 x 5 pixels.
        middle = affine.apply((1.5, 2.0, k))
        np.testing.assert_allclose(middle, (16.0, -2.5, 30.0 + 8 * (k - 1)), atol=1e-6)
    assert affine.spacing_mm == pytest.approx((3, 3, 8))


def test_pictures_are_found_by_their_index_in_the_rec_file(tmp_path):
    volume = par.load(pair(tmp_path, slope=1, inter=0, order=[5, 3, 1, 0, 2, 4]))
    slopes = (1 + np.arange(3))[:, None, None]
    np.testing.assert_array_equal(volume.array.T, PICTURES[:3] * slopes)
    odd = par.load(pair(tmp_path, order=[0, 1, 2, 3, 4, 5]))
    assert not any("index" in text for text in odd.warnings)


def test_an_index_that_does_not_fit_is_said(tmp_path):
    path = pair(tmp_path)
    text = path.read_text(encoding="latin-1")
    path.write_text(text.replace(" 3 1 2 1 0 2 5 ", " 3 1 2 1 0 2 77 "), encoding="latin-1")
    volume = par.load(path)
    assert any("index does not fit" in text for text in volume.warnings)


def test_bytes_are_not_signed(tmp_path):
    path = pair(tmp_path, bits=8)
    (tmp_path / "a.REC").write_bytes(bytes([200]) * 120)
    assert par.load(path).array.T[0].max() == 200 * 2 - 3


def test_both_files_are_found_from_either_and_hashed(tmp_path):
    path = pair(tmp_path)
    seen = []
    volume = par.load(
        tmp_path / "a.REC", progress=lambda done, whole: seen.append((done, whole))
    )
    assert [file.name for file in volume.source.files] == ["a.PAR", "a.REC"]
    assert volume.source.sha256 == tuple(
        sha256(file.read_bytes()).hexdigest() for file in volume.source.files
    )
    assert seen[-1][0] == seen[-1][1]
    assert par.load(path, hashes=False).source.sha256 == ()
    assert volume.source.format == "par"


@pytest.mark.parametrize("half", ["a.PAR", "a.REC"])
def test_half_a_pair_is_refused(tmp_path, half):
    pair(tmp_path)
    (tmp_path / half).unlink()
    other = next(tmp_path.iterdir())
    with pytest.raises(InputError, match=f"the {half[1:].upper()} file is missing"):
        par.inspect(other)


def test_a_cut_rec_file_is_refused(tmp_path):
    path = pair(tmp_path)
    data = (tmp_path / "a.REC").read_bytes()
    (tmp_path / "a.REC").write_bytes(data[:-1])
    with pytest.raises(InputError, match="cut off"):
        par.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((" 3 1 2 1 0 2 5 16 62 4 5 -3.0", "#"), "cut off, of an unknown version"),
        ((" 4 5 -3.0 2.0", " 9 5 -3.0 2.0"), "contradicts itself"),
        ((" 4 5 -3.0 2.0", " 4 5 -3.0 0.0"), "no number, or zero"),
        ((" 4 5 -3.0 2.0", " 4 5 nan 2.0"), "no number, or zero"),
        (("0 1 0 2 3.0 3.0", "0 1 0 2 0.0 0.0"), "spans no volume"),
        (("V4.2", "V9.9"), "cannot be read|unknown version|differ"),
        ((GENERAL[:600], ""), "cannot be read|unknown version"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path, change, message):
    path = pair(tmp_path)
    text = path.read_text(encoding="latin-1")
    assert change[0] in text.replace(text[:600], GENERAL[:600], 1)
    new = text[600:] if change[0] == GENERAL[:600] else text.replace(*change)
    path.write_text(new, encoding="latin-1")
    with pytest.raises(InputError, match=message) as caught:
        par.load(path)
    assert caught.value.hint
    assert "Invented" not in caught.value.message


def test_slices_in_other_directions_are_no_volume(tmp_path):
    with pytest.raises(InputError, match="differ in size, spacing or direction"):
        par.inspect(pair(tmp_path, turned=2))


def edited(path, general, columns):
    """Change the general part, and columns of the lines by what `columns` makes of the time."""
    head, lines = path.read_text(encoding="latin-1").split("# === IMAGE INFORMATION ===\n")
    for old, new in general:
        assert old in head
        head = head.replace(old, new)
    rows = []
    for line in lines.splitlines():
        words = line.split()
        time = int(words[2])
        for column, value in columns.items():
            words[column] = str(value(time))
        rows.append(" ".join(words))
    text = head + "# === IMAGE INFORMATION ===\n" + "\n".join(rows) + "\n"
    path.write_text(text, encoding="latin-1")
    return path


ONE_TIME = (
    "Max. number of dynamics            :   2",
    "Max. number of dynamics            :   1",
)


def test_echoes_are_an_axis(tmp_path):
    echoes = (
        "Max. number of echoes              :   1",
        "Max. number of echoes              :   2",
    )
    changes = {1: lambda t: t, 2: lambda t: 1, 30: lambda t: 2.3 * t, 31: lambda t: 0}
    volume = par.load(edited(pair(tmp_path), [ONE_TIME, echoes], changes))
    assert (volume.further.name, volume.further.unit) == ("echo", "ms")
    assert volume.further.values == pytest.approx((2.3, 4.6))


def test_magnitude_and_phase_follow_each_other_and_that_is_said(tmp_path):
    changes = {2: lambda t: 1, 4: lambda t: 0 if t == 1 else 3, 31: lambda t: 0}
    volume = par.load(edited(pair(tmp_path), [ONE_TIME], changes))
    assert (volume.further.name, volume.further.values) == ("volume", (0.0, 1.0))
    assert any("2 kinds, such as magnitude and phase" in text for text in volume.warnings)


def test_integers_stay_integers_where_nothing_scales_them(tmp_path):
    path = edited(pair(tmp_path), [], {12: lambda t: 1, 11: lambda t: 0})
    volume = par.load(path)
    assert volume.array.dtype == np.uint16
    np.testing.assert_array_equal(volume.array.T, PICTURES[:3])
