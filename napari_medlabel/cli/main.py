"""``medlabel``: finds the subcommand, prints errors as a message and a hint, exits rightly."""

from __future__ import annotations

import argparse
import contextlib
import errno
import importlib
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Final, TextIO

from napari_medlabel import __version__
from napari_medlabel.cli.unblinding import refuse_unblinding
from napari_medlabel.errors import InputError, MedlabelError

COMMANDS: Final = (
    "demo",
    "open",
    "info",
    "convert",
    "mask",
    "landmarks",
    "deid",
    "scan",
    "sign",
    "project",
    "export",
    "verify",
    "audit",
)
"""Each is a module beside this one with ``add_parser`` and ``run``."""
_OF_MANY: Final = ("project", "audit")
"""Commands that have one module for each of their own commands."""


def build_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser with all subcommands, or with the one that arguments begin with.

    Parameters
    ----------
    words : sequence of str, optional
        Arguments. Where the first names a command no other command is imported, which is
        most of the time that a short command takes; nothing that is said depends on it.
    """
    parser = argparse.ArgumentParser(
        prog="medlabel",
        description="Label, landmark, de-identify and audit medical volumes. "
        "Not a medical device.",
        epilog="Exit codes: 0 done; 2 the input or the command is wrong; 3 refused by a gate; "
        "4 the log is amber; 5 the log is red; 1 a fault in the program.",
    )
    parser.add_argument("--version", action="version", version=f"medlabel {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in words[:1] if words and words[0] in COMMANDS else COMMANDS:
        module = importlib.import_module(f"napari_medlabel.cli.{name}")
        if name in _OF_MANY:
            module.add_parser(subparsers, words[1:])
        else:
            module.add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; those of the process when None.

    Returns
    -------
    int
        The exit code.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    parser = build_parser(words)
    if "" in words:
        # An empty path means "here": with an unset shell variable nobody meant that.
        parser.error("an argument is empty, as from a shell variable that is not set")
    arguments = parser.parse_args(_joined(words))
    # Somebody may read only our first lines, as in "| head": the exit code stays what it is.
    with contextlib.redirect_stdout(_Pipe(sys.stdout)):
        return _run(arguments)


def _joined(words: list[str]) -> list[str]:
    """Return the arguments with two words that name one command, ``deid link``, as one."""
    if words[1:2] and words[0] in ("deid", "sign"):
        module = importlib.import_module(f"napari_medlabel.cli.{words[0]}")
        if words[1] in module.UNDER:
            return [f"{words[0]} {words[1]}", *words[2:]]
    return words


def _run(arguments: argparse.Namespace) -> int:
    try:
        refuse_unblinding(arguments)
        return int(arguments.run(arguments))
    except MedlabelError as err:
        print(f"medlabel: {err.message}", file=sys.stderr)
        if err.hint:
            print(f"hint: {err.hint}", file=sys.stderr)
        return err.exit_code
    except OSError as err:
        return _say_os_error(err)
    except KeyboardInterrupt:
        print("medlabel: stopped.", file=sys.stderr)
        return 130
    except Exception as err:  # noqa: BLE001 - the last door: a fault of ours, said without values
        _say_fault(err)
        return 1


class _Pipe(io.TextIOBase):
    """Passes text on until nobody reads it any more.

    Parameters
    ----------
    stream : TextIO
        The real output.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._is_read = True

    def write(self, text: str) -> int:
        """Write, unless the reader has gone."""
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush, unless the reader has gone."""
        self._try(self._stream.flush)

    def isatty(self) -> bool:
        """Tell whether a person looks at the real output."""
        return self._stream.isatty()

    def close(self) -> None:
        """Flush; the real output is not ours to close."""
        self.flush()

    def _try(self, action: Callable[[], object]) -> None:
        if not self._is_read:
            return
        try:
            action()
        except BrokenPipeError:
            self._is_read = False
            # What Python flushes at its end must not fail either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


def _say_os_error(err: OSError) -> int:
    """Say what the system refused, without the path that its text carries."""
    name = errno.errorcode.get(err.errno, "unknown") if err.errno else type(err).__name__
    print(
        f"medlabel: The system refused to read or write something (error {name}).\n"
        "hint: Check the paths given, their length and permissions, and the disk.",
        file=sys.stderr,
    )
    _show_details(err)
    return InputError.exit_code


def _say_fault(err: Exception) -> None:
    """Name a fault by class and place: its text may quote a patient's header."""
    place = traceback.extract_tb(err.__traceback__)[-1]
    print(
        f"medlabel: a fault in the program ({type(err).__name__}, {place.name}, line "
        f"{place.lineno}).\nhint: Please report it. MEDLABEL_DEBUG=1 shows the details; they "
        "may name a patient.",
        file=sys.stderr,
    )
    _show_details(err)


def _show_details(err: Exception) -> None:
    """Show where it came from, to who asks for that: it may name a patient."""
    if os.environ.get("MEDLABEL_DEBUG") == "1":
        traceback.print_exception(err)
