"""A command with commands of its own: one module for each, and only the named one imported."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence


def add_named(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    group: str,
    names: Sequence[str],
    words: Sequence[str],
) -> None:
    """Add a group's commands, or the one that the arguments name.

    Parameters
    ----------
    commands : argparse subparsers
        Of the group.
    group : str
        Its name; its modules are ``GROUP_NAME``, and have ``add_parser``.
    names : sequence of str
        Of its commands, in the order of the help.
    words : sequence of str
        Arguments after the group's name; where the first is of the names, no other command is
        imported.
    """
    for name in words[:1] if words and words[0] in names else names:
        importlib.import_module(f"napari_medlabel.cli.{group}_{name}").add_parser(commands)
