"""What takes an attribute's place, as plain values: pydicom is started for odd files only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_medlabel.deid.rules.dictionary import tag_and_vr

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

Item = Mapping[str, Any]
"""Value by keyword: text, numbers, bytes, or a tuple of items in a sequence."""


@dataclass(frozen=True)
class Made:
    """An attribute that is written.

    Parameters
    ----------
    tag : int
        0xGGGGEEEE.
    vr : str
        Its VR.
    value : object
        Text or a list of texts, a number or a list of numbers, bytes, a tuple of `Item` in
        a sequence; None for no value.
    as_found : bool
        Whether the value is bytes of the file that nobody decodes.
    """

    tag: int
    vr: str
    value: Any = field(default=None, repr=False)
    as_found: bool = False

    @property
    def element(self) -> DataElement:
        """The same as pydicom's data element."""
        from pydicom.dataelem import DataElement
        from pydicom.sequence import Sequence

        if self.vr == "SQ":
            items = Sequence([dataset_of(item) for item in self.value or ()])
            return DataElement(self.tag, "SQ", items)
        if self.as_found:
            return DataElement(self.tag, self.vr, self.value, already_converted=True)
        return DataElement(self.tag, self.vr, self.value, validation_mode=0)


def made(keyword: str, value: Any) -> Made:
    """Return a standard attribute with a value."""
    tag, vr = tag_and_vr(keyword)
    return Made(tag, vr, value)


def dataset_of(item: Item) -> Dataset:
    """Return an item as pydicom's data set."""
    from pydicom.dataset import Dataset

    result = Dataset()
    for keyword, value in item.items():
        result.add(made(keyword, value).element)
    return result
