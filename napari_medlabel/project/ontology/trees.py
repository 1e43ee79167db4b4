"""Decision trees for doubtful cases: each way ends in a label, or in raising a problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.project.ontology.labels import require_id

PROBLEM: Final = "problem"
"""Where a way ends that no label fits: the case is raised as a problem."""


@dataclass(frozen=True)
class Way:
    """One answer at a node, and where it leads.

    Parameters
    ----------
    answer : str
        What is chosen.
    to : str
        Id of another node, ``label:<id>`` or ``problem``.
    """

    answer: str
    to: str


@dataclass(frozen=True)
class Node:
    """A question of a tree.

    Parameters
    ----------
    id : str
        Within the tree.
    text : str
        What is asked.
    ways : tuple of Way
        At least two.
    """

    id: str
    text: str
    ways: tuple[Way, ...]

    def __post_init__(self) -> None:
        require_id(self.id, "node")
        if len(self.ways) < 2 or not self.text.strip():
            raise InputError(
                "A node of a decision tree has a question and at least two answers.",
                hint="A single answer decides nothing: take the node away.",
            )


@dataclass(frozen=True)
class Tree:
    """A decision tree; its first node is the root.

    Raises
    ------
    InputError
        When a way leads nowhere, in a circle, or a node is not reached.
    """

    id: str
    name: str
    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        require_id(self.id, "decision tree")
        known = {node.id: node for node in self.nodes}
        if not self.nodes or len(known) != len(self.nodes):
            raise InputError(
                "A decision tree has nodes, each with its own id.",
                hint="Change the id that stands twice.",
            )
        reached = _walk(known, self.nodes[0].id)
        if reached != set(known):
            raise InputError(
                "A node of a decision tree is reached by no answer.",
                hint="Let an answer lead to it, or take it away.",
            )

    @property
    def ends(self) -> frozenset[str]:
        """All ends: ids of labels, and perhaps `PROBLEM`."""
        found = {way.to for node in self.nodes for way in node.ways}
        known = {node.id for node in self.nodes}
        return frozenset(to.removeprefix("label:") for to in found - known)

    def decide(self, answers: Sequence[str]) -> str:
        """Return where answers lead: ``label:<id>``, ``problem`` or the node that is next.

        Raises
        ------
        InputError
            When an answer is none of the node's.
        """
        known = {node.id: node for node in self.nodes}
        at = self.nodes[0].id
        for answer in answers:
            node = known.get(at)
            to = next((w.to for w in node.ways if w.answer == answer), "") if node else ""
            if not to:
                raise InputError(
                    "The decision tree has no such answer at this place.",
                    hint="Begin again at its first question.",
                )
            at = to
        return at


def _walk(known: Mapping[str, Node], root: str) -> set[str]:
    """Return the nodes that are reached from a root; refuse circles and ways to nowhere."""
    reached: set[str] = set()
    path: list[str] = []

    def visit(at: str) -> None:
        if at in path:
            raise InputError(
                "A decision tree leads in a circle.", hint="Let every way end in a label."
            )
        reached.add(at)
        path.append(at)
        for way in known[at].ways:
            if way.to in known:
                visit(way.to)
            elif way.to != PROBLEM and not way.to.startswith("label:"):
                raise InputError(
                    "A way of a decision tree leads nowhere.",
                    hint="Lead to a node, to label:<id>, or to problem.",
                )
        path.pop()

    visit(root)
    return reached
