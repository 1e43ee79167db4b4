"""``medlabel open``: napari with a scan or a study, the panels and the log running."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_medlabel.cli.convert import VALUES
from napari_medlabel.errors import InputError

_USUAL = "rescaled"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``open`` to the command line."""
    text = "annotate a scan in napari, or work in a study: labels, landmarks, saving"
    parser = subparsers.add_parser("open", help=text, description=text)
    parser.add_argument(
        "path",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a folder, a file, a zip file, a DICOMDIR, or the folder of a study",
    )
    parser.add_argument(
        "--series", metavar="N|UID", help="which series, as medlabel info lists them"
    )
    parser.add_argument(
        "--values",
        choices=VALUES,
        default=_USUAL,
        help="what stored values become (default: rescaled)",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="where mask and landmarks go")
    parser.add_argument("--mask", type=Path, metavar="FILE", help="a mask to begin with")
    parser.add_argument(
        "--landmarks", type=Path, metavar="FILE", help="landmarks to begin with"
    )
    parser.add_argument(
        "--scheme",
        metavar="NAME|FILE",
        help="label scheme: abdomen, head, regions, or a JSON file; by default that of the "
        "modality",
    )
    parser.add_argument(
        "--template",
        metavar="NAME|FILE",
        help="landmarks to place: abdomen, head, points, or a JSON file; by default those of "
        "the modality",
    )
    parser.add_argument("--audit", type=Path, metavar="DIR", help="where the audit log goes")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Open scan or study, then the window; bad input is refused before any window shows.

    Returns
    -------
    int
        0 when the window was closed.

    Raises
    ------
    MedlabelError
        When napari is not installed, or the scan or a file cannot be read; of a study, when the
        account is none of its raters', or an option came that is for scans alone.
    """
    from napari_medlabel._optional import require
    from napari_medlabel.model import presets
    from napari_medlabel.project.layout import is_study
    from napari_medlabel.session.opening import Wishes

    window = require("napari_medlabel.widgets.window", extra="qt")
    if any(is_study(path) for path in arguments.path):
        _require_alone(arguments)
        window.annotate_study(arguments.path[0])
        return 0
    wishes = Wishes(
        presets.find_scheme(arguments.scheme) if arguments.scheme else None,
        presets.find_template(arguments.template) if arguments.template else None,
        series=arguments.series,
        folder=arguments.out,
        mask=arguments.mask,
        landmarks=arguments.landmarks,
        values=arguments.values,
    )
    window.annotate(arguments.path, wishes, audit=arguments.audit)
    return 0


def _require_alone(arguments: argparse.Namespace) -> None:
    """Refuse what a study says by itself: its folders, labels, landmarks and log."""
    names = ("series", "out", "mask", "landmarks", "scheme", "template", "audit")
    given = [f"--{name}" for name in names if getattr(arguments, name) is not None]
    if arguments.values != _USUAL:
        given.append("--values")
    if given or len(arguments.path) > 1:
        what = ", ".join(given) or "another path"
        raise InputError(
            f"The folder of a study was expected alone, and with it came {what}.",
            hint="A study has labels, landmarks, folders and a log of its own: "
            "medlabel open STUDY",
        )
