"""Setting up a study: its layout, first manager and rules; each change is in the log first."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from napari_medlabel.audit.disk import one_at_a_time
from napari_medlabel.audit.format.schema import USER
from napari_medlabel.audit.keys.tokens import account_name, load_token_key
from napari_medlabel.audit.writer.place import default_state, writer_id
from napari_medlabel.audit.writer.spool import is_remembered
from napari_medlabel.errors import InputError, LogError, RefusedError
from napari_medlabel.io.files import make_folder, sha256_file, write_bytes_aside
from napari_medlabel.project.cases.dataset import root_files
from napari_medlabel.project.guidelines import read_guidelines
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.ontology.document import ontology_digest, write_ontology
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.settings import (
    Rater,
    Role,
    Settings,
    read_settings,
    settings_bytes,
    write_settings,
)
from napari_medlabel.project.work.accounts import accounts_of, require_own_accounts
from napari_medlabel.project.work.rulings import (
    Reign,
    against_rules,
    keep_rules,
    kept_rules,
    reigns,
)
from napari_medlabel.project.work.steps import StepReader
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.signing import own_tokens
from napari_medlabel.session.study.templates import guidelines_for

_NOT_PROVEN: Final = "The log does not prove that you have it."
_SPARED: Final = frozenset({".git", ".gitattributes", ".gitignore", ".datalad"})


def prepare_study(root: Path, state: Path | None = None) -> Layout:
    """Return where a study is to be, after finding out that nothing is in its way.

    What an `init` that was broken off left does not count: nothing there is a study yet.

    Parameters
    ----------
    root : Path
        A new or empty folder.
    state : Path, optional
        This computer's own folder, which remembers its logs; the user's by default.

    Raises
    ------
    RefusedError
        When there is a study already, or this computer remembers the log of one there.
    InputError
        When the folder holds something else: what lies in a study leaves with it.
    SaveError
        When the folder cannot be made.
    """
    layout = Layout(root.absolute())
    if layout.project.exists():
        raise RefusedError(
            "There is a study in this folder already.",
            hint="Choose another folder; a study is set up once.",
        )
    own = {*root_files("-"), layout.own.name, *_SPARED}
    if root.exists() and not root.is_dir():
        raise InputError("A folder was expected, and a file came.", hint="Choose a new folder.")
    if root.is_dir() and any(path.name not in own for path in root.iterdir()):
        raise InputError(
            "A new or empty folder was expected, and files lie in this one.",
            hint="Choose a new folder: scans get into a study through "
            "medlabel project add alone.",
        )
    state = (state or default_state()).absolute()
    if is_remembered(layout.audit, state, writer_id(state)):
        raise RefusedError(
            "This computer remembers the log of a study in this folder, and it is not there: a "
            "study without a log would be made.",
            hint="Bring the folder back, or choose another one. Where that study is gone for "
            "good: medlabel audit anew FOLDER/medlabel/audit, then this again; the new "
            "study's log says for ever that the other one is missing, and is red.",
        )
    make_folder(layout.own)
    return layout


def init_study(layout: Layout, settings: Settings, ontology: Ontology, desk: Desk) -> Settings:
    """Make a study; `project.json` is written last, and makes the folder one.

    Parameters
    ----------
    layout : Layout
        As `prepare_study` returned it; the desk's log lies at its `audit`.
    settings : Settings
        The rules. Raters without an account among its managers get this one.
    ontology : Ontology
        What is labelled and asked.
    desk : Desk
        Whoever sits there becomes its manager.

    Returns
    -------
    Settings
        As written.

    Raises
    ------
    SaveError, LogError
        When it cannot be written, or the log cannot, or not in the study's folder: then there
        is no study.
    """
    if getattr(desk.log, "is_local", False):
        raise LogError(
            "The study's log cannot begin in its own folder, so no study is made.",
            hint="Check that the drive is connected and that you may write there, or choose "
            "another folder.",
        )
    user = user_of(desk)
    raters = tuple(
        replace(one, user=user) if "manager" in one.roles and not one.user else one
        for one in settings.raters
    )
    settings = replace(settings, raters=raters)
    require_role(settings, desk, "manager")
    for folder in (layout.cases, layout.claims, layout.guidelines.parent):
        make_folder(folder)
    for name, data in root_files(settings.name).items():
        if name != ".gitignore" or not (layout.root / name).exists():
            write_bytes_aside(layout.root / name, data)
    write_ontology(layout.ontology, ontology)
    if not layout.guidelines.exists():
        text = guidelines_for(settings.name, ontology)
        write_bytes_aside(layout.guidelines, text.encode())
    guideline = read_guidelines(layout.guidelines).digest
    project = keep_rules(layout, settings_bytes(settings))
    digests = (project, ontology_digest(ontology), guideline)
    for setting, new in zip(("project", "ontology", "guideline"), digests, strict=True):
        desk.log.append("study.rules", detail={"setting": setting, "new": new})
    write_settings(layout.project, settings)
    return settings


def set_rater(
    layout: Layout, code: str, desk: Desk, *, roles: Iterable[Role] = (), user: str = ""
) -> Rater:
    """Add a rater to a study, or change one.

    Parameters
    ----------
    layout : Layout
        The study.
    code : str
        Of the rater.
    desk : Desk
        Whoever sits there must be a manager.
    roles : iterable of str
        Empty for those the rater has; a new one is an annotator.
    user : str
        Token of the account; empty for the one that stands there. A rater goes on with another
        one as the same person: what was done with the earlier one stays theirs.

    Raises
    ------
    RefusedError
        When who asks is no manager, the account is or was another rater's, or nobody would be
        a manager any more.
    InputError
        When a role or the token is none.
    LogError, SaveError
        When the log or the file cannot be written: nothing is changed.
    """
    if user and not USER.accepts(user):
        raise InputError(
            "An account is given by its token, u1- and 16 hex digits; no name.",
            hint="Its owner sees it with: medlabel project rater STUDY CODE --me",
        )
    with one_at_a_time(layout.own / ".project.lock"):
        settings = read_settings(layout.project)
        require_role(settings, desk, "manager")
        require_proven(layout, {user_of(desk), *own_tokens(desk.state)}, "manager")
        before = next((one for one in settings.raters if one.code == code), Rater(code))
        rater = Rater(code, user or before.user, tuple(roles) or before.roles)
        others = [one for one in settings.raters if one.code != code]
        if not any("manager" in one.roles and one.user for one in (*others, rater)):
            raise RefusedError(
                "Nobody would be a manager of this study any more.",
                hint="Make somebody else a manager first.",
            )
        raters = sorted((*others, rater), key=lambda one: one.code)
        if rater.user != before.user:
            reader = StepReader(layout.audit)
            require_own_accounts(accounts_of(layout, settings, reader), raters)
        changed = replace(settings, raters=tuple(raters))
        if changed != settings:
            put_in_force(layout, desk, changed)
    return rater


def put_in_force(layout: Layout, desk: Desk, changed: Settings) -> None:
    """Tell the log of changed rules, then write them; who calls has the lock and the right.

    Raises
    ------
    LogError, SaveError
        When the log or the file cannot be written.
    """
    old = f"sha256:{sha256_file(layout.project)}"
    new = keep_rules(layout, settings_bytes(changed))
    desk.log.append("study.rules", detail={"setting": "project", "new": new, "old": old})
    write_settings(layout.project, changed)


def require_proven(
    layout: Layout, users: Collection[str], *roles: Role, reader: StepReader | None = None
) -> None:
    """Refuse a role that stands in ``project.json`` and that the log does not prove.

    Parameters
    ----------
    layout : Layout
        The study.
    users : collection of str
        Tokens of the account.
    roles : str
        One of them is needed.
    reader : StepReader, optional
        Of the study's log, with what it remembers.

    Raises
    ------
    RefusedError
        When no manager gave it to this account.
    """
    found = rules_in_force(layout, reader or StepReader(layout.audit))
    if not found or not set(roles) & found[-1].roles(users):
        raise RefusedError(
            f"{against_rules(layout, found) or _NOT_PROVEN} The role "
            f"{' or '.join(roles)} counts only as a manager gave it.",
            hint="A manager looks at project.json, takes back what nobody should have "
            "changed, and puts it in force: medlabel project rules STUDY",
        )


def rules_in_force(layout: Layout, reader: StepReader) -> tuple[Reign, ...]:
    """Return the rules that were in force, one after the other, as the log proves them."""
    return reigns(reader.rulings(), partial(kept_rules, layout), reader.same_as)


def user_of(desk: Desk) -> str:
    """Return the token of the account that sits at a desk, as the log names it."""
    return load_token_key(desk.state).user_token(account_name())


def require_role(settings: Settings, desk: Desk, role: Role) -> Rater:
    """Return the rater that sits at a desk when they have a role.

    Raises
    ------
    RefusedError
        When the account is not on the list, or has other roles.
    """
    tokens = own_tokens(desk.state)
    rater = next((one for one in settings.raters if one.user in tokens), None)
    rater = rater or settings.rater_of(user_of(desk))
    if role not in rater.roles:
        raise RefusedError(
            f"This needs the role {role} in the study, and you have: {', '.join(rater.roles)}.",
            hint="Ask its manager: medlabel project rater STUDY CODE --roles ...",
        )
    return rater
