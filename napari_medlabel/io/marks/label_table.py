"""Label tables: what the numbers of a mask mean, as other programs write it beside the mask.

ITK-SNAP label descriptions, FreeSurfer and Slicer colour tables, BIDS and Slicer tables with a
heading, JSON (our own sidecar, nnU-Net), and the LabelTable that NIfTI headers may carry.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.marks.found import NameList, colour_of
from napari_medlabel.model.labelmap import Code, Label, LabelScheme
from napari_medlabel.model.terminology import concepts

_LARGEST_FILE: Final = 8 << 20
_LARGEST: Final = 65535
_SNAP: Final = re.compile(
    r'^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+[\d.eE+-]+\s+[01]\s+[01]\s+"(.*)"\s*$'
)
_LUT: Final = re.compile(r"^\s*(\d+)\s+(\S.*?)\s+(\d+)\s+(\d+)\s+(\d+)(?:\s+(\d+))?\s*$")
_XML_LABEL: Final = re.compile(r"<Label\s([^>]*)>(.*?)</Label>", re.DOTALL)
_XML_ATTRIBUTE: Final = re.compile(r"""(\w+)\s*=\s*["']([^"']*)["']""")
_HEX: Final = re.compile(r"#?([0-9a-fA-F]{6})(?:[0-9a-fA-F]{2})?")
_VALUES: Final = ("index", "labelvalue", "value", "label_value", "id", "label", "no")
_NAMES: Final = ("name", "label_name", "labelname", "structure", "type_codemeaning", "region")
_FURTHER: Final[Mapping[str, str]] = {
    "category": "category",
    "modifier": "typemodifier",
    "region": "region",
    "region_modifier": "regionmodifier",
}
"""Columns of Slicer's colour table, by the part of a coding that they say."""
_CODE: Final = re.compile(
    r"(?=[^:]*[A-Za-z])([A-Za-z0-9_.-]{1,16}):"
    r"((?!/)[^\s:\"\x00-\x1f\x7f-\x9f]{1,64})"
)
_HINT: Final = "See docs/reference/files.md for the tables that are read."


@dataclass(frozen=True)
class LabelTable:
    """A label table with all that it says, and nothing that it does not.

    Parameters
    ----------
    scheme : LabelScheme
        Its labels; those without a colour have one of ours.
    coloured : frozenset of int
        Values of the labels whose colour the table says.
    codes : mapping of int to mapping of str to Code
        By value, what it says beside the type: ``category``, ``modifier``, ``region`` and
        ``region_modifier``, each only where it is said.
    """

    scheme: LabelScheme
    coloured: frozenset[int]
    codes: Mapping[int, Mapping[str, Code]]


@dataclass(frozen=True)
class _Row:
    value: int
    name: str
    rgb: tuple[float, float, float] | None = None
    code: Code | None = None
    further: Mapping[str, Code] = field(default_factory=dict)


def read_label_table(path: Path) -> LabelScheme:
    """Read a label table of any known kind; the background (0) is left out.

    Parameters
    ----------
    path : Path
        ``.txt``, ``.label``, ``.ctab``, ``.ctbl``, ``.tsv``, ``.csv``, ``.json`` or ``.xml``;
        its content decides.

    Raises
    ------
    InputError
        When it is none, or a number or a name stands twice.
    """
    return parse_label_table(_text_of(path))


def read_coded_table(path: Path) -> LabelTable:
    """Read a label table as `read_label_table` does, and tell what it says and what not.

    Raises
    ------
    InputError
        As there.
    """
    text = _text_of(path)
    scheme = parse_label_table(text)
    if _is_json(text):
        own = _own_scheme(text) is not None
        return LabelTable(scheme, frozenset(scheme.values if own else ()), {})
    rows = _rows_of(text)
    coloured = frozenset(row.value for row in rows if row.rgb is not None)
    return LabelTable(scheme, coloured, {row.value: row.further for row in rows})


