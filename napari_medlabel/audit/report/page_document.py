"""The file itself: a strict policy, the style, the script, the facts and the whole log."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import Final

from napari_medlabel.audit.report.page_markup import Markup, tag

STYLES: Final = ("base.css", "parts.css", "print.css")
"""Style sheets, in order."""

VERIFIER: Final = (
    "bytes.js",
    "sha2.js",
    "ed25519.js",
    "canonical.js",
    "merkle.js",
    "session.js",
    "code.js",
    "site.js",
    "check.js",
)
"""The independent check: it needs no page, and runs in node too."""

SCRIPTS: Final = (
    *VERIFIER,
    "unpack.js",
    "event_index.js",
    "elements.js",
    "event_table.js",
    "event_filters.js",
    "patient.js",
    "recheck.js",
    "zip.js",
    "csv.js",
    "downloads.js",
    "page.js",
)
"""All of the script, in order."""

_LEVEL: Final = 6  # of gzip: 9 takes twice as long for one per cent


def asset(name: str) -> str:
    """Return the text of a style sheet or script that comes with the package."""
    return (files("napari_medlabel.audit.report") / "assets" / name).read_text("utf-8")


def script_of(names: Sequence[str]) -> str:
    """Return scripts as one, with nothing of theirs visible outside."""
    inner = "\n".join(asset(name) for name in names)
    return f'"use strict";\n(() => {{\n{inner}\n}})();\n'


def _hash(inner: str) -> str:
    digest = base64.b64encode(sha256(inner.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy: these two, pictures in the file, and no network."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash(script)}",
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _data(identity: str, kind: str, inner: str) -> Markup:
    """Return a block of data; the browser does not run it."""
    return Markup(f'<script type="{kind}" id="{identity}">{inner}</script>')


def json_block(identity: str, value: Mapping[str, object]) -> Markup:
    """Return JSON in the page. No text in it can end the block or begin another."""
    dumped = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    safe = dumped.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return _data(identity, "application/json", safe)


def log_blocks(log_bytes: Iterable[tuple[str, bytes]]) -> tuple[Markup, bytes]:
    """Return the log: the names and lengths of its files, and all of them in gzip, base64."""
    squeeze = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    listed: list[dict[str, object]] = []
    packed = bytearray()
    for file, data in log_bytes:
        listed.append({"file": file, "length": len(data)})
        packed += squeeze.compress(data)
    packed += squeeze.flush()
    return json_block("log-files", {"files": listed}), base64.b64encode(packed)


def _head(title: str, script: str) -> Markup:
    style = "\n".join(asset(name) for name in STYLES)
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="robots", content="noindex"),
        tag("title", title),
        Markup(f"<style>{style}</style>"),
    )


def still_document(title: str, body: Markup) -> bytes:
    """Return a page in the same style that holds no script and no log: a result to read.

    Parameters
    ----------
    title : str
        Of the window.
    body : Markup
        What people read.
    """
    inner = tag("html", _head(title, ""), tag("body", body), lang="en")
    return f"<!doctype html>\n{inner}\n".encode()


def document(
    title: str,
    body: Markup,
    facts: Markup,
    log: tuple[Markup, bytes],
    more: Iterable[tuple[str, bytes]] = (),
) -> bytes:
    """Return the page.

    Parameters
    ----------
    title : str
        Of the window.
    body : Markup
        What people read.
    facts : Markup
        Block of data for the script.
    log : tuple of (Markup, bytes)
        As `log_blocks` gives it.
    more : iterable of (str, bytes)
        Further blocks of data: identity, and gzip in base64.

    Returns
    -------
    bytes
        HTML in UTF-8; the same for the same facts.
    """
    script = script_of(SCRIPTS)
    head = _head(title, script)
    files, packed = log
    # The log may be large: it is put between the parts once, and not copied into each.
    first = f'<!doctype html>\n<html lang="en">{head}<body>{body}{facts}{files}'
    parts = [first.encode()]
    for identity, data in (("log-bytes", packed), *more):
        opening, closing = _data(identity, "application/gzip+base64", "|").split("|")
        parts += [opening.encode(), data, closing.encode()]
    parts.append(f"<script>{script}</script></body></html>\n".encode())
    return b"".join(parts)
