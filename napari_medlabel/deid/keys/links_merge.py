"""Two copies of a link table that went apart, joined: no code is lost, none changes hands."""

from __future__ import annotations

from dataclasses import dataclass, replace

from napari_medlabel.deid.keys.table import LinkTable


@dataclass(frozen=True)
class Merged:
    """What a merge did.

    Parameters
    ----------
    added : int
        Patients whom only the other table knew; they keep their code.
    also : int
        Patients with another code there: it is kept for looking up, new copies go on with
        the code that this table gave.
    shared : int
        Codes that stand for two patients, one in each table. Looking one up tells both;
        the other table's patient gets a new code.
    """

    added: int = 0
    also: int = 0
    shared: int = 0


def merge(table: LinkTable, other: LinkTable) -> Merged:
    """Add to a table what another one of the same key has.

    Parameters
    ----------
    table : LinkTable
        Open for writing.
    other : LinkTable
        A copy that went another way.

    Raises
    ------
    SaveError
        When the table cannot be written to. What was added stays; merging again goes on.
    """
    ours = {(link.issuer, link.patient_id, link.code) for link in table.links()}
    taken = {code for _, _, code in ours}
    done = Merged()
    for link in other.links():
        if (link.issuer, link.patient_id, link.code) in ours:
            continue
        is_shared = link.code in taken
        is_new = table.known(link.issuer, link.patient_id) is None
        table.add(replace(link, is_current=link.is_current and is_new and not is_shared))
        if is_shared:
            done = replace(done, shared=done.shared + 1)
        elif is_new and link.is_current:
            done = replace(done, added=done.added + 1)
        else:
            done = replace(done, also=done.also + 1)
    return done
