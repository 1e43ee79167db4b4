"""As which values a scan is read: uptake, stored or real-world ones, if its header allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QWidget

from napari_medlabel.io.registry import why_not_as
from napari_medlabel.io.series_info import SeriesInfo

USUAL: Final = "rescaled"
VALUE_WORDS: Final = {
    USUAL: "values as the file gives them",
    "suv-bw": "as SUV (body weight)",
    "suv-lbm": "as SUV (lean body mass)",
    "suv-bsa": "as SUV (body surface)",
    "real-world": "as real-world values",
    "philips-precise": "as Philips' precise values",
    "stored": "as stored, unscaled",
}
"""What each of `registry.VALUES` is to a person, in the order of the list."""

Reasons = Mapping[str, str]


def reasons_of(info: SeriesInfo) -> dict[str, str]:
    """Return for each kind of values why a series cannot be read so; empty where it can.

    It reads a header: in a thread.
    """
    return {values: why_not_as(info, values) for values in VALUE_WORDS}


class ValuesBox(QComboBox):
    """Lists what a scan can be read as; what its header does not allow is grey and says why."""

    values_requested = Signal(str)
    """What a person chose."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        for values, words in VALUE_WORDS.items():
            self.addItem(words, values)
        self.setAccessibleName("As which values the scan is read")
        # As narrow as the dock needs it.
        policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.setSizeAdjustPolicy(policy)
        self.setMinimumContentsLength(12)
        self.activated.connect(lambda _row: self.values_requested.emit(self.values))
        self.show_none("Open a scan first")

    @property
    def values(self) -> str:
        """What is chosen."""
        return str(self.currentData())

    def show_none(self, why: str, values: str = USUAL) -> None:
        """Show what is chosen and that nothing else can be, with the reason."""
        self.setCurrentIndex(self.findData(values))
        self.setEnabled(False)
        self.setToolTip(why)

    def show_reasons(self, reasons: Reasons, values: str) -> None:
        """Offer what has no reason against it; what was wanted and cannot be is not kept.

        Parameters
        ----------
        reasons : mapping of str to str
            As `reasons_of` returned them.
        values : str
            What is wanted.
        """
        usual = "What the stored numbers are turned into, by the header"
        model = self.model()
        for row in range(self.count()):
            why = reasons.get(str(self.itemData(row)), "")
            flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
            model.setData(model.index(row, 0), why or usual, Qt.ItemDataRole.ToolTipRole)
            item = model.item(row)
            item.setFlags(Qt.ItemFlag.NoItemFlags if why else flags)
        self.setCurrentIndex(self.findData(USUAL if reasons.get(values) else values))
        able = [one for one in VALUE_WORDS if not reasons.get(one)]
        self.setEnabled(len(able) > 1)
        told = dict.fromkeys(why for why in reasons.values() if why)
        self.setToolTip("\n".join((usual, *(f"Not offered: {why}" for why in told))))
