from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.deid.keys import table as links_module
from napari_medlabel.deid.keys.links_file import Link
from napari_medlabel.deid.keys.links_memory import StaleLinksError
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.keys.table import LinkTable, begin_links, begun_links, links_beside
from napari_medlabel.errors import InputError, SaveError

KEY = bytes(range(32))
OTHER = bytes(32)
POSIX = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    begin_links(tmp_path / "project.key.links", KEY, secrets.token_bytes)
    return tmp_path / "project.key.links"


def opened(path: Path, **options: object) -> LinkTable:
    return LinkTable(path, KEY, secrets.token_bytes, **options)  # type: ignore[arg-type]


def repeating(*numbers: int) -> Callable[[int], bytes]:
    """Random bytes that are these numbers where a code is asked for."""
    left: Iterator[int] = iter(numbers)

    def random_bytes(count: int) -> bytes:
        return next(left).to_bytes(5, "big") if count == 5 else secrets.token_bytes(count)

    return random_bytes


def test_a_patient_keeps_the_code_for_ever(path):
    with opened(path) as table:
        code = table.code_for("Clinic", "MRN1")
        assert table.code_for("Clinic", "MRN1") == code
    with opened(path) as table:
        assert table.known("Clinic", "MRN1") == code
        assert table.code_for("Clinic ", "MRN1\0") == code
        assert len(table) == 1
    assert re.fullmatch(r"P-[0-9A-HJKMNP-TV-Z]{8}", code)


def test_the_code_comes_from_nothing_but_chance(tmp_path):
    codes = set()
    for name in ("a", "b"):
        begin_links(tmp_path / name, KEY, secrets.token_bytes)
        with opened(tmp_path / name) as table:
            codes.add(table.code_for("Clinic", "MRN1"))
    assert len(codes) == 2
    assert Pseudonyms(KEY).patient_code("Clinic", "MRN1") not in codes


def test_issuer_and_id_are_apart(path):
    with opened(path) as table:
        patients = [("A", "7"), ("", "A7"), ("A7", ""), ("a", "7"), ("A", "07"), ("1:", "A")]
        assert len({table.code_for(*patient) for patient in patients}) == len(patients)


def test_a_code_that_is_taken_is_never_given_to_a_second_patient(path):
    with LinkTable(path, KEY, repeating(5, 5, 5, 9)) as table:
        one, other = table.code_for("", "1"), table.code_for("", "2")
    assert one != other
    with LinkTable(path, KEY, repeating(9, 5, 11)) as table:
        assert table.code_for("", "3") not in {one, other}


def test_what_earlier_copies_carry_for_a_known_patient_is_nobody_elses(path):
    keyed = Pseudonyms(KEY).patient_code("", "1")
    number = links_module.from_base32(keyed.removeprefix("P-"))
    with LinkTable(path, KEY, repeating(3, number, 4)) as table:
        table.code_for("", "1")
        assert table.code_for("", "2") != keyed


def test_a_broken_source_of_random_numbers_is_noticed(path):
    with LinkTable(path, KEY, repeating(*[5] * 66)) as table:
        table.code_for("", "1")
        with pytest.raises(SaveError, match="in a row were taken"):
            table.code_for("", "2")
        assert table.known("", "2") is None


def test_the_file_shows_no_patient_and_no_code(path):
    with opened(path) as table:
        code = table.code_for("St. Elsewhere", "MRN5550123")
    content = path.read_bytes()
    assert b"Elsewhere" not in content
    assert b"5550123" not in content
    assert code.encode() not in content


def test_ids_of_one_length_or_another_make_records_of_one_length(path):
    sizes = []
    with opened(path) as table:
        for patient in ("1", "1234567890"):
            before = path.stat().st_size
            table.code_for("", patient)
            sizes.append(path.stat().st_size - before)
    assert len(set(sizes)) == 1


@POSIX
def test_the_file_is_for_its_owner_alone(path):
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o620)
    with pytest.raises(InputError, match="owner alone") as caught:
        opened(path)
    assert "chmod 600" in caught.value.hint
    assert links_module._check_mode(path, posix=False) is None


def test_a_table_of_another_key_is_refused_and_names_both(path, tmp_path):
    with pytest.raises(InputError, match=Pseudonyms(KEY).key_id) as caught:
        LinkTable(path, OTHER, secrets.token_bytes)
    assert Pseudonyms(OTHER).key_id in caught.value.message


def test_a_renamed_key_id_does_not_open_a_table_of_another_key(path):
    with opened(path) as table:
        table.code_for("", "1")
    names = [Pseudonyms(key).key_id.encode() for key in (KEY, OTHER)]
    path.write_bytes(path.read_bytes().replace(*names))
    with pytest.raises(InputError, match="Link 1 of the link table cannot be opened"):
        LinkTable(path, OTHER, secrets.token_bytes)


@pytest.mark.parametrize("place", [60, 130, 200, -1])
def test_a_changed_byte_is_found(path, place):
    with opened(path) as table:
        for number in range(3):
            table.code_for("", str(number))
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"link table|Link"):
        opened(path)


