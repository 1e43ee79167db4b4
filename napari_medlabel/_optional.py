"""The one door to optional packages: import them, or say what to install."""

from __future__ import annotations

import importlib
from types import ModuleType

from napari_medlabel.errors import MissingPackageError


def require(module: str, *, extra: str) -> ModuleType:
    """Import an optional package.

    Parameters
    ----------
    module : str
        Dotted name of the module to import.
    extra : str
        The extra of napari-medlabel that installs it.

    Returns
    -------
    ModuleType
        The module.

    Raises
    ------
    MissingPackageError
        When it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as err:
        missing = (err.name or module).partition(".")[0]
        if missing == __package__:
            # A module of our own is missing: that is a fault, not a package to install.
            raise
        raise MissingPackageError(
            f"This needs the package '{missing}', which is not installed.",
            hint=f"Install it with: pip install 'napari-medlabel[{extra}]', or in a checkout: "
            f"pip install '.[{extra}]'",
        ) from err
