"""``medlabel project rater``: who works on a study, by code and account token."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from napari_medlabel.errors import RefusedError


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project rater`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    from napari_medlabel.project.settings import ROLES

    text = "add a rater to a study or change one; only a manager may"
    parser = commands.add_parser(
        "rater",
        help=text,
        description=f"{text}. With --me somebody who is no manager is told the token of "
        "their account, for the manager.",
    )
    parser.add_argument("study", type=Path, metavar="STUDY")
    parser.add_argument("code", metavar="CODE", help="such as r02; no name")
    parser.add_argument(
        "--roles",
        nargs="+",
        choices=ROLES,
        default=[],
        metavar="ROLE",
        help=f"of {', '.join(ROLES)} (a new rater is an annotator)",
    )
    account = parser.add_mutually_exclusive_group()
    account.add_argument(
        "--user", default="", metavar="TOKEN", help="of the rater's account, u1-..."
    )
    account.add_argument("--me", action="store_true", help="the account you use now")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Add or change a rater.

    Returns
    -------
    int
        0.

    Raises
    ------
    RefusedError
        When who asks is no manager.
    InputError
        When code, role or token are none.
    """
    from napari_medlabel.project.layout import find_study, require_rater
    from napari_medlabel.project.settings import read_settings
    from napari_medlabel.session.desk import open_desk
    from napari_medlabel.session.study.setting_up import require_role, set_rater, user_of

    layout = find_study(arguments.study)
    require_rater(arguments.code)
    desk = open_desk(layout.audit, role="researcher")
    with closing(desk.log):
        mine = user_of(desk)
        try:
            require_role(read_settings(layout.project), desk, "manager")
        except RefusedError as err:
            if not arguments.me:
                raise
            raise RefusedError(
                f"Only a manager of the study adds raters. Your account's token is {mine}.",
                hint=f"Send the manager: medlabel project rater STUDY {arguments.code} "
                f"--user {mine}",
            ) from err
        user = mine if arguments.me else arguments.user
        before = {one.code: one.user for one in read_settings(layout.project).raters}
        rater = set_rater(layout, arguments.code, desk, roles=arguments.roles, user=user)
    if arguments.json:
        print(json.dumps(asdict(rater)))
    else:
        account = rater.user or "no account yet"
        print(f"{rater.code}: {', '.join(rater.roles)}; {account}")
        if before.get(rater.code, "") not in ("", rater.user):
            print(
                f"The account before stays {rater.code}'s, with all that was done with it; it "
                "works in this study no more."
            )
    return 0
