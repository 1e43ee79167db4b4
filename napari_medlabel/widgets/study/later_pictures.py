"""Pictures of a text that come later: their room is kept while a thread reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from qtpy.QtCore import QSize, QUrl
from qtpy.QtGui import QImage, QImageIOHandler, QImageReader, QTextDocument
from qtpy.QtWidgets import QTextBrowser

from napari_medlabel.errors import MedlabelError
from napari_medlabel.widgets.background import Background

_SQUARE_PX: Final = 16
_LARGEST_PX: Final = 50_000_000  # more would take all memory
_GREY: Final = 0x909090
_IMAGE: Final = int(QTextDocument.ResourceType.ImageResource.value)
_TURNED: Final = QImageIOHandler.Transformation.TransformationRotate90


class LaterPictures:
    """Reads the pictures of a page's text one after the other, and puts them in.

    Fifty of 2 MB took 0.8 s of the window's thread.

    Parameters
    ----------
    page : QTextBrowser
        Where they are shown.
    """

    def __init__(self, page: QTextBrowser) -> None:
        self._page = page
        self._reader = Background(page)
        self._waiting: list[tuple[QUrl, Path, int]] = []
        self._text: QTextDocument | None = None

    @property
    def are_there(self) -> bool:
        """Whether none is waited for."""
        return not self._waiting and not self._reader.is_busy

    def begin(self, text: QTextDocument) -> None:
        """Serve another text; what was to come of the one before does not."""
        self._text = text
        self._waiting = []

    def hold(self, name: QUrl, path: Path, wide_px: int) -> QImage:
        """Return what stands for a picture until it is read, as large as it will be.

        Parameters
        ----------
        name : QUrl
            What the text calls it.
        path : Path
            Its file.
        wide_px : int
            How wide it is at most.
        """
        reader = _reader(path, wide_px)
        size = reader.size()
        if not size.isValid() or size.width() * size.height() > _LARGEST_PX:
            return square()
        room = reader.scaledSize() if reader.scaledSize().isValid() else size
        self._waiting.append((QUrl(name), path, wide_px))
        self._reader.when_free(self._next)
        return _grey(room.transposed() if reader.transformation() & _TURNED else room)

    def _next(self) -> None:
        if self._reader.is_busy or not self._waiting:
            return
        text = self._text
        name, path, wide_px = self._waiting.pop(0)

        def done(image: QImage) -> None:
            if text is not self._text or text is None or image.isNull():
                return
            text.addResource(_IMAGE, name, image)
            view = self._page.viewport()
            if view is not None:
                view.update()

        self._reader.run(lambda: _reader(path, wide_px).read(), done, _stays_grey)
        self._reader.when_free(self._next)


def _reader(path: Path, wide_px: int) -> QImageReader:
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid() and size.width() > wide_px:
        reader.setScaledSize(QSize(wide_px, max(1, size.height() * wide_px // size.width())))
    return reader


def _stays_grey(_err: MedlabelError) -> None:
    """Leave its room as it is: the reader of images has no errors of ours."""


def square() -> QImage:
    """Return what stands for a picture that is not there."""
    return _grey(QSize(_SQUARE_PX, _SQUARE_PX))


def _grey(size: QSize) -> QImage:
    image = QImage(size, QImage.Format.Format_RGB32)
    image.fill(_GREY)
    return image
