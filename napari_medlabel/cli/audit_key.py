"""``medlabel audit key``: the key of this workstation, and the keys behind the tokens."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.audit.keys.install import InstallKey
    from napari_medlabel.session.desk import Desk

_ROLE: Final = "unknown"
_PROMPT: Final = "New passphrase of the workstation's key: "
_HINT: Final = "Give --passphrase-file FILE, or run it in a terminal."


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``key`` and its own subcommands to ``medlabel audit``.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel audit``.
    """
    parser = subparsers.add_parser(
        "key",
        help="make, show, rotate or destroy this workstation's keys",
        description="The key of this workstation certifies the sessions that it writes. The "
        "officer trusts it in the site: `medlabel audit site trust`.",
    )
    commands = parser.add_subparsers(dest="key_command", metavar="COMMAND", required=True)
    create = _add(commands, "create", run_create, "make the workstation's key")
    _add_passphrase(create)
    show = _add(commands, "show", run_show, "show which key it is, with the code to compare")
    show.add_argument("--json", action="store_true", help="one JSON document on stdout")
    rotate = _add(commands, "rotate", run_rotate, "make a new key in place of the present one")
    rotate.add_argument(
        "which",
        nargs="?",
        choices=("install", "tokens"),
        default="install",
        help="the workstation's key (the default), or the key behind the tokens, once a year",
    )
    _add_passphrase(rotate)
    _add(commands, "revoke", run_revoke, "destroy the workstation's key")
    tokens = _add(
        commands, "tokens", run_tokens, "bring the token keys to the officer or elsewhere"
    )
    way = tokens.add_mutually_exclusive_group(required=True)
    way.add_argument("--export", type=Path, metavar="FILE", help="write them into a new file")
    way.add_argument(
        "--import", type=Path, metavar="FILE", dest="source", help="take them over"
    )
    tokens.add_argument("--plain", action="store_true", help="export without a passphrase")
    tokens.add_argument(
        "--replace",
        action="store_true",
        help="imported keys take the place of others with their numbers; those stay searchable",
    )
    _add_passphrase(tokens, choice=False)


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: object,
    text: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=f"{text.capitalize()}.")
    command.add_argument("--audit", type=Path, metavar="DIR", help="the audit log's folder")
    command.set_defaults(run=run)
    return command


def _add_passphrase(parser: argparse.ArgumentParser, *, choice: bool = True) -> None:
    if choice:
        parser.add_argument(
            "--passphrase",
            action="store_true",
            help="put the key under a passphrase, also where the system has a keyring",
        )
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="a file of mode 600 whose first line is the passphrase",
    )


def run_create(args: argparse.Namespace) -> int:
    """Make the workstation's key, with a line in the log first.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, SaveError, LogError
        When there is one, or it cannot be kept, or the log cannot be written.
    """
    from napari_medlabel.audit.keys.install import install_key_path
    from napari_medlabel.audit.writer.place import default_state
    from napari_medlabel.secret.private_file import PrivateFile

    PrivateFile(install_key_path(default_state())).prepare()
    _make(args, "key.create")
    return 0


def run_rotate(args: argparse.Namespace) -> int:
    """Make a new key of the workstation, or of the tokens, with a line in the log.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, SaveError, LogError
        When there is none, or it cannot be kept, or the log cannot be written.
    """
    from napari_medlabel.audit.keys.install import install_key_path
    from napari_medlabel.audit.keys.key_document import read_facts
    from napari_medlabel.audit.writer.place import default_state

    if args.which == "tokens":
        return _rotate_tokens(args)
    if read_facts(install_key_path(default_state()), "install") is None:
        raise _no_key()
    _make(args, "key.rotate")
    return 0


def _make(args: argparse.Namespace, event: str) -> None:
    """Make or replace the key, announce it in the log, and show it beside the log."""
    from napari_medlabel.audit.disk import SystemClock
    from napari_medlabel.audit.format.record import time_text
    from napari_medlabel.audit.format.seal import to_base64
    from napari_medlabel.audit.keys import install
    from napari_medlabel.audit.keys.key_document import make_key, replace_key
    from napari_medlabel.audit.writer.place import default_state, writer_id
    from napari_medlabel.session.desk import open_desk

    state = default_state()
    writer = writer_id(state)
    passphrase = _new_passphrase(args)
    ring = "" if passphrase is not None else f"install-{writer}"
    made = time_text(SystemClock().utc_ms())
    make = make_key if event == "key.create" else replace_key
    with closing(open_desk(args.audit, role=_ROLE).log) as log:

        def announce(public: bytes) -> None:
            log.append(event, detail={"key": "install", "pub": to_base64(public)})

        signing = make(
            install.install_key_path(state),
            ("install", writer, made),
            secrets.token_bytes,
            passphrase=passphrase,
            ring=ring,
            announce=announce,
        )
    key = install.InstallKey(signing)
    install.keep_introduction(state, writer, key, made)
    install.copy_introduction(_root(args), state, writer)
    _print_key(writer, key.public, "keyring" if ring else "passphrase")
    _say(f"The officer trusts it with: medlabel audit site trust {writer}")


def _new_passphrase(args: argparse.Namespace) -> str | None:
    """Return a new passphrase, or None where the keyring is to keep the key."""
    from napari_medlabel.audit.keys.install import PASSPHRASE_VARIABLE
    from napari_medlabel.secret.asking import given, new_at_terminal
    from napari_medlabel.secret.ring import has_ring

    named = given(args.passphrase_file, PASSPHRASE_VARIABLE, os.environ)
    if named is not None or (not args.passphrase and has_ring()):
        return named
    return new_at_terminal(_PROMPT, _HINT)


