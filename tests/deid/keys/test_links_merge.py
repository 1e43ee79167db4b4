from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_medlabel.deid.keys.links_merge import Merged, merge
from napari_medlabel.deid.keys.table import LinkTable, begin_links

KEY = bytes(range(32))


def numbers(*wanted: int) -> Callable[[int], bytes]:
    left = iter(wanted)
    return lambda count: (
        next(left).to_bytes(5, "big") if count == 5 else secrets.token_bytes(count)
    )


@pytest.fixture
def copies(tmp_path: Path) -> tuple[Path, Path]:
    """Two copies of a table that knows one patient, from before they went apart."""
    one, other = tmp_path / "one", tmp_path / "other"
    begin_links(one, KEY, secrets.token_bytes)
    with LinkTable(one, KEY, numbers(100)) as table:
        table.code_for("", "both")
    shutil.copy(one, other)
    return one, other


def merged(one: Path, other: Path) -> Merged:
    with (
        LinkTable(other, KEY, secrets.token_bytes, writable=False) as theirs,
        LinkTable(one, KEY, secrets.token_bytes) as ours,
    ):
        return merge(ours, theirs)


def test_patients_whom_only_the_other_knew_keep_their_code(copies):
    one, other = copies
    with LinkTable(other, KEY, secrets.token_bytes) as table:
        code = table.code_for("", "theirs")
    assert merged(one, other) == Merged(added=1)
    with LinkTable(one, KEY, secrets.token_bytes) as table:
        assert table.code_for("", "theirs") == code
        assert len(table) == 2


def test_a_patient_with_two_codes_goes_on_with_ours_and_both_are_found(copies):
    one, other = copies
    codes = []
    for path in copies:
        with LinkTable(path, KEY, secrets.token_bytes) as table:
            codes.append(table.code_for("", "twice"))
    assert merged(one, other) == Merged(also=1)
    with LinkTable(one, KEY, secrets.token_bytes) as table:
        assert table.code_for("", "twice") == codes[0]
        found = {link.code for link in table.links() if link.patient_id == "twice"}
    assert found == set(codes)


def test_a_code_of_two_patients_is_said_and_the_other_patient_gets_a_new_one(copies):
    one, other = copies
    for path, patient in ((one, "ours"), (other, "theirs")):
        with LinkTable(path, KEY, numbers(7)) as table:
            shared = table.code_for("", patient)
    assert merged(one, other) == Merged(shared=1)
    with LinkTable(one, KEY, secrets.token_bytes) as table:
        assert table.code_for("", "ours") == shared
        assert table.code_for("", "theirs") != shared
        whose = {link.patient_id for link in table.links() if link.code == shared}
    assert whose == {"ours", "theirs"}


def test_merging_again_changes_nothing(copies):
    one, other = copies
    for path, patient in ((one, "ours"), (other, "theirs")):
        with LinkTable(path, KEY, secrets.token_bytes) as table:
            table.code_for("", patient)
            table.code_for("", "twice")
    merged(one, other)
    before = one.read_bytes()
    assert merged(one, other) == Merged()
    assert one.read_bytes() == before


def test_what_was_not_current_there_does_not_become_current_here(copies):
    one, other = copies
    third = one.with_name("third")
    begin_links(third, KEY, secrets.token_bytes)
    for path in (other, third):
        with LinkTable(path, KEY, secrets.token_bytes) as table:
            table.code_for("", "twice")
    merged(other, third)
    done = merged(one, other)
    assert (done.added, done.also, done.shared) == (1, 1, 0)
