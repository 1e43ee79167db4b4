from __future__ import annotations

from io import BytesIO

from napari_medlabel.deid.scan import file


def test_parts_of_pixels_overlap_and_end_where_a_file_does():
    content = bytes(range(256)) * 5000
    parts = [bytes(part) for part in file._chunks(BytesIO(content), 6, len(content))]
    assert len(parts) == 2
    assert parts[0][-256:] == parts[1][:256]
    assert parts[0] + parts[1][256:] == content[6:]
    assert list(file._chunks(BytesIO(content), 6, 0)) == []