def test_a_record_that_was_left_out_or_moved_is_found(path):
    marks = [path.stat().st_size]
    with opened(path) as table:
        for number in range(3):
            table.code_for("", str(number))
            marks.append(path.stat().st_size)
    content = path.read_bytes()
    head, *records = (content[a:b] for a, b in zip([0, *marks], marks, strict=False))
    path.write_bytes(head + records[0] + records[2])
    with pytest.raises(InputError, match="Link 2"):
        opened(path)
    path.write_bytes(head + records[1] + records[0] + records[2])
    with pytest.raises(InputError, match="Link 1"):
        opened(path)


def test_what_a_killed_process_did_not_finish_is_cut_off(path):
    with opened(path) as table:
        code = table.code_for("", "1")
        size = path.stat().st_size
        table.code_for("", "2")
    whole = path.read_bytes()
    for length in (size + 1, size + 5, len(whole) - 1):
        path.write_bytes(whole[:length])
        with opened(path, writable=False) as table:
            assert (len(table), [link.code for link in table.links()]) == (1, [code])
        with opened(path) as table:
            assert path.stat().st_size == size
            again = table.code_for("", "2")
        with opened(path) as table:
            assert table.known("", "2") == again


def test_zeros_where_the_power_went_are_no_links(path):
    with opened(path) as table:
        table.code_for("", "1")
    with path.open("ab") as stream:
        stream.write(bytes(300))
    with opened(path) as table:
        assert len(table) == 1
    path.write_bytes(path.read_bytes() + b"\xff" * 300)
    with pytest.raises(InputError, match="impossible length"):
        opened(path)


def test_a_second_writer_is_refused_and_readers_are_not(path):
    with opened(path) as table:
        code = table.code_for("", "1")
        with pytest.raises(SaveError, match="one at a time") as caught:
            opened(path)
        assert "Wait" in caught.value.hint
        with opened(path, writable=False) as reader:
            assert reader.known("", "1") == code
    opened(path).close()


def test_a_writer_in_another_process_is_refused(path):
    program = (
        "import sys, secrets; from pathlib import Path;"
        "from napari_medlabel.deid.keys.table import LinkTable;"
        "from napari_medlabel.errors import SaveError\n"
        "try: LinkTable(Path(sys.argv[1]), bytes(range(32)), secrets.token_bytes)\n"
        "except SaveError: print('refused')"
    )
    with opened(path):
        ran = subprocess.run(
            [sys.executable, "-c", program, path], capture_output=True, check=True, text=True
        )
    assert ran.stdout == "refused\n"


def test_a_table_for_reading_gives_codes_and_keeps_none(path):
    before = path.read_bytes()
    with opened(path, writable=False) as table:
        code = table.code_for("", "1")
        assert table.code_for("", "1") == code
        table.sync()
        with pytest.raises(SaveError, match="for reading only"):
            table.add(Link("", "2", "P-00000000"))
    assert path.read_bytes() == before


def test_a_missing_table_is_refused_and_the_hint_says_what_belongs_together(tmp_path):
    with pytest.raises(StaleLinksError, match="not beside it") as caught:
        opened(tmp_path / "none.links", writable=False)
    assert "copy both" in caught.value.hint
    assert caught.value.exit_code == 3


def test_what_is_no_table_is_refused(tmp_path, path):
    with pytest.raises(InputError, match="is none"):
        opened(tmp_path, writable=False)
    for text in (b"", b"{}\n", b'{"format":"x","version":1,"kid":"0","salt":"0"}\n', b"\xff\n"):
        path.write_bytes(text)
        with pytest.raises(InputError, match="is none"):
            opened(path)
    path.write_bytes(b'{"format":"medlabel-links","version":2,"kid":"0","salt":"0"}\n')
    with pytest.raises(InputError, match="of another"):
        opened(path)


