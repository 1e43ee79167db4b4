"""The one door to optional packages: import them, or say what to install."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
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
        raise _missing(missing, extra) from err


def folder_of(package: str, *, extra: str) -> Path:
    """Return where an optional package lies, without running any of its code.

    Parameters
    ----------
    package : str
        Name of a top-level package.
    extra : str
        The extra of napari-medlabel that installs it.

    Raises
    ------
    MissingPackageError
        When it is not installed.
    """
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise _missing(package, extra)
    return Path(found.origin).parent


def _missing(package: str, extra: str) -> MissingPackageError:
    return MissingPackageError(
        f"This needs the package '{package}', which is not installed.",
        hint=f"Install it with: pip install 'napari-medlabel[{extra}]', or in a checkout: "
        f"pip install '.[{extra}]'",
    )
