"""``medlabel deid review``: what waits for eyes, and what of it may leave."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.deid.report.review import Decided, Waiting


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``review`` to ``medlabel deid``.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel deid``.
    """
    parser = subparsers.add_parser(
        "review",
        help="list the images that wait for eyes, accept or reject them",
        description="List the cleaned images in a review folder that wait for a person's eyes, "
        "or decide about them: accepted ones move to DST, rejected ones are deleted. Each "
        "decision is in the audit log before anything moves.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="a review folder")
    parser.add_argument(
        "--accept", nargs="+", default=[], metavar="TOKEN", help="images that may leave"
    )
    parser.add_argument(
        "--accept-all", action="store_true", help="all images that are not rejected may leave"
    )
    parser.add_argument(
        "--reject", nargs="+", default=[], metavar="TOKEN", help="images that are deleted"
    )
    parser.add_argument(
        "--into", type=Path, metavar="DST", help="the folder that the batch wrote"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--audit", type=Path, metavar="DIR", help="the audit log's folder")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List or decide.

    Returns
    -------
    int
        0; nothing that waits is a failure.

    Raises
    ------
    MedlabelError
        For tokens that do not wait, files that were changed or would overwrite others, and a
        log that cannot be written.
    """
    from napari_medlabel.deid.report.review import read_queue

    waiting = read_queue(args.folder)
    if not (args.accept or args.accept_all or args.reject):
        _list(waiting, as_json=args.json)
        return 0
    done = _decided(args, waiting)
    if args.json:
        print(
            json.dumps(
                {"accepted": done.accepted, "rejected": done.rejected, "left": done.left}
            )
        )
    else:
        print(
            f"{_images(done.accepted)} moved, {_images(done.rejected)} deleted, "
            f"{_images(done.left)} still waiting."
        )
    return 0


def _decided(args: argparse.Namespace, waiting: tuple[Waiting, ...]) -> Decided:
    """Do as told, with a line in the log first."""
    from napari_medlabel.deid.report.review import check_batch
    from napari_medlabel.session.deid_review import decide_logged
    from napari_medlabel.session.desk import open_desk

    if args.accept and args.accept_all:
        raise InputError(
            "--accept and --accept-all exclude each other.", hint="Choose one of them."
        )
    accept = args.accept
    if args.accept_all:
        accept = [each.token for each in waiting if each.token not in args.reject]
    if args.into is None:
        raise InputError(
            "A decision needs the folder that the batch wrote.", hint="Pass it with --into DST."
        )
    check_batch(args.into, waiting)
    desk = open_desk(args.audit, role="reviewer")
    try:
        return decide_logged(args.folder, args.into, desk, accept=accept, reject=args.reject)
    finally:
        desk.log.close()


def _list(waiting: tuple[Waiting, ...], *, as_json: bool) -> None:
    """Say what waits, by token and reason."""
    if as_json:
        files = [
            {
                "token": each.token,
                "name": "/".join(each.name),
                "look": list(each.look),
                "files": len(each.files),
            }
            for each in waiting
        ]
        print(json.dumps({"waiting": files}))
        return
    for each in waiting:
        many = f" ({len(each.files)} files of a series)" if len(each.files) > 1 else ""
        print(f"{each.token}  {', '.join(each.look)}{many}")
    if waiting:
        page = "index.html in the review folder shows them"
        print(f"{_images(len(waiting))} waiting; {page}.", file=sys.stderr)
    else:
        print("Nothing waits.", file=sys.stderr)


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"