def test_a_table_that_cannot_be_read_or_looked_up_is_refused(path, monkeypatch):
    def shut(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", shut)
        with pytest.raises(InputError, match="Permission denied"):
            opened(path)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", shut)
        with pytest.raises(InputError, match="Permission denied"):
            links_module._check_mode(path)
        with pytest.raises(InputError, match="Permission denied"):
            links_module._is_empty_table(path)
    opened(path).close()  # the lock was let go


def test_a_table_that_cannot_be_opened_for_writing_is_refused_at_once(path, monkeypatch):
    real = os.open

    def read_only(file: object, flags: int, *mode: int) -> int:
        if str(file).endswith(".links"):
            raise OSError(30, "Read-only file system")
        return real(file, flags, *mode)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", read_only)
        with pytest.raises(SaveError, match="read-only"):
            opened(path)
    opened(path).close()


def test_a_full_disk_gives_no_code_and_leaves_the_table_whole(path, monkeypatch):
    with opened(path) as table:
        code = table.code_for("", "1")
        real = os.write

        def full(handle: int, data: bytes) -> int:
            if len(data) > 40:
                return real(handle, data[:40])
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            with pytest.raises(SaveError, match="disk is full"):
                table.code_for("", "2" * 200)
        assert table.known("", "2" * 200) is None
        later = table.code_for("", "3")
    with opened(path) as table:
        assert [link.code for link in table.links()] == [code, later]


def test_a_half_record_that_cannot_be_cut_off_stops_the_writer(path, monkeypatch):
    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with opened(path) as table:
        code = table.code_for("", "1")
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", broken)
            patched.setattr(os, "ftruncate", broken)
            with pytest.raises(SaveError, match="EIO"):
                table.code_for("", "2")
        with pytest.raises(SaveError, match="changed by another program"):
            table.code_for("", "3")
    with opened(path) as table:
        assert table.known("", "1") == code


def test_another_program_that_writes_is_noticed(path):
    with opened(path) as table:
        table.code_for("", "1")
        with path.open("ab") as stream:
            stream.write(b"x")
        with pytest.raises(SaveError, match="changed by another program"):
            table.code_for("", "2")


def test_a_table_that_was_replaced_meanwhile_is_noticed(path):
    with opened(path) as table:
        table.code_for("", "1")
        copy = path.with_name("copy")
        copy.write_bytes(path.read_bytes())
        copy.replace(path)
        with pytest.raises(SaveError, match="changed by another program"):
            table.code_for("", "2")
        path.unlink()
        with pytest.raises(SaveError, match="ENOENT"):
            table.code_for("", "2")


def test_waiting_for_the_disk_can_be_left_to_the_caller(path, monkeypatch):
    calls = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (calls.append(1), real(handle))[1])
    with opened(path, sync_each=False) as table:
        calls.clear()
        table.code_for("", "1")
        assert not calls
        table.sync()
        assert len(calls) == 1
    with opened(path) as table:
        calls.clear()
        table.code_for("", "2")
        assert len(calls) == 1


def test_a_disk_that_refuses_to_sync_is_said(path, monkeypatch):
    def broken(_handle: int) -> None:
        raise OSError(5, "Input/output error")

    table = opened(path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        with pytest.raises(SaveError, match="EIO"):
            table.close()
    table.close()
    opened(path).close()


def test_very_long_numbers_are_kept_short_and_apart(path):
    with opened(path) as table:
        one, other = table.code_for("", "x" * 9000 + "1"), table.code_for("", "x" * 9000 + "2")
    assert one != other
    assert path.stat().st_size < 2000
    with opened(path) as table:
        assert table.known("", "x" * 9000 + "2") == other


@given(st.lists(st.tuples(st.text(max_size=30), st.text(min_size=1, max_size=30)), max_size=8))
def test_any_text_comes_back(patients):
    with _fresh() as path:
        with opened(path, sync_each=False) as table:
            codes = [table.code_for(*patient) for patient in patients]
        with opened(path) as table:
            assert [table.code_for(*patient) for patient in patients] == codes
            assert table.key_id == Pseudonyms(KEY).key_id


def _fresh() -> object:
    from contextlib import contextmanager
    from tempfile import TemporaryDirectory

    @contextmanager
    def made() -> Iterator[Path]:
        with TemporaryDirectory() as folder:
            begin_links(Path(folder) / "a.links", KEY, secrets.token_bytes)
            yield Path(folder) / "a.links"

    return made()


@given(st.integers(0, 1200), st.binary(max_size=6), st.integers(0, 300))
def test_whatever_is_done_to_the_file_no_code_changes_hands(place, junk, cut):
    with _fresh() as path:
        with opened(path, sync_each=False) as table:
            codes = [table.code_for("", str(number)) for number in range(6)]
        content = path.read_bytes()
        path.write_bytes(content[:place] + junk + content[place + cut :])
        try:
            with opened(path, writable=False) as table:
                found = [link.code for link in table.links()]
        except InputError:
            return
        assert found == codes[: len(found)]


def test_a_table_with_links_is_never_begun_anew(path):
    begin_links(path, OTHER, secrets.token_bytes)
    begin_links(path, KEY, secrets.token_bytes)
    with opened(path) as table:
        table.code_for("", "1")
    before = path.read_bytes()
    with pytest.raises(SaveError, match="is there already"):
        begin_links(path, OTHER, secrets.token_bytes)
    path.write_bytes(bytes(600))
    with pytest.raises(SaveError, match="is there already"):
        begin_links(path, OTHER, secrets.token_bytes)
    assert before


def test_a_table_goes_when_what_belongs_to_it_cannot_be_made(tmp_path):
    path = tmp_path / "a.links"
    with pytest.raises(KeyError), begun_links(path, KEY, secrets.token_bytes):
        raise KeyError
    assert not path.exists()
    begin_links(path, KEY, secrets.token_bytes)


def test_links_lie_beside_their_key():
    assert links_beside(Path("keys/trial.key")) == Path("keys/trial.key.links")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_kill_9_at_any_moment_loses_no_code_that_was_given(tmp_path):
    from tests.deid.kill_links import campaign

    kills = int(os.environ.get("MEDLABEL_KILLS", "20"))
    result = campaign(tmp_path, kills)
    assert result.kills == kills
    assert result.told > kills // 4
    assert (result.lost, result.shared) == (0, 0)
