"""Whether those who reviewed, agreed and released had the role for it, by the log of then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from napari_medlabel.audit.anchors.session_lines import record_of
from napari_medlabel.audit.check.verify import session_paths
from napari_medlabel.project.checks.finding import Finding
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.release.chain import AGREED, CaseChain, Chain, Link
from napari_medlabel.project.release.chain_check import column_of
from napari_medlabel.project.release.link_words import named
from napari_medlabel.project.release.manifest import MANIFEST, Manifest
from napari_medlabel.project.release.settled import doubt_of
from napari_medlabel.project.settings import Role
from napari_medlabel.project.work.rulings import Reign, in_force_at
from napari_medlabel.project.work.steps import StepReader
from napari_medlabel.session.study.setting_up import rules_in_force

_NEEDS: Final[Mapping[str, frozenset[Role]]] = {
    "review.approve": frozenset({"reviewer"}),
    "review.reject": frozenset({"reviewer"}),
    "review.correct": frozenset({"reviewer"}),
    "study.settle": frozenset({"adjudicator", "manager"}),
    AGREED: frozenset({"adjudicator"}),
}
_RELEASES: Final[frozenset[Role]] = frozenset({"releaser", "manager"})


def check_roles(layout: Layout, manifest: Manifest, chain: Chain) -> Iterator[Finding]:
    """Yield steps of a release that somebody did without the role; what nobody can tell, too.

    Parameters
    ----------
    layout : Layout
        The study it came from.
    manifest, chain
        Of the release.
    """
    reader = StepReader(layout.audit)
    ruled = rules_in_force(layout, reader)
    if not ruled:
        words = "The log of the study does not prove who made its rules: roles are unproven."
        yield Finding("warning", "roles", MANIFEST, words)
        return
    publishers = tuple(_publishers(layout, manifest))
    times = [link.time for one in chain.cases for link in one.links if link.event in _NEEDS]
    times += [time for _, time in publishers]
    if any(one.settings is None for time in times for one in in_force_at(ruled, time)):
        words = (
            "The study has not kept the rules of some steps: whether who did them had the role "
            "for it cannot be told."
        )
        yield Finding("warning", "roles", MANIFEST, words)
    for one in chain.cases:
        yield from _of_case(one, ruled)
    for user, time in publishers:
        then = in_force_at(ruled, time)
        users = reader.same_as(user)
        if all(one.settings for one in then) and not any(
            _RELEASES & one.roles(users) for one in then
        ):
            words = "Who released it had no role to release, by the rules of that time."
            yield Finding("error", "roles", MANIFEST, words)


def _of_case(one: CaseChain, ruled: Sequence[Reign]) -> Iterator[Finding]:
    for link in one.links:
        needs = _NEEDS.get(link.event)
        if needs is None or _had(link, needs, in_force_at(ruled, link.time)):
            continue
        words = (
            f"{named(link.event, link.slot)}: who did it had not the role for it, by the rules "
            "of that time."
        )
        yield Finding("error", column_of(link), str(one.case), words)
    if words := _unasked(one, ruled):
        yield Finding("warning", "agreed", str(one.case), words)


def _unasked(one: CaseChain, ruled: Sequence[Reign]) -> str:
    """Say where a consensus was settled otherwise than the rules of then ask for.

    What its own line of the log says by itself is found without the study, see `doubt_of`.
    """
    made = one.agreed_by
    if made is None or doubt_of(one):
        return ""
    way = str(made.detail.get("rule", ""))
    then = [rules.settings for rules in in_force_at(ruled, made.time)]
    known = {rules.asks_for(way) for rules in then if rules is not None}
    if None in then or known != {"independent"} or made.by not in one.authors:
        return ""
    return (
        f"Who settled it, {made.by}, has also read it, and the rules of that time asked for "
        "somebody who has not; its line of the log says otherwise."
    )


def _had(link: Link, needs: frozenset[Role], then: Sequence[Reign]) -> bool:
    """Tell whether a code had a role; also where nobody can tell."""
    raters = [one.settings.raters if one.settings else None for one in then]
    return any(
        rules is None or any(r.code == link.by and needs & set(r.roles) for r in rules)
        for rules in raters
    )


def _publishers(layout: Layout, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield token and time of whoever told the log that it published the release."""
    mark = manifest.digest.encode()
    for path in session_paths(layout.audit):
        for line in path.read_bytes().splitlines():
            if b'"study.publish"' in line and mark in line:
                record = record_of(line)
                yield record["actor"]["user"], record["time"]
