"""Who an account is in a study, found before the study's log is opened."""

from __future__ import annotations

from pathlib import Path

from napari_medlabel.audit.keys.tokens import account_name, load_token_key
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.settings import Rater, Settings, read_settings
from napari_medlabel.project.work.accounts import accounts_of, rater_behind
from napari_medlabel.project.work.steps import StepReader
from napari_medlabel.session.signing import own_tokens
from napari_medlabel.session.study.seat import require_no_earlier


def require_listed(layout: Layout, state: Path) -> None:
    """Refuse who is on no list of a study, before anything is written in its log.

    A session of a stranger in it would be one of a computer that nobody trusts.

    Parameters
    ----------
    layout : Layout
        The study.
    state : Path
        This computer's own folder.

    Raises
    ------
    InputError
        When the study's rules cannot be read.
    RefusedError
        As `sit_down`.
    """
    settings = read_settings(layout.project)
    token = load_token_key(state).user_token(account_name())
    users = frozenset((*own_tokens(state), token))
    if not any(one.user in users for one in settings.raters):
        require_no_earlier(accounts_of(layout, settings, StepReader(layout.audit)), users)
        settings.rater_of(token)


def asking_rater(layout: Layout, settings: Settings, state: Path) -> Rater | None:
    """Return which of a study's people this account is, None for nobody; nothing is written.

    Parameters
    ----------
    state : Path
        This computer's own folder.
    """
    accounts = accounts_of(layout, settings, StepReader(layout.audit))
    return rater_behind(settings, accounts, own_tokens(state))
