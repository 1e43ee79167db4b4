"""Damaged files are cleaned or refused: none crashes, hangs or lets a planted word pass."""

from __future__ import annotations

import os
import secrets

import pytest

from napari_medlabel.deid.dicom.file import clean_file
from tests.deid.fuzz import WORD, campaign, seeds

SUITE_S = 4
GIVEN = "MEDLABEL_FUZZ_SECONDS" in os.environ
SECONDS = float(os.environ.get("MEDLABEL_FUZZ_SECONDS", SUITE_S))
# The same damages each time in the suite; others by hand.
SEED = secrets.randbelow(1 << 30) if GIVEN else 7


@pytest.mark.timeout(SECONDS * 3 + 120)
def test_damaged_files_are_cleaned_or_refused(as_file):
    done = campaign(seeds(as_file), SECONDS, SEED, fewest=300)
    assert not done.found, done.found
    assert done.outcomes["done"] > 10
    assert done.outcomes["unreadable"] > 10


def test_the_whole_files_are_full_of_the_word_and_clean_without_it(
    as_file, profile, pseudonyms
):
    for content in seeds(as_file):
        assert WORD.encode() in content
        cleaned = clean_file(content, profile, pseudonyms)
        assert WORD.encode() not in cleaned.content
