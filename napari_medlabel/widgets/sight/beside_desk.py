"""Another scan beside the case, or laid over it on request: read and resampled aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QFileDialog

from napari_medlabel.errors import MedlabelError
from napari_medlabel.io.registry import choose, find_series
from napari_medlabel.io.series_info import SeriesInfo, Survey
from napari_medlabel.model.volume import Volume
from napari_medlabel.plugin.layers import metadata
from napari_medlabel.plugin.sight.beside import relation_words, require_places
from napari_medlabel.plugin.sight.fusion import checkered, fuse, fused_name
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.plugin.windows import initial_window, is_uptake, value_range
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.session.beside import read_beside
from napari_medlabel.session.denial import denials
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.chooser import ask_series
from napari_medlabel.widgets.drops import show_beside
from napari_medlabel.widgets.progress_row import ProgressRow
from napari_medlabel.widgets.sight.beside_panel import BesidePanel
from napari_medlabel.widgets.values_box import Reasons, reasons_of

if TYPE_CHECKING:
    from napari_medlabel.widgets.sight_desk import SightDesk

_STRENGTH: Final = 0.5
_FIELD_MM: Final = 30.0
_SEE: Final = "Show or hide the scan laid over"


class BesideDesk(QObject):
    """Carries out what `BesidePanel` asks for; a part of `SightDesk`.

    Parameters
    ----------
    desk : SightDesk
        Whose part it is.
    """

    def __init__(self, desk: SightDesk) -> None:
        super().__init__(desk)
        self._desk = desk
        self.panel = BesidePanel()
        self.progress = ProgressRow()
        self.background = Background(self)
        self.volume: Volume | None = None
        self.layer: Any = None
        self._case = ""
        self._values: Any = None
        self._views: Views | None = None
        self._read_from: tuple[SeriesInfo, tuple[Path, ...], Reasons] | None = None
        panel = self.panel
        panel.folder_requested.connect(self.ask)
        panel.fuse_requested.connect(self.lay_over)
        panel.blend_requested.connect(self.blend)
        panel.checker_requested.connect(self.show_checker)
        panel.close_requested.connect(self.close)
        panel.values_requested.connect(self.read_as)
        self.background.progressed.connect(self.progress.show_progress)
        self.progress.cancel_requested.connect(self.background.cancel)

    # -- the case ------------------------------------------------------------------------

    def case_opened(self, views: Views) -> None:
        """Begin to serve a case."""
        self._views = views
        pictures = views.session.volume.slices == "pictures"
        self.panel.show_none("Pictures have no place in the patient" if pictures else "")
        keys = views.binding.keys
        if keys.is_free("Alt-O"):
            keys.bind("Alt-O", _SEE, self.toggle_over, group="Views")

    def case_closed(self) -> None:
        """Let go of the case, and of the other scan."""
        self.background.cancel()
        self.progress.end()
        self.close()
        self._views = None

    # -- another scan --------------------------------------------------------------------

    def ask(self) -> None:
        """Ask for a folder, and open what is in it beside the case."""
        folder = QFileDialog.getExistingDirectory(
            self._desk.dock.window(), "Another scan to compare with"
        )
        if folder:
            self.open_paths([Path(folder)])

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Look what is there, then read it; marks go on the open scan as ever."""
        if self._views is None or self.background.is_busy:
            return
        views, tell = self._views, self.background.tell
        try:
            desk = WORKPLACE.desk()
        except MedlabelError as err:
            self._desk.dock.show_error(err)
            return

        def look() -> Survey:
            with denials(desk, paths):
                WORKPLACE.require_blind(paths)
                return find_series(list(paths) if len(paths) > 1 else paths[0], progress=tell)

        self.progress.begin("Looking for another scan …")
        self.background.run(
            look,
            lambda survey: self._found(views, survey, paths),
            self._failed,
            self.progress.end,
        )

    def _found(self, views: Views, survey: Survey, paths: Sequence[Path]) -> None:
        self.progress.end()
        if self._views is not views:
            return
        try:
            if self._may_be_marks(survey, paths):
                show_beside(self._desk.dock.viewer, list(paths))
                return
            several = len(survey.series) > 1
            info = ask_series(survey, self._desk.dock.window()) if several else None
            if several and info is None:
                return
            with denials(WORKPLACE.desk(), paths):
                info = info or choose(survey, None)
        except MedlabelError as err:
            self._failed(err)
            return
        self._read(views, info, paths)

    def _may_be_marks(self, survey: Survey, paths: Sequence[Path]) -> bool:
        """Tell whether this is no scan but marks, or a mask in the form of a scan."""
        from napari_medlabel.plugin.contributions import looks_like_mask

        views = self._views
        if not survey.series and survey.marks:
            return True
        return views is not None and looks_like_mask(survey, paths, views.session.volume)

    def _read(self, views: Views, info: SeriesInfo, paths: Sequence[Path]) -> None:
        desk, tell = WORKPLACE.desk(), self.background.tell
        self.progress.begin("Reading the other scan …")

        def read() -> tuple[Volume, str, Reasons]:
            volume, case = read_beside(info, paths, desk, progress=tell)
            return volume, case, reasons_of(info)

        def done(found: tuple[Volume, str, Reasons]) -> None:
            self.progress.end()
            volume, case, reasons = found
            if self._views is views:
                self.show(volume, case)
                self._read_from = info, tuple(paths), reasons
                self._show_values()

        def stopped() -> None:
            self.progress.end()
            self._show_values()

        self.background.run(read, done, self._failed, stopped)

    def read_as(self, values: str) -> None:
        """Read the scan beside again, as other values; till then it stays as it is shown."""
        views, known = self._views, self._read_from
        if views is None or known is None or self.background.is_busy:
            self._show_values()
            return
        info, paths, _ = known
        if values != info.values:
            self._read(views, replace(info, values=values), paths)

    def _show_values(self) -> None:
        """Show as which values the other scan is read, and what its header allows."""
        known = self._read_from
        if self.volume is not None and known is not None:
            info, _, reasons = known
            self.panel.values.show_reasons(reasons, info.values)

    def show(self, volume: Volume, case: str) -> None:
        """Show another scan beside the case, in a view of its own."""
        views = self._views
        if views is None:
            return
        self.close()
        try:
            require_places(views.display, volume)
        except MedlabelError as err:
            self._failed(err)
            return
        self.volume, self._case = volume, case
        self._remember(views, volume, case)
        words = relation_words(views.session.volume.grid, volume.grid)
        self.panel.show_scan(
            f"{volume.modality or 'Scan'} beside. " + " ".join(words),
            "Colours cannot be laid over" if volume.colour is not None else "",
        )
        self._desk.show_beside()

    @staticmethod
    def _remember(views: Views, volume: Volume, case: str) -> None:
        """Let what leaves the window name this patient too; the case stays the newest scan."""
        own = views.session.place.case
        if case != own:
            WORKPLACE.remember(case, volume, volume.source.files)
        known = WORKPLACE.recall(own)
        if known is not None:
            WORKPLACE.remember(own, *known)

    def open_view(self) -> None:
        """Open the view of the other scan, where there is one without a view."""
        views, volume = self._views, self.volume
        if views is not None and volume is not None and views.beside is None:
            views.open_beside(volume, self._case)

    def close(self) -> None:
        """Take the other scan away."""
        views = self._views
        self._take_off()
        if views is None or self.volume is None:
            return
        own = views.session.place.case
        if self._case != own:
            WORKPLACE.forget(self._case)
        self.volume, self._values, self._read_from = None, None, None
        views.compare(None)
        if views.beside is not None:
            views.close(views.beside)
        self._desk.show_again()
        self.panel.show_none()

    # -- laid over -----------------------------------------------------------------------

    def lay_over(self) -> None:
        """Resample the other scan to the case's grid, off the window, and lay it over."""
        views, volume, tell = self._views, self.volume, self.background.tell
        if views is None or volume is None or self.background.is_busy:
            return
        target = views.session.volume.grid
        self.progress.begin("Resampling the other scan …")

        def done(values: Any) -> None:
            self.progress.end()
            if self._views is views and self.volume is volume:
                self._values = values
                self._lay(values, _STRENGTH)

        self.background.run(
            lambda: fuse(volume, target, tell), done, self._failed, self.progress.end
        )

    def _lay(self, values: Any, strength: float) -> None:
        views, volume = self._views, self.volume
        if views is None or volume is None:
            return
        self._take_off()
        binding, display = views.binding, views.display
        window = initial_window(volume)
        is_hot = volume.modality == "PT" or is_uptake(volume)
        active = binding.viewer.layers.selection.active
        self.layer = binding.viewer.add_image(
            display.show(values),
            name=fused_name(volume, display.grid),
            colormap="inferno" if is_hot else "gray",
            contrast_limits=(window.low, window.high),
            opacity=strength,
            blending="additive" if is_hot else "translucent_no_depth",
            interpolation2d="nearest",
            projection_mode="none",
            metadata=metadata(display, "aside", self._case),
            **display.geometry(),
        )
        self.layer.contrast_limits_range = value_range(volume, window)
        layers = binding.viewer.layers
        layers.move(layers.index(self.layer), layers.index(binding.image) + 1)
        binding.viewer.layers.selection.active = active
        self.panel.show_fused(strength, f"{self.layer.name}: for looking only")

    def _take_off(self) -> None:
        layer, self.layer = self.layer, None
        views = self._views
        if layer is not None and views is not None and layer in views.binding.viewer.layers:
            views.binding.viewer.layers.remove(layer)

    def blend(self, strength: float) -> None:
        """Say how strongly the other scan covers the case, 0 to 1."""
        if self.layer is not None:
            self.layer.opacity = strength

    def toggle_over(self) -> None:
        """Hide what is laid over, or show it again: to and fro shows what changed."""
        if self.layer is not None:
            self.layer.visible = not self.layer.visible

    def show_checker(self, wanted: bool) -> None:
        """Show the other scan in every other field of a checker, or everywhere."""
        views, values = self._views, self._values
        if views is None or values is None or self.layer is None or self.background.is_busy:
            self.panel.checker_box.setChecked(not wanted)
            return
        strength = float(self.layer.opacity)
        if not wanted:
            self._lay(values, strength)
            return
        spacing = views.session.volume.grid.affine.spacing_mm

        def done(made: Any) -> None:
            if self._views is views and self.layer is not None:
                self._lay(made, 1.0)
                self.panel.checker_box.setChecked(True)

        self.background.run(lambda: checkered(values, spacing, _FIELD_MM), done, self._failed)

    def _failed(self, err: MedlabelError) -> None:
        self.progress.end()
        self._show_values()
        self._desk.dock.show_error(err)
