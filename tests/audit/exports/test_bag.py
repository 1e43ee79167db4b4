"""A bag is what RFC 8493 says, as a folder and as a zip file."""

from __future__ import annotations

import re
import zipfile
from hashlib import sha256
from pathlib import Path

from napari_medlabel.audit.exports.bag import Bag, FolderPlace, ZipPlace


def fill(bag: Bag, source: Path) -> str:
    bag.copy("log/a.txt", source)
    bag.add("b%\n.txt", b"b")
    bag.tag("README.txt", b"r")
    return bag.close({"Bagging-Date": "2026-11-22"})


def check(root: Path) -> None:
    """Check a folder as section 2 and 3 of the RFC ask."""
    declared = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    assert (root / "bagit.txt").read_text() == declared
    listed: dict[str, set[str]] = {}
    for kind in ("manifest", "tagmanifest"):
        names = set()
        for line in (root / f"{kind}-sha256.txt").read_text().splitlines():
            found = re.fullmatch(r"([0-9a-f]{64})  (\S.*)", line)
            assert found
            name = found[2].replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
            assert sha256((root / name).read_bytes()).hexdigest() == found[1]
            names.add(name)
        listed[kind] = names
    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert listed["manifest"] == {name for name in files if name.startswith("data/")}
    rest = files - listed["manifest"] - {"tagmanifest-sha256.txt"}
    assert listed["tagmanifest"] == rest
    info = dict(
        line.split(": ", 1) for line in (root / "bag-info.txt").read_text().splitlines()
    )
    size = sum((root / name).stat().st_size for name in listed["manifest"])
    assert info["Payload-Oxum"] == f"{size}.{len(listed['manifest'])}"


def test_a_folder_is_a_bag(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(3_000_000))
    root = tmp_path / "bag"
    digest = fill(Bag(FolderPlace(root)), source)
    check(root)
    assert sha256((root / "tagmanifest-sha256.txt").read_bytes()).hexdigest() == digest
    assert (root / "data/log/a.txt").read_bytes() == bytes(3_000_000)


def test_a_zip_file_holds_one_bag_and_the_same_digest_each_time(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"abc")
    digests = set()
    for name in ("one.zip", "two.zip"):
        with zipfile.ZipFile(tmp_path / name, "x") as archive:
            digests.add(fill(Bag(ZipPlace(archive, "evidence", 0)), source))
    assert len(digests) == 1
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"evidence"}
        assert archive.testzip() is None
        archive.extractall(tmp_path / "out")
    check(tmp_path / "out" / "evidence")