def run_show(args: argparse.Namespace) -> int:
    """Say which key it is, and show it beside the log again where it is missing there.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        When there is none.
    """
    from napari_medlabel.audit.format.seal import to_base64
    from napari_medlabel.audit.keys import install
    from napari_medlabel.audit.keys.key_document import read_facts
    from napari_medlabel.audit.keys.signatures import fingerprint
    from napari_medlabel.audit.writer.place import default_state, writer_id

    state = default_state()
    writer = writer_id(state)
    facts = read_facts(install.install_key_path(state), "install")
    batch = install.load_install_key(state) if os.environ.get(install.KEY_VARIABLE) else None
    if batch is not None:
        public, where = batch.public, "file"
        _show_batch_key(_root(args), writer, batch)
    elif facts is None:
        raise _no_key()
    else:
        public, where = facts.public, "passphrase" if facts.is_sealed else "keyring"
        install.copy_introduction(_root(args), state, writer)
    if args.json:
        shown = {
            "writer": writer,
            "pub": to_base64(public),
            "code": fingerprint(public),
            "kept": where,
        }
        print(json.dumps(shown))
    else:
        _print_key(writer, public, where)
    return 0


def _show_batch_key(root: Path, writer: str, key: InstallKey) -> None:
    """Show the key of a batch machine beside the log, unless it is shown there already."""
    from napari_medlabel.audit.disk import SystemClock
    from napari_medlabel.audit.format.record import time_text
    from napari_medlabel.audit.keys.install import publish_install, read_introduction

    known = read_introduction(root, writer)
    if known is None or known.public != key.public:
        publish_install(root, writer, key, time_text(SystemClock().utc_ms()))


def run_revoke(args: argparse.Namespace) -> int:
    """Destroy the workstation's key, with a line in the log first.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, SaveError, LogError
        When there is none, the keyring does not let go, or the log cannot be written.
    """
    from napari_medlabel.audit.format.seal import to_base64
    from napari_medlabel.audit.keys.install import install_key_path
    from napari_medlabel.audit.keys.key_document import drop_key, read_facts
    from napari_medlabel.audit.writer.place import default_state, writer_id
    from napari_medlabel.session.desk import open_desk

    state = default_state()
    path = install_key_path(state)
    facts = read_facts(path, "install")
    if facts is None:
        raise _no_key()
    with closing(open_desk(args.audit, role=_ROLE).log) as log:
        log.append("key.revoke", detail={"key": "install", "pub": to_base64(facts.public)})
        drop_key(path, "install")
    print("The key of this workstation is destroyed.")
    _say(
        "Whoever has a copy can still sign: the officer ends that with "
        f"medlabel audit site revoke {writer_id(state)}"
    )
    return 0


def _rotate_tokens(args: argparse.Namespace) -> int:
    from napari_medlabel.audit.keys.tokens import rotate_token_key
    from napari_medlabel.session.desk import open_desk

    desk = open_desk(args.audit, role=_ROLE)
    with closing(desk.log) as log:
        key = rotate_token_key(desk.state)
        log.append("key.rotate", detail={"key": "subject-token", "kid": key.kid})
    print(f"token key {key.kid}")
    _say("Older tokens stay searchable. Bring the new key to the officer: --export FILE.")
    return 0


def run_tokens(args: argparse.Namespace) -> int:
    """Export or import token keys, with a line in the log for each.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError, RefusedError, SaveError, LogError
        When the file is there or is none, keys are in the way, or something cannot be written.
    """
    from napari_medlabel.session.desk import open_desk

    desk = open_desk(args.audit, role=_ROLE)
    with closing(desk.log):
        count = _export(args, desk) if args.export else _import(args, desk)
    print(f"{count} token key(s) {'exported' if args.export else 'new here'}")
    return 0


def _export(args: argparse.Namespace, desk: Desk) -> int:
    from napari_medlabel.audit.keys.token_file import export_tokens
    from napari_medlabel.audit.keys.tokens import load_token_keys
    from napari_medlabel.secret.asking import from_file, new_at_terminal

    passphrase = None
    if args.passphrase_file is not None:
        passphrase = from_file(args.passphrase_file)
    elif not args.plain:
        passphrase = new_at_terminal("New passphrase of the exported file: ", _HINT)
    keys = load_token_keys(desk.state)
    for kid in sorted({key.kid for key in keys}):
        desk.log.append("key.create", detail=_copied(kid, "exported"))
    export_tokens(args.export, keys, passphrase, secrets.token_bytes)
    return len(keys)


def _import(args: argparse.Namespace, desk: Desk) -> int:
    from napari_medlabel.audit.keys.token_file import import_tokens, read_token_keys
    from napari_medlabel.secret.asking import at_terminal, from_file

    file: Path | None = args.passphrase_file
    keys = read_token_keys(
        args.source,
        lambda: from_file(file) if file else at_terminal("Passphrase of the file: ", _HINT),
    )
    count = import_tokens(desk.state, keys, replace=args.replace)
    for kid in sorted({key.kid for key in keys}) if count else ():
        desk.log.append("key.create", detail=_copied(kid, "imported"))
    return count


def _copied(kid: int, way: str) -> dict[str, object]:
    return {"key": "subject-token", "kid": kid, "copy": way}


def _root(args: argparse.Namespace) -> Path:
    from napari_medlabel.audit.writer.place import default_root

    root: Path | None = args.audit
    return default_root() if root is None else root


def _print_key(writer: str, public: bytes, where: str) -> None:
    from napari_medlabel.audit.keys.signatures import fingerprint

    print(f"writer {writer}\ncode {fingerprint(public)}\nkept {where}")


def _no_key() -> InputError:
    return InputError(
        "This workstation was expected to have a key, and it has none.",
        hint="`medlabel audit key create` makes one.",
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr)
