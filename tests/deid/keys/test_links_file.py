from __future__ import annotations

from io import BytesIO

import pytest

from napari_medlabel.deid.keys.links_file import Codec, Link, is_bare_head, new_head, read_head
from napari_medlabel.errors import InputError

KEY = bytes(range(32))
SALT = bytes(16)
LINKS = [Link("Clinic", "MRN1", "P-00000001"), Link("", "é", "P-00000002", is_current=False)]


def table() -> tuple[bytes, Codec]:
    head = new_head("01234567", SALT)
    codec = read_head(BytesIO(head), "01234567", KEY)
    content, place = head, codec.start()
    for number, link in enumerate(LINKS):
        record, place = codec.seal(link, bytes([number]) * 12, place)
        content += record
    return content, codec


def test_what_is_sealed_is_opened_in_order():
    content, codec = table()
    stream = BytesIO(content)
    read_head(stream, "01234567", KEY)
    found = list(codec.records(stream))
    assert [link for link, _ in found] == LINKS
    assert [place.count for _, place in found] == [1, 2]
    assert found[-1][1].offset == len(content)


def test_two_tables_of_one_key_do_not_open_each_others_records():
    content, _ = table()
    other = read_head(BytesIO(new_head("01234567", b"\1" * 16)), "01234567", KEY)
    stream = BytesIO(content)
    stream.readline()
    with pytest.raises(InputError, match="Link 1"):
        list(other.records(stream))


def test_a_head_alone_is_an_empty_table():
    head = new_head("01234567", SALT)
    assert is_bare_head(head)
    assert not is_bare_head(table()[0])
    assert not is_bare_head(b"{}\n")
    assert not is_bare_head(b"[]\n")
    assert not is_bare_head(b"")


@pytest.mark.parametrize(
    "change", [(b'"version":1', b'"version":9'), (b"01234567", b"0123456x")]
)
def test_a_head_of_another_version_is_refused(change):
    with pytest.raises(InputError, match="version 1 was expected"):
        read_head(BytesIO(new_head("01234567", SALT).replace(*change)), "01234567", KEY)


def test_a_link_does_not_show_whose_it_is():
    assert repr(LINKS[0]) == "Link()"
