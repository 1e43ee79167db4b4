"""The reference names everything that the program has, and no link leads nowhere."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import napari_medlabel
from napari_medlabel.audit.format.catalogue import EVENTS
from napari_medlabel.deid.report.counts import Note, Reason, Skip
from napari_medlabel.deid.rules.profile import ACTION_CODES, basic_profile
from napari_medlabel.errors import MedlabelError
from napari_medlabel.model.labelmap import LabelScheme
from napari_medlabel.model.landmarks import template_from_json
from napari_medlabel.session.case import Session
from napari_medlabel.session.saving import save

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "sample_scans" / "README.md"]
)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    return [text for kind, text in _BLOCK.findall(page(name)) if kind == language]


def generator() -> ModuleType:
    path = ROOT / "docs" / "make_cli_reference.py"
    spec = importlib.util.spec_from_file_location("make_cli_reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def anchors(text: str) -> set[str]:
    """Headings as the forge turns them into anchors."""
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def test_the_command_line_reference_is_what_the_program_prints(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    # Without white space: where lines break is Python's affair, and changes with it.
    shown, printed = page("reference/cli.md"), generator().reference()
    assert "".join(shown.split()) == "".join(printed.split())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for link in _LINK.findall(text):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), f"{path.name}: {link}"
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{path.name}: {link}"


def test_every_page_of_the_docs_can_be_reached_from_the_readme() -> None:
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for link in _LINK.findall(path.read_text(encoding="utf-8")):
            target = (path.parent / link.partition("#")[0]).resolve()
            if target.is_dir():
                todo.extend(target.glob("*.md"))
            elif target.suffix == ".md" and target.exists():
                todo.append(target)
    assert set(PAGES) <= seen


def test_every_picture_is_shown_and_every_shown_picture_is_made() -> None:
    scripts = sorted((ROOT / "docs").glob("make_*pictures.py"))
    scripts.append(ROOT / "benchmarks" / "acts.py")
    script = "".join(path.read_text(encoding="utf-8") for path in scripts)
    shown = {
        Path(link).name
        for path in PAGES
        for link in _LINK.findall(path.read_text(encoding="utf-8"))
        if link.endswith(".png")
    }
    assert shown == {path.name for path in (ROOT / "docs" / "pictures").glob("*.png")}
    assert all(f'"{name}"' in script for name in shown)


def error_classes() -> set[str]:
    found = set()
    for module in pkgutil.walk_packages(napari_medlabel.__path__, "napari_medlabel."):
        if module.name.endswith("__main__") or ".widgets" in module.name:
            continue
        if ".plugin" in module.name and importlib.util.find_spec("napari") is None:
            continue
        for name, kind in inspect.getmembers(importlib.import_module(module.name)):
            if inspect.isclass(kind) and issubclass(kind, MedlabelError):
                found.add(name)
    return found


def test_every_error_is_in_the_reference() -> None:
    text = page("reference/errors.md")
    assert [name for name in sorted(error_classes()) if f"`{name}`" not in text] == []


def test_every_event_is_in_the_reference() -> None:
    text = page("reference/audit-log.md")
    assert [name for name in EVENTS if f"`{name}`" not in text] == []


def test_every_action_reason_and_note_of_deidentification_is_in_the_reference() -> None:
    text = page("reference/profile.md")
    codes = [f"`{code}`" for code in (*ACTION_CODES, "private", "text", "unknown")]
    words = [f"\n| {word.value} |" for word in (*Reason, *Skip, *Note)]
    assert [word for word in (*codes, *words) if word not in text] == []
    assert f"{len(basic_profile())} rows" in text


def test_the_examples_of_scheme_and_template_load() -> None:
    import json

    examples = [json.loads(text) for text in blocks("reference/files.md", "json")]
    scheme = next(e for e in examples if isinstance(e.get("labels"), list))
    template = next(e for e in examples if "landmarks" in e)
    assert LabelScheme.from_json(scheme).values == (1, 2)
    assert len(template_from_json(template)) == 2


def test_the_described_sidecar_has_the_keys_of_a_written_one(session: Session) -> None:
    import json

    session.edit((slice(1, 3),) * 3, np.full((2, 2, 2), 3, np.uint8), name="Paint")
    written = json.loads((save(session).mask.path.with_name("mask.json")).read_text("utf-8"))
    example = next(
        e for e in map(json.loads, blocks("reference/files.md", "json")) if "format" in e
    )
    assert list(example) == list(written)
    for key in ("software", "mask", "grid", "source", "scheme"):
        assert list(example[key]) == list(written[key])


def test_the_code_for_other_programs_runs(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session.edit((slice(1, 3),) * 3, np.full((2, 2, 2), 3, np.uint8), name="Paint")
    session.place_landmark("Liver dome", (1.0, 2.0, 3.0))
    save(session)
    monkeypatch.chdir(session.place.folder)
    seen: dict[str, object] = {}
    for text in blocks("how-to/use-masks-elsewhere.md", "python"):
        exec(compile(text, "use-masks-elsewhere", "exec"), seen)  # noqa: S102 - our own page
    voxel_ml = 0.8 * 0.9 * 3.0 / 1000
    assert f"Right kidney {8 * voxel_ml:.2f} ml" in capsys.readouterr().out
    assert seen["points_ras"] == {"Liver dome": (1.0, 2.0, 3.0)}
    assert '3 217 164 65 1 1 1 "Right kidney"' in Path("labels.txt").read_text("utf-8")
