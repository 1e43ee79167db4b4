"""What to de-identify, where to, with which options and key: the form of the panel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.deid.rules.option_words import KEEPS, OPTION_WORDS
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import Profile, load_profile
from napari_medlabel.errors import InputError

_EXCLUDE = {
    Option.RETAIN_DATES: Option.SHIFT_DATES,
    Option.SHIFT_DATES: Option.RETAIN_DATES,
}


@dataclass(frozen=True)
class Choice:
    """What the form says.

    Parameters
    ----------
    source : Path
        A folder or a file.
    target : Path or None
        A new or empty folder; None while it is not chosen.
    profile : Profile
        With options and site rules.
    key : str or None
        A file or ``keyring:NAME``; None for the user's own.
    brain_masks : Path or None
        Folder with masks of brains, for removing faces.
    """

    source: Path
    target: Path | None
    profile: Profile
    key: str | None
    brain_masks: Path | None = None


class PathRow(QWidget):
    """A line for a path, and a button that asks for one."""

    changed = Signal()

    def __init__(self, hint: str, asks: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = QLineEdit()
        self.line.setPlaceholderText(hint)
        self.line.setAccessibleName(asks)
        self.button = QPushButton("…")
        self.button.setFixedWidth(30)
        self.button.setToolTip(asks)
        self.button.setAccessibleName(asks)
        self._asks = asks
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.line, 1)
        row.addWidget(self.button)
        self.line.textChanged.connect(self.changed)
        self.button.clicked.connect(self.ask)

    @property
    def path(self) -> Path | None:
        """The path, None where the line is empty."""
        text = self.line.text().strip()
        return Path(text).expanduser() if text else None

    def ask(self) -> None:
        """Ask for a folder."""
        path = QFileDialog.getExistingDirectory(self, self._asks)
        if path:
            self.line.setText(path)


class FileRow(PathRow):
    """A path row that asks for a file."""

    def ask(self) -> None:
        """Ask for a file."""
        path, _ = QFileDialog.getOpenFileName(self, self._asks)
        if path:
            self.line.setText(path)


class OptionBox(QWidget):
    """One option: a check box, what it does, and what it risks."""

    def __init__(self, option: Option, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        words = OPTION_WORDS[option]
        self.option = option
        self.box = QCheckBox(words.title)
        self.box.setToolTip(f"{option} ({option.code}): {words.does} {words.risk}")
        about = QLabel(f"{words.does} <i>Risk: {words.risk}</i>")
        about.setWordWrap(True)
        about.setIndent(22)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(1)
        column.addWidget(self.box)
        column.addWidget(about)


class SetupForm(QWidget):
    """Asks what to do; knows neither napari nor the engine's work."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source = PathRow("folder of scans", "Choose the folder to de-identify")
        self.target = PathRow("new or empty folder", "Choose a new or empty folder")
        self.key = FileRow("your own, made when there is none", "Choose a project key")
        self.site = FileRow("none", "Choose a file of site rules (TOML)")
        self.brains = PathRow(
            "none; for Remove faces", "Choose a folder of brain masks (NIfTI)"
        )
        self.options = {option: OptionBox(option) for option in Option}
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for name, row in (
            ("From", self.source),
            ("To", self.target),
            ("Key", self.key),
            ("Site rules", self.site),
            ("Brain masks", self.brains),
        ):
            form.addRow(name, row)
            row.changed.connect(self.changed)
        column = QVBoxLayout(self)
        column.addLayout(form)
        basic = QLabel(
            "Without an option everything goes that the Basic Profile of DICOM PS3.15 names; "
            "text stays only where its words are on a list."
        )
        basic.setWordWrap(True)
        column.addWidget(basic)
        keeps = [option for option in Option if option in KEEPS]
        others = [option for option in Option if option not in KEEPS]
        column.addWidget(self._group("Let more stay", keeps))
        column.addWidget(self._group("Clean instead of remove, and clean pixels", others))
        column.addStretch(1)

    def _group(self, title: str, options: Iterable[Option]) -> QGroupBox:
        group = QGroupBox(title)
        column = QVBoxLayout(group)
        for option in options:
            row = self.options[option]
            row.box.toggled.connect(lambda on, which=option: self._toggled(which, on=on))
            column.addWidget(row)
        return group

    def _toggled(self, option: Option, *, on: bool) -> None:
        """Two options exclude each other: the last click wins."""
        other = _EXCLUDE.get(option)
        if on and other is not None:
            self.options[other].box.setChecked(False)
        self.changed.emit()

    @property
    def chosen(self) -> frozenset[Option]:
        """The options that are checked."""
        return frozenset(option for option, row in self.options.items() if row.box.isChecked())

    def profile(self) -> Profile:
        """Return the profile that the form describes.

        Raises
        ------
        InputError
            For site rules that are not understood.
        """
        return load_profile(options=self.chosen, site=self.site.path)

    def choice(self, *, writes: bool) -> Choice:
        """Return what the form says.

        Parameters
        ----------
        writes : bool
            Whether a target is needed.

        Raises
        ------
        InputError
            When a path is missing, or site rules are not understood.
        """
        source, target = self.source.path, self.target.path
        if source is None:
            raise InputError("A folder to de-identify is needed.", hint="Choose it under From.")
        if writes and target is None:
            raise InputError(
                "A folder to write to is needed.",
                hint="Choose a new or empty folder under To.",
            )
        key = self.key.line.text().strip() or None
        return Choice(source, target, self.profile(), key, self.brains.path)