def code_as_text(code: Code) -> str:
    """Return a code as it stands in the column ``code``, ``SCT:10200004``.

    Empty where scheme or value have signs that this form cannot hold.
    """
    text = f"{code.scheme}:{code.value}"
    return text if _CODE.fullmatch(text) else ""


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(_LARGEST_FILE + 1)
    except OSError as err:
        raise InputError(
            "The label table cannot be opened.",
            hint="Check that it exists and that you may read it.",
        ) from err
    if len(raw) > _LARGEST_FILE or b"\0" in raw:
        raise InputError("A label table is a short text; this file is none.", hint=_HINT)
    return raw.decode("utf-8-sig", errors="replace")


def parse_label_table(text: str) -> LabelScheme:
    """Understand the text of a label table; see `read_label_table`.

    Raises
    ------
    InputError
        As there.
    """
    if _is_json(text):
        own = _own_scheme(text)
        return own if own is not None else _scheme(_json_rows(text))
    return _scheme(_rows_of(text))


def _is_json(text: str) -> bool:
    return text.lstrip().startswith(("{", "["))


def _rows_of(text: str) -> list[_Row]:
    for rows_of in (_xml_rows, _snap_rows, _headed_rows, _lut_rows):
        rows = list(rows_of(text))
        if rows:
            return rows
    raise InputError(
        "This is no label table: expected lines with a number, a name and perhaps a colour.",
        hint=_HINT,
    )


def only_used(scheme: LabelScheme, values: Iterable[int], *, longest: int = 100) -> LabelScheme:
    """Return a long scheme with the labels that occur alone; a short one as it is.

    A table of all structures of an atlas has more than a thousand, a mask a few of them.
    """
    if len(scheme.labels) <= longest:
        return scheme
    used = set(values)
    return LabelScheme(scheme.name, tuple(one for one in scheme.labels if one.value in used))


def _scheme(rows: Iterable[_Row]) -> LabelScheme:
    names = NameList()
    labels = []
    for row in rows:
        if row.value == 0:
            continue
        if not 1 <= row.value <= _LARGEST:
            raise InputError(
                f"Labels are whole numbers from 1 to {_LARGEST}; the table goes beyond.",
                hint="Renumber the labels of table and mask.",
            )
        name = names.own(row.name, f"Label {row.value}")
        labels.append(Label(row.value, name, colour_of(row.rgb, row.value), row.code))
    return LabelScheme("Label table", tuple(labels))


def _own_scheme(text: str) -> LabelScheme | None:
    data = _json(text)
    if isinstance(data, Mapping) and isinstance(data.get("scheme"), Mapping):
        return LabelScheme.from_json(data["scheme"])
    rows = data.get("labels") if isinstance(data, Mapping) else None
    if isinstance(rows, list) and all(isinstance(r, Mapping) and "colour" in r for r in rows):
        return LabelScheme.from_json({"name": "Label table", **data})
    return None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as err:
        raise InputError("The label table is not valid JSON.", hint=_HINT) from err


def _json_rows(text: str) -> Iterator[_Row]:
    """Read ``{"labels": {"liver": 1}}`` (nnU-Net), or ``{"1": "liver"}`` the other way."""
    data = _json(text)
    named = isinstance(data, Mapping) and "labels" in data
    pairs = data["labels"] if named else data
    found = []
    if isinstance(pairs, Mapping):
        for key, value in pairs.items():
            # A number by itself may be anything: a scan's own .json is full of them.
            if named and isinstance(value, int) and not isinstance(value, bool):
                found.append(_Row(value, str(key)))
            elif str(key).isdecimal() and isinstance(value, str):
                found.append(_Row(int(key), value))
    if not found:
        raise InputError(
            "The JSON file names no labels: expected a name for each number.", hint=_HINT
        )
    yield from found


def _xml_rows(text: str) -> Iterator[_Row]:
    """Read a LabelTable as in CARET, GIFTI and TotalSegmentator's headers."""
    for attributes, body in _XML_LABEL.findall(text):
        said = {key.lower(): value for key, value in _XML_ATTRIBUTE.findall(attributes)}
        key = said.get("key", said.get("index", ""))
        if not key.isdecimal():
            continue
        name = re.sub(r"^<!\[CDATA\[(.*)\]\]>$", r"\1", body.strip(), flags=re.DOTALL)
        try:
            rgb = tuple(255.0 * float(said[part]) for part in ("red", "green", "blue"))
        except (KeyError, ValueError):
            rgb = ()
        colour = (rgb[0], rgb[1], rgb[2]) if rgb else None
        yield _Row(int(key), html.unescape(name), colour)


