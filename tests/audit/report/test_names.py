"""The table of names: read as given, refused by line, no name in a message."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_medlabel.audit.report import names
from napari_medlabel.audit.report.names import read_names
from napari_medlabel.errors import InputError
from tests.audit.report.lines import ANNA, BEN


def _table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "names.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_names_are_read_with_titles_blanks_and_quotes(tmp_path: Path) -> None:
    path = _table(tmp_path, f'\ufefftoken,name\n{ANNA}, "Berg, Anna" \n\n{BEN},Ben Ito,extra\n')
    assert read_names(path)[BEN] == "Ben Ito"
    assert len(read_names(path)) == 2


def test_the_first_line_may_be_a_name_already(tmp_path: Path) -> None:
    assert read_names(_table(tmp_path, f"{ANNA},Anna Berg\n")) == {ANNA: "Anna Berg"}


@pytest.mark.parametrize(
    "row", ["u1-short,Anna Berg", ANNA, f"{ANNA},", f"{ANNA},{'x' * 201}"], ids=str
)
def test_a_line_that_is_no_token_with_a_name_is_refused(tmp_path: Path, row: str) -> None:
    with pytest.raises(InputError, match="has in line 2 no user token and name") as caught:
        read_names(_table(tmp_path, f"token,name\n{row}\n"))
    assert "Anna" not in caught.value.message


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_names(tmp_path / "none.csv")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read"):
        read_names(path)


def test_a_huge_table_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_LARGEST", 10)
    with pytest.raises(InputError, match="is larger than any table"):
        read_names(_table(tmp_path, f"{ANNA},Anna Berg\n"))
