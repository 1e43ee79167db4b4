"""The journal gives back exactly what was committed, whatever was cut off."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.edit.journal import Journal, JournalHead, read_journal
from napari_medlabel.errors import InputError, SaveError

HEAD = JournalHead("sha256:aa", "sha256:bb", (5, 4, 3), "|u1", "2026-11-22T12:00:00Z")


def plane(value: int) -> np.ndarray:
    return np.full((4, 5), value, np.uint8)


def written(path: Path) -> bytes:
    journal = Journal(path, HEAD)
    journal.write([(0, plane(1)), (2, plane(2))], None, time="t1")
    journal.write([(0, plane(3))], {"markups": []}, time="t2")
    journal.close()
    return path.read_bytes()


def test_the_last_committed_state_of_each_slice_comes_back(tmp_path: Path) -> None:
    written(tmp_path / "a.journal")
    content = read_journal(tmp_path / "a.journal")
    assert content is not None
    assert content.head == HEAD
    assert content.last == "t2"
    assert content.landmarks == {"markups": []}
    mask = content.onto(np.zeros((5, 4, 3), np.uint8))
    assert (mask[..., 0] == 3).all()
    assert (mask[..., 1] == 0).all()
    assert (mask[..., 2] == 2).all()


def test_it_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    written(tmp_path / "a.journal")
    assert (tmp_path / "a.journal").stat().st_mode & 0o777 == 0o600


def test_a_cut_at_any_byte_leaves_a_state_that_was_committed(tmp_path: Path) -> None:
    data = written(tmp_path / "a.journal")
    states = set()
    cut = tmp_path / "cut.journal"
    for size in range(len(data) + 1):
        cut.write_bytes(data[:size])
        content = read_journal(cut)
        states.add(None if content is None else (content.last, len(content.slices)))
    assert states == {None, ("", 0), ("t1", 2), ("t2", 2)}


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_bent_byte_never_gives_other_voxels(
    tmp_path_factory: pytest.TempPathFactory, where: int, mask: int
) -> None:
    folder = tmp_path_factory.mktemp("bent")
    data = bytearray(written(folder / "a.journal"))
    data[where % len(data)] ^= mask
    (folder / "b.journal").write_bytes(data)
    content = read_journal(folder / "b.journal")
    if content is not None:
        for k, labels in content.slices.items():
            assert (k, int(labels[0, 0])) in {(0, 1), (0, 3), (2, 2)}
            assert (labels == labels[0, 0]).all()


def test_a_journal_in_use_is_nobody_elses(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.journal", HEAD)
    journal.write([(0, plane(1))], None, time="t1")
    assert read_journal(tmp_path / "a.journal") is None
    journal.close()
    assert read_journal(tmp_path / "a.journal") is not None


def test_a_discarded_journal_is_gone(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.journal", HEAD)
    journal.discard()
    assert not (tmp_path / "a.journal").exists()


def test_an_existing_file_is_never_taken_over(tmp_path: Path) -> None:
    (tmp_path / "a.journal").write_bytes(b"somebody's work")
    with pytest.raises(SaveError):
        Journal(tmp_path / "a.journal", HEAD)
    assert (tmp_path / "a.journal").read_bytes() == b"somebody's work"


@pytest.mark.parametrize("content", [b"", b"text", b"napari-medlabel recovery journal 1\n"])
def test_other_files_are_no_journals(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.journal").write_bytes(content)
    assert read_journal(tmp_path / "a.journal") is None


def test_a_missing_file_is_no_journal(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "none.journal") is None


def test_a_mask_of_another_shape_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "a.journal")
    content = read_journal(tmp_path / "a.journal")
    assert content is not None
    assert not content.is_empty
    with pytest.raises(InputError, match="mask of shape"):
        content.onto(np.zeros((5, 4, 4), np.uint8))


def test_a_failed_write_leaves_what_was_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "a.journal", HEAD)
    journal.write([(0, plane(1))], None, time="t1")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patched:
        patched.setattr("napari_medlabel.edit.journal.os.fsync", full)
        with pytest.raises(SaveError, match="disk is full"):
            journal.write([(1, plane(2))], None, time="t2")
    journal.write([(2, plane(3))], None, time="t3")
    journal.close()
    content = read_journal(tmp_path / "a.journal")
    assert content is not None
    assert (sorted(content.slices), content.last) == ([0, 2], "t3")
