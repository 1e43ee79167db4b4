"""Guidelines: what is said of a label, and when they are another version."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.project.guidelines import Guidelines, read_guidelines

TEXT = """Read all of it first.

# Liver
Include the **capsule**.

![Edge](img/edge.png)

## Edge cases
```
# not a heading
```
Leave out the gall bladder.

# Spleen ##
All of it.
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "edge.png").write_bytes(b"picture")
    path = tmp_path / "guidelines.md"
    path.write_text(TEXT)
    return path


@pytest.fixture
def found(path: Path) -> Guidelines:
    return read_guidelines(path)


def test_a_label_finds_its_heading_and_all_below_it(found: Guidelines) -> None:
    said = found.about("liver")
    assert said.startswith("Include the **capsule**.")
    assert "## Edge cases" in said
    assert "# not a heading" in said
    assert "All of it." not in said
    assert found.about("Spleen") == "All of it."
    assert found.about("Kidney") == ""


def test_sections_come_in_order(found: Guidelines) -> None:
    assert [(s.level, s.heading) for s in found.sections] == [
        (0, ""),
        (1, "Liver"),
        (2, "Edge cases"),
        (1, "Spleen"),
    ]


def test_the_version_follows_text_and_pictures(path: Path, found: Guidelines) -> None:
    assert read_guidelines(path).digest == found.digest
    (path.parent / "notes.bak").write_text("x")
    assert read_guidelines(path).digest == found.digest
    (path.parent / "img" / "edge.png").write_bytes(b"another")
    second = read_guidelines(path).digest
    assert second != found.digest
    (path.parent / "img" / "edge.png").rename(path.parent / "img" / "rim.png")
    assert read_guidelines(path).digest != second
    path.write_text(TEXT + "\nMore.")
    assert len({found.digest, second, read_guidelines(path).digest}) == 3


@pytest.mark.parametrize("name", ["img/none.png", "../x.png", "/x.png", "https://a.b/x.png"])
def test_pictures_that_are_not_beside_the_text_are_named(path: Path, name: str) -> None:
    assert read_guidelines(path).missing_pictures == ()
    path.write_text(f"{TEXT}\n![x]({name})\n")
    assert read_guidelines(path).missing_pictures == (name,)


def test_what_cannot_be_read_is_refused(path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_guidelines(path.parent / "none.md")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot be read"):
        read_guidelines(path)


def test_what_no_person_reads_is_refused(path: Path) -> None:
    path.write_bytes(b"x" * ((4 << 20) + 1))
    with pytest.raises(InputError, match="up to 4 MB"):
        read_guidelines(path)