def _snap_rows(text: str) -> Iterator[_Row]:
    for line in text.splitlines():
        found = _SNAP.match(line)
        if found:
            red, green, blue = (float(found[n]) for n in (2, 3, 4))
            yield _Row(int(found[1]), found[5], (red, green, blue))


def _lut_rows(text: str) -> Iterator[_Row]:
    for line in text.splitlines():
        found = None if line.lstrip().startswith("#") else _LUT.match(line)
        if found:
            red, green, blue = (float(found[n]) for n in (3, 4, 5))
            yield _Row(int(found[1]), found[2].strip("\"'"), (red, green, blue))


def _headed_rows(text: str) -> Iterator[_Row]:
    """Read a table with a heading: BIDS ``_dseg.tsv``, Slicer's colour table as CSV."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        return
    separator = next((s for s in ("\t", ";", ",") if s in lines[0]), "")
    if not separator:
        return
    try:
        table = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator))
    except csv.Error:
        return
    heading = [cell.strip().lower() for cell in table[0]]
    value_at = next((heading.index(c) for c in _VALUES if c in heading), None)
    name_at = next((heading.index(c) for c in _NAMES if c in heading), None)
    if value_at is None or name_at is None or value_at == name_at:
        return
    for cells in table[1:]:
        row = dict(zip(heading, (cell.strip() for cell in cells), strict=False))
        value = row.get(heading[value_at], "")
        if not value.isdecimal():
            raise InputError(
                "The label table has a row whose number is none.",
                hint="Every row has a whole number from 0 to 65535.",
            )
        name = row.get(heading[name_at], "")
        yield _Row(int(value), name, _rgb(row), _type_code(row, name), _further_codes(row))


def _rgb(row: Mapping[str, str]) -> tuple[float, float, float] | None:
    for column in ("color", "colour", "hex"):
        found = _HEX.fullmatch(row.get(column, ""))
        if found:
            red, green, blue = (int(found[1][n : n + 2], 16) for n in (0, 2, 4))
            return float(red), float(green), float(blue)
    for columns in (
        ("color_r", "color_g", "color_b"),
        ("r", "g", "b"),
        ("red", "green", "blue"),
    ):
        parts = [row.get(column, "") for column in columns]
        if all(re.fullmatch(r"\d+(\.\d*)?", part) for part in parts):
            return float(parts[0]), float(parts[1]), float(parts[2])
    return None


def _type_code(row: Mapping[str, str], name: str) -> Code | None:
    """Return the type, from Slicer's columns or from ``code``: ``SCT:10200004``."""
    found = _code(row, "type", name)
    if found is None:
        said = _CODE.fullmatch(row.get("code", ""))
        found = None if said is None else _named(said[1], said[2], name)
    return found


def _further_codes(row: Mapping[str, str]) -> dict[str, Code]:
    found = {part: _code(row, column) for part, column in _FURTHER.items()}
    return {part: code for part, code in found.items() if code is not None}


def _code(row: Mapping[str, str], column: str, name: str = "") -> Code | None:
    parts = ("codingscheme", "codevalue", "codemeaning")
    scheme, value, meaning = (row.get(f"{column}_{part}", "") for part in parts)
    if any(part in ("", "n/a") for part in (scheme, value)):
        return None  # "n/a" is how BIDS writes that there is nothing
    said = meaning != "n/a" and meaning
    return Code(scheme, value, said) if said else _named(scheme, value, name)


def _named(scheme: str, value: str, name: str) -> Code:
    """Return a code whose meaning is not said: as we know it, else as its label is called."""
    known = (one.code for one in concepts())
    found = next((one for one in known if (one.scheme, one.value) == (scheme, value)), None)
    return Code(scheme, value, name or value) if found is None else found
