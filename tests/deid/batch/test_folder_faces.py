"""Heads in a batch: what becomes of each series is counted, before it is done and after."""

from __future__ import annotations

from napari_medlabel.cli.deid_words import told
from napari_medlabel.deid.batch.folder import deidentify_folder, preview_folder
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import load_profile
from napari_medlabel.session.deid_words import outcome_of


def test_series_are_told_by_what_becomes_of_their_faces(ct, as_file, pseudonyms, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    (source / "chest.dcm").write_bytes(as_file(ct(1)))
    for number in (2, 3):
        head = ct(
            number,
            BodyPartExamined="HEAD",
            SeriesInstanceUID="1.3.6.1.4.1.99999.7.22",
            FrameOfReferenceUID="1.3.6.1.4.1.99999.7.33",
            ImagePositionPatient=["0", "0", str(30 * number)],
        )
        (source / f"head{number}.dcm").write_bytes(as_file(head))
    profile = load_profile(options=[Option.CLEAN_FACES])
    preview = preview_folder(source, profile, pseudonyms)
    report = deidentify_folder(source, tmp_path / "out", profile, pseudonyms)
    assert preview.faces == report.faces
    assert sum(report.faces.values()) == 2
    assert report.faces["not a head"] == 1
    assert any(what.startswith("unsure: ") for what in report.faces)
    assert report.to_json()["faces"] == report.faces
    assert "faces: 1 series (not a head)" in told(preview)
    assert "1 series: not a head." in outcome_of(report)[1]


def test_without_the_option_nothing_is_said_of_faces(
    ct, as_file, profile, pseudonyms, tmp_path
):
    source = tmp_path / "in"
    source.mkdir()
    (source / "chest.dcm").write_bytes(as_file(ct(1)))
    report = preview_folder(source, profile, pseudonyms)
    assert report.faces == {}
    assert "faces:" not in told(report)
