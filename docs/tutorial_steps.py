"""Runs what docs/tutorial.md prints, in its order: for its pictures, and for its test."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parent / "tutorial.md"
_BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SHELL: Final = "sh"
# What is another in each study: the token of an account, the letters of a key.
OWN: Final = (re.compile(r"u1-[0-9a-f]{16}"), re.compile(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}\b"))

Program = Callable[[str, Mapping[str, str]], tuple[int, str]]
"""Runs a line of the shell in an environment: exit code, and what was printed."""
Window = Callable[[int, Mapping[str, str]], None]
"""Works in the n-th window of the page, from 1."""


@dataclass(frozen=True)
class Step:
    """A command that was run, and what the page says it prints.

    Parameters
    ----------
    command : str
        As it was run: with this study's own tokens and letters.
    code : int
        Exit code.
    out : str
        What it printed.
    shown : str
        What stands below it on the page; empty for nothing.
    """

    command: str
    code: int
    out: str
    shown: str = ""


@dataclass
class Story:
    """One reader of the page, in a folder with ``sample_scans`` and ``docs``.

    Parameters
    ----------
    run : callable
        Runs a command.
    window : callable
        Does what a person does in the n-th window.
    """

    run: Program
    window: Window
    windows: int = 0
    _terminals: dict[str, dict[str, str]] = field(default_factory=dict)
    _own: dict[re.Pattern[str], str] = field(default_factory=dict)

    def tell(self, text: str) -> Iterator[Step]:
        """Run all commands of a page and yield each."""
        last: Step | None = None
        terminal = ""
        for language, block in _BLOCK.findall(text):
            if language != _SHELL:
                if last is not None:
                    last = Step(last.command, last.code, last.out, block)
                continue
            for command in _commands(block):
                if last is not None:
                    yield last
                    last = None
                if command.startswith("# terminal "):
                    terminal = command
                    continue
                last = self._do(command, self._terminals.setdefault(terminal, {}))
        if last is not None:
            yield last

    def _do(self, command: str, own: dict[str, str]) -> Step | None:
        if found := re.fullmatch(r"export (\w+)=(\S+)", command):
            own[found[1]] = found[2]
            return None
        if command.startswith("medlabel open "):
            self.windows += 1
            self.window(self.windows, own)
            return Step(command, 0, "")
        for kind, known in self._own.items():
            command = kind.sub(known, command)
        code, out = self.run(command, own)
        for kind in OWN:
            if found := kind.search(out):
                self._own[kind] = found[0]
        return Step(command, code, out)


def _commands(block: str) -> Iterator[str]:
    """Split a block into commands; a document in the shell belongs to its line."""
    lines = iter(block.splitlines())
    for line in lines:
        if "<<'END'" not in line:
            if line:
                yield line
            continue
        whole = [line]
        while whole[-1] != "END":
            whole.append(next(lines))
        yield "\n".join(whole)


def without_own(text: str) -> str:
    """Return a text with what is another in each study put out of sight."""
    for kind in OWN:
        text = kind.sub("...", text)
    return text


def in_shell(command: str, own: Mapping[str, str], path: str = "") -> tuple[int, str]:
    """Run a command as a person does.

    Parameters
    ----------
    command : str
        For the shell.
    own : mapping of str to str
        What the terminal exported.
    path : str
        Folder of the programs ``medlabel`` and ``python``.
    """
    environment = {**os.environ, **own}
    if path:
        environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(  # noqa: S603 - our own page
        ["bash", "-c", command],  # noqa: S607 - whichever the reader has
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
