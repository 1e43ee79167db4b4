"""The Croissant document holds what is known, and no property of what is not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.project.release.croissant import KEYS, croissant
from napari_medlabel.project.release.manifest import ReleasedFile
from tests.project.release.released import bare, digest, whole

FILES = tuple(
    ReleasedFile(path, digest(path), 40)
    for path in (
        "participants.tsv",
        "sub-001/ses-01/anat/sub-001_ses-01_ct.nii.gz",
        "derivatives/medlabel-r01/sub-001/anat/sub-001_desc-ctv001_dseg.nii.gz",
    )
)
COLUMNS = ("participant_id", "sex", "split")


def read(facts, files=FILES, columns=COLUMNS):
    return json.loads(croissant(facts, files, columns))


def test_of_nothing_known_only_the_frame_is_said():
    assert set(read(bare(), (), ())) == {
        "@context", "@type", "name", "conformsTo", "version", "datePublished",
    }  # fmt: skip


def test_it_names_the_table_by_its_hash_and_the_scans_and_masks_by_pattern():
    table, scans, masks = read(whole())["distribution"]
    assert table["sha256"] == FILES[0].digest.removeprefix("sha256:")
    assert table["contentSize"] == "40 B"
    assert scans["includes"] == ["sub-*/ses-*/anat/*.nii.gz"]
    assert masks["includes"] == ["derivatives/*/sub-*/anat/*_dseg.nii.gz"]


def test_each_column_is_a_field_of_the_patients():
    (patients,) = read(whole())["recordSet"]
    assert [one["source"]["extract"]["column"] for one in patients["field"]] == list(COLUMNS)
    assert patients["key"] == {"@id": "patients/participant_id"}


def test_facts_and_statements_become_properties_of_rai():
    facts = replace(
        whole(),
        stated={
            "biases": "One site.",
            "licence": "https://example.org/l",
            "creators": "A ward",
        },
    )
    document = read(facts)
    assert document["rai:dataBiases"] == "One site."
    assert document["license"] == "https://example.org/l"
    assert document["creator"] == {"@type": "sc:Organization", "name": "A ward"}
    assert document["rai:annotationsPerItem"] == "1 to 2"
    assert "union of readings 1" in document["rai:dataAnnotationProtocol"]
    assert "drawn" not in document["rai:dataCollection"]
    assert "rai:dataSocialImpact" not in document
    assert document["datePublished"] == "2026-11-22"


def test_every_key_of_a_statement_is_used():
    for key in KEYS:
        document = croissant(replace(bare(), stated={key: "Something"}), (), ())
        assert b"Something" in document, key


@pytest.mark.parametrize(("files", "columns"), [((), COLUMNS), (FILES, ("sex",))])
def test_columns_of_a_table_that_is_not_there_are_refused(files, columns):
    with pytest.raises(InputError, match="the release does not have"):
        croissant(whole(), files, columns)


def test_a_release_without_table_has_no_record_set():
    document = read(whole(), FILES[1:], ())
    assert "recordSet" not in document
    assert [one["@id"] for one in document["distribution"]] == ["scans", "masks"]


def test_masks_are_not_taken_for_scans_and_hidden_depths_for_neither():
    deep = ReleasedFile("exports/derivatives/a/sub-001/anat/x_dseg.nii.gz", digest("x"), 1)
    assert "distribution" not in read(whole(), (deep,), ())
    (masks,) = read(whole(), (FILES[2],), ())["distribution"]
    assert masks["@id"] == "masks"
