"""Datasheet and CLAIM appendix as Markdown: facts, people's words, or that nothing is stated.

Datasheets for Datasets: Gebru et al., Commun. ACM 64 (2021) 12, 86, its sections. CLAIM:
Mongan, Moy, Kahn, Radiology: Artificial Intelligence 2 (2020) e200029, its items on data. The
GRRAS appendix is the report of agreement (`agreement.report`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from napari_medlabel.project.release import sentences as say
from napari_medlabel.project.release.facts import Facts

NOT_STATED: Final = "**Not stated.**"
Sentence = Callable[[Facts], str]


@dataclass(frozen=True)
class Item:
    """One question of a document.

    Parameters
    ----------
    key : str
        Under which people's words stand in `Facts.stated`.
    section : str
        Heading above it.
    question : str
        What is asked.
    known : tuple of callable
        What the facts say to it.
    """

    key: str
    section: str
    question: str
    known: tuple[Sentence, ...] = ()


DATASHEET: Final = (
    Item("purpose", "Motivation", "For what purpose was the data set created?"),
    Item("creators", "Motivation", "Who created it, and on behalf of whom?"),
    Item("funding", "Motivation", "Who funded it?"),
    Item("instances", "Composition", "What do the instances stand for, and how many are there?",
         (say.instances,)),
    Item("population", "Composition", "Is it a sample of a larger set, and how drawn?"),
    Item("labels", "Composition", "Is a label or target given with each instance?",
         (say.labels, say.states)),
    Item("missing_data", "Composition", "Is information missing from instances?",
         (say.unresolved,)),
    Item("splits", "Composition", "Are there recommended splits?", (say.partitions, say.level)),
    Item("subpopulations", "Composition", "Does it identify subpopulations?", (say.balance,)),
    Item("identification", "Composition", "Can individuals be identified?",
         (say.cleaning, say.smallest)),
    Item("acquisition", "Collection", "How was the data acquired?", (say.custody,)),
    Item("timeframe", "Collection", "Over which time was it collected?"),
    Item("ethics", "Collection", "Was it reviewed ethically, and did people consent?"),
    Item("preprocessing", "Preprocessing and labelling", "How was it preprocessed or cleaned?",
         (say.cleaning,)),
    Item("labelling", "Preprocessing and labelling", "How was it labelled, and by whom?",
         (say.protocol, say.people)),
    Item("variability", "Preprocessing and labelling", "How far do raters agree?",
         (say.agreement,)),
    Item("software", "Preprocessing and labelling", "Is the software available?",
         (say.software,)),
    Item("uses", "Uses", "For which tasks has it been used, or could it be?"),
    Item("misuses", "Uses", "For which tasks should it not be used?"),
    Item("limitations", "Uses", "What could impact future uses: biases, limits?"),
    Item("distribution", "Distribution", "How and when is it distributed?", (say.version,)),
    Item("licence", "Distribution", "Under which licence or terms?"),
    Item("maintenance", "Maintenance", "Who maintains it, and can be asked?"),
    Item("updates", "Maintenance", "Will it be updated, and how are errors reported?"),
)  # fmt: skip
"""What a datasheet asks."""
CLAIM: Final = (
    Item("acquisition", "Data", "7. Data sources", (say.instances, say.custody)),
    Item("population", "Data", "8. Eligibility criteria"),
    Item("preprocessing", "Data", "9. Preprocessing of the data"),
    Item("subsets", "Data", "10. Selection of subsets of the data"),
    Item("definitions", "Data", "11. Definitions of data elements", (say.labels,)),
    Item("identification", "Data", "12. De-identification methods",
         (say.cleaning, say.smallest)),
    Item("missing_data", "Data", "13. How missing data were handled", (say.unresolved,)),
    Item("reference", "Reference standard", "14. Definition of the reference standard",
         (say.protocol,)),
    Item("rationale", "Reference standard", "15. Rationale for choosing it"),
    Item("annotators", "Reference standard",
         "16. Source of the annotations; qualifications and preparation of annotators",
         (say.people,)),
    Item("tools", "Reference standard", "17. Annotation tools", (say.software,)),
    Item("variability", "Reference standard",
         "18. Measurement of inter- and intrarater variability", (say.agreement,)),
    Item("sample_size", "Partitions", "19. Intended sample size and how it was determined"),
    Item("splits", "Partitions", "20. How data were assigned to partitions", (say.partitions,)),
    Item("level", "Partitions", "21. Level at which partitions are disjoint", (say.level,)),
    Item("flow", "Results", "33. Flow of participants or cases", (say.states,)),
    Item("subpopulations", "Results", "34. Characteristics of cases in each partition",
         (say.balance,)),
)  # fmt: skip
"""What CLAIM asks of data and reference standard."""
KEYS: Final = tuple(dict.fromkeys(item.key for item in (*DATASHEET, *CLAIM)))
"""What people may state."""
# Numbers alone do not answer these: what was done, and why, only people know.
_BY_PEOPLE: Final = frozenset(
    {"acquisition", "annotators", "reference", "preprocessing", "missing_data"}
)


def datasheet(facts: Facts) -> str:
    """Return the datasheet."""
    return _document(f"Datasheet of {facts.study}", facts, DATASHEET)


def claim(facts: Facts) -> str:
    """Return the appendix for CLAIM."""
    return _document(f"CLAIM appendix of {facts.study}", facts, CLAIM)


def not_stated(facts: Facts, items: Sequence[Item] = DATASHEET) -> tuple[str, ...]:
    """Return the keys of items that nothing, or not enough, is said to."""
    return tuple(item.key for item in items if NOT_STATED in _answer(item, facts))


def _document(title: str, facts: Facts, items: Sequence[Item]) -> str:
    parts = [f"# {say.cell(title)}", say.version(facts)]
    section = ""
    for item in items:
        if item.section != section:
            section = item.section
            parts.append(f"## {section}")
        parts.append(f"### {item.question}")
        parts += _answer(item, facts)
    return "\n\n".join(parts) + "\n"


def _answer(item: Item, facts: Facts) -> list[str]:
    words = facts.stated.get(item.key, "").strip()
    known = [said for sentence in item.known if (said := sentence(facts))]
    lacking = not words and (not known or item.key in _BY_PEOPLE)
    # Words of people are quoted, so that a heading in them is none of the document.
    quoted = "\n".join(f"> {line}".rstrip() for line in words.splitlines())
    return [*([quoted] if quoted else []), *known, *([NOT_STATED] if lacking else [])]
