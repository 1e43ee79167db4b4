"""Write docs/reference/cli.md from the help of every subcommand; a test holds them equal."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from napari_medlabel.cli.main import build_parser

TARGET: Final = Path(__file__).parent / "reference" / "cli.md"
HEAD: Final = """# Command line

Written by `python docs/make_cli_reference.py` from the program's own help; a test holds them
equal.

With `--json` one JSON document goes to stdout and nothing else; progress goes to stderr. An
error is one or more lines that begin with `medlabel:` and a line that begins with `hint:`, both
on stderr, with an exit code from [errors](errors.md). No message names a patient.

- `MEDLABEL_AUDIT_DIR`: folder of the audit log; `--audit` goes before it. Without either it is
  `audit` in the user's data folder.
- `MEDLABEL_STATE_DIR`: folder of recovery journals, the log's memory and the token key. Without
  it, the user's state folder.
- `MEDLABEL_DEBUG`: `1` shows the traceback of a fault in the program. It may quote a patient's
  header.
"""


def main() -> None:
    """Write the page."""
    TARGET.write_text(reference(), encoding="utf-8")


def reference() -> str:
    """Return the page: one section for each command, in the order of the help."""
    os.environ["COLUMNS"] = "80"
    sections = [
        f"## {parser.prog}\n\n```\n{parser.format_help().rstrip()}\n```"
        for parser in all_parsers(build_parser())
    ]
    return HEAD + "\n" + "\n\n".join(sections) + "\n"


def all_parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield a parser and, depth first, those of its subcommands."""
    yield parser
    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for below in dict.fromkeys(action.choices.values()):
                yield from all_parsers(below)


if __name__ == "__main__":
    main()
