"""The reason that a command takes: a code, and where it is OTHER, a text for the officer."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from napari_medlabel.errors import InputError

_REASONS: Final = (
    "CORRECTION",
    "PROTOCOL",
    "QA_FEEDBACK",
    "WRONG_PATIENT",
    "CONSENT_WITHDRAWN",
    "OTHER",
)
_IN_WORDS: Final = "OTHER"


def add_reason(parser: argparse.ArgumentParser) -> None:
    """Add ``--reason CODE``."""
    parser.add_argument("--reason", required=True, choices=_REASONS, help="why, for the log")


def add_text(parser: argparse.ArgumentParser) -> None:
    """Add ``--text``, ``--text-file`` and ``--scan``."""
    words = parser.add_mutually_exclusive_group()
    words.add_argument(
        "--text",
        help="with OTHER: why, in words for the officer alone; never who the patient is",
    )
    words.add_argument(
        "--text-file", type=Path, metavar="FILE", help="a file that holds the text"
    )
    parser.add_argument(
        "--scan",
        type=Path,
        metavar="PATH",
        help="the mask's scan, against which a text is checked, where it lies elsewhere",
    )


def given_text(arguments: argparse.Namespace) -> str:
    """Return what was given as a text, empty where nothing was.

    Raises
    ------
    InputError
        When it cannot be read, is empty, or goes with another reason than OTHER.
    """
    file: Path | None = arguments.text_file
    if arguments.text is None and file is None:
        return ""
    if arguments.reason != _IN_WORDS:
        raise InputError(
            f"A text was expected with the reason {_IN_WORDS} only, and another reason came.",
            hint=f"Leave the text out where a code says it, or take {_IN_WORDS}.",
        )
    try:
        given = arguments.text if file is None else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(
            "A file with a text in UTF-8 was expected, and it cannot be read as one.",
            hint="Check the name after --text-file, and the file's permissions.",
        ) from err
    text = str(given).strip()
    if not text:
        raise InputError(
            "A text was expected, and it is empty.",
            hint="Say why, or leave --text and --text-file out.",
        )
    return text
