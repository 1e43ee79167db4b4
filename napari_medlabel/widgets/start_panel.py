"""The start: open a folder, a file or a sample, or de-identify a folder."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_medlabel import samples
from napari_medlabel.errors import InputError


class StartPanel(QWidget):
    """Asks for a scan; knows neither napari nor the session."""

    paths_requested = Signal(list)
    deid_requested = Signal()
    study_requested = Signal(str)
    """Sit down at the study in a folder."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        words = QLabel(
            "Open a scan to annotate it: a folder of DICOM files, a zip of one, or a NIfTI, "
            "NRRD or MetaImage file. It may also be dropped on the window."
        )
        words.setWordWrap(True)
        self.folder_button = QPushButton("Open a folder…")
        self.folder_button.clicked.connect(self._ask_folder)
        self.file_button = QPushButton("Open a file…")
        self.file_button.clicked.connect(self._ask_file)
        self.study_button = QPushButton("Open a study…")
        self.study_button.setToolTip("A folder that several people share: worklist, readings")
        self.study_button.clicked.connect(self._ask_study)
        self.sample_button = QPushButton("Try the sample CT")
        self.sample_button.clicked.connect(self._sample)
        self.deid_button = QPushButton("De-identify a folder…")
        self.deid_button.clicked.connect(self.deid_requested)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (
            words,
            self.folder_button,
            self.file_button,
            self.study_button,
            self.sample_button,
        ):
            layout.addWidget(part)
        layout.addSpacing(10)
        layout.addWidget(self.deid_button)

    def _ask_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Open a folder of DICOM files")
        if path:
            self.paths_requested.emit([path])

    def _ask_study(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Open the folder of a study")
        if path:
            self.study_requested.emit(path)

    def _ask_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a scan")
        if path:
            self.paths_requested.emit([path])

    def _sample(self) -> None:
        try:
            path = samples.path("ct_abdomen")
        except InputError as err:
            self.sample_button.setText(f"{err.message} {err.hint}")
            self.sample_button.setEnabled(False)
            return
        self.paths_requested.emit([str(path)])
