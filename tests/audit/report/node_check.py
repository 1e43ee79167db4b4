"""Runs the page's own verifier in node, on many logs in one process."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.audit.report.page_document import VERIFIER, asset

NODE = shutil.which("node")

needs_node = pytest.mark.skipif(NODE is None, reason="there is no node on this computer")

_DRIVER = """
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
(async () => {
  const own = { make: async (key) => ownVerifier(key), own: true };
  const results = [];
  for (const { files, heads, arithmetic } of cases) {
    const logs = files.map(([file, data]) => ({ file, bytes: bytes(data) }));
    const checked = await checkLog(logs, heads, () => {}, arithmetic ? own : null);
    const { verdict, findings, events, signatures, certificates, officer } = checked;
    results.push({
      verdict, findings, events, signatures, certificates, officer,
      heads: checked.heads, own: checked.own,
      roots: checked.sessions.map((one) => [one.file, one.sealed, one.roots.get(one.sealed)]),
    });
  }
  console.log(JSON.stringify(results));
})();
"""


def run_node(program: str, given: object) -> Any:
    """Run a program that reads JSON and prints JSON."""
    assert NODE is not None
    done = subprocess.run(
        [NODE, "--eval", program],
        input=json.dumps(given).encode(),
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout)


def verifier_source() -> str:
    """Return the verifier's scripts as one."""
    return "\n".join(asset(name) for name in VERIFIER)


def log_files(root: Path) -> dict[str, bytes]:
    """Return the session files of a log, by name."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*.jsonl"))
    }


def check_all(
    cases: Sequence[Mapping[str, bytes]],
    heads: Sequence[Mapping[str, object]] = (),
    *,
    arithmetic: bool = False,
) -> list[dict[str, Any]]:
    """Return what the page's verifier says of each log."""
    given = [
        {
            "files": [(f, base64.b64encode(data).decode()) for f, data in files.items()],
            "heads": list(heads),
            "arithmetic": arithmetic,
        }
        for files in cases
    ]
    found: list[dict[str, Any]] = run_node(verifier_source() + _DRIVER, given)
    return found


def codes(result: Mapping[str, Any], level: str) -> set[str]:
    """Return the codes of the findings of a level."""
    return {found["code"] for found in result["findings"] if found["level"] == level}
