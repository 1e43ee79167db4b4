"""Runs the readers over folders of real scans; counts who is exact, wrong, short or refuses."""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from readers_peers import READERS, installed
from readers_report import write
from readers_series import Series, collect, stage

from tests.io.verdict import judge

DATA = Path(__file__).parents[2] / "shared" / "data"
REPORT = Path(__file__).parents[1] / "docs" / "readers.md"
TIME_S = 120
MEMORY_BYTES = 8 << 30
CORNER_MM = 1e-4


@dataclass(frozen=True)
class Outcome:
    """What a reader made of a series.

    Parameters
    ----------
    word : str
        ``"exact"``, ``"refused"``, ``"wrong"`` or ``"short"``.
    why : tuple of str
        Reasons for refusing, or what is wrong.
    seconds : float
        Time for reading.
    """

    word: str
    why: tuple[str, ...]
    seconds: float


def main() -> int:
    """Run all readers over all folders and write docs/readers.md.

    Returns
    -------
    int
        0; 1 when ours was wrong or short anywhere.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder", nargs="*", help="a folder, or NAME=FOLDER, or NAME@COMMIT=FOLDER"
    )
    parser.add_argument("--only", action="append", choices=READERS, help="run this reader")
    parser.add_argument("--show", action="store_true", help="files of what is not exact")
    parser.add_argument("--no-report", action="store_true", help="do not write the table")
    parser.add_argument("--kept", type=Path, help="keep outcomes here, and use those there are")
    arguments = parser.parse_args()
    kept = _kept(arguments.kept)
    named = [_named(text) for text in arguments.folder] or _shared()
    there = installed()
    readers = {n: there[n] for n in READERS if n in there}
    asked = [n for n in readers if n in (arguments.only or READERS)]
    rows: list[tuple[Series, dict[str, Outcome]]] = []
    for name, root in named:
        start = time.perf_counter()
        series = collect(name, root)
        told = time.perf_counter() - start
        print(f"{name}: {len(series)} series, truth in {told:.0f} s", flush=True)
        for reader in asked:
            kept[f"{name} {reader}"] = _in_a_process(reader, series)
        _keep(arguments.kept, kept)
        for number, one in enumerate(series):
            row = {r: found[number] for r in readers if (found := kept.get(f"{name} {r}"))}
            rows.append((one, row))
            if arguments.show:
                for reader, outcome in row.items():
                    _show(one, reader, outcome)
    if not arguments.no_report:
        REPORT.write_text(write(rows, readers), encoding="utf-8")
        print(f"written: docs/{REPORT.name}")
    for reader in readers:
        words = [row[reader].word for _, row in rows if reader in row]
        counts = ", ".join(
            f"{words.count(w)} {w}" for w in ("exact", "refused", "wrong", "short")
        )
        print(f"{reader}: {counts}")
    return int(any(row["ours"].word in ("wrong", "short") for _, row in rows if "ours" in row))


def _kept(path: Path | None) -> dict[str, list[Outcome]]:
    if path is None or not path.exists():
        return {}
    said = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: [Outcome(word, tuple(why), seconds) for word, why, seconds in rows]
        for name, rows in said.items()
    }


def _keep(path: Path | None, kept: dict[str, list[Outcome]]) -> None:
    if path is not None:
        rows = {n: [(o.word, o.why, o.seconds) for o in found] for n, found in kept.items()}
        path.write_text(json.dumps(rows), encoding="utf-8")


def _named(text: str) -> tuple[str, Path]:
    name, _, path = text.rpartition("=")
    return name or Path(path).name, Path(path)


def _shared() -> list[tuple[str, Path]]:
    return [(path.name, path) for path in sorted(DATA.glob("*")) if path.is_dir()]


def _show(one: Series, reader: str, outcome: Outcome) -> None:
    if outcome.word == "exact":
        return
    print(
        f"  {reader} {outcome.word}: series {one.number} ({', '.join(one.kinds)};"
        f" {len(one.files)} files,"
        f" {len(one.truth)} images; judged by {one.judge})\n    {one.files[0]}"
    )
    for why in dict.fromkeys(outcome.why):
        print(f"      {why}")
    sys.stdout.flush()


def _in_a_process(reader: str, series: Sequence[Series]) -> list[Outcome]:
    """Let a process of its own, with nothing imported but this reader, do all series."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(reader, series, theirs))
    process.start()
    theirs.close()
    found: list[Outcome] = mine.recv()
    process.join()
    return found


def _serve(reader: str, series: Sequence[Series], pipe: Any) -> None:
    gc.freeze()
    pipe.send([_isolated(reader, one) for one in series])


def _isolated(reader: str, one: Series) -> Outcome:
    """Read one series in a fork with limits on time and memory."""
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_limited, args=(reader, one, theirs))
    start = time.perf_counter()
    process.start()
    theirs.close()
    try:
        if mine.poll(TIME_S):
            return mine.recv()  # type: ignore[no-any-return]
        why = f"no answer in {TIME_S} s"
    except EOFError:
        why = "the process ended without an answer"
    finally:
        process.kill()
        process.join()
    return Outcome("refused", (why,), time.perf_counter() - start)


def _limited(reader: str, one: Series, pipe: Any) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    pipe.send(_read(reader, one))
    pipe.close()


def _read(reader: str, one: Series) -> Outcome:
    read = READERS[reader][0]
    with tempfile.TemporaryDirectory() as name:
        stage(one.files, Path(name))
        start = time.perf_counter()
        try:
            answers, refused = read(Path(name))
            seconds = time.perf_counter() - start
            return _judged(reader, one, answers, refused, seconds)
        except MemoryError:
            return Outcome("refused", ("out of memory",), time.perf_counter() - start)
        except Exception as err:  # noqa: BLE001 - a fault of the reader, counted as one
            word = "wrong" if reader == "ours" else "refused"
            text = f"{type(err).__name__}: {err}" if reader == "ours" else type(err).__name__
            return Outcome(word, (text,), time.perf_counter() - start)


def _judged(
    reader: str, one: Series, answers: list[Any], refused: list[str], seconds: float
) -> Outcome:
    if not answers:
        return Outcome("refused", tuple(refused), seconds)
    if not one.truth:
        return Outcome("unjudged", (), seconds)
    verdict = judge(answers, one.truth)
    why = (f"{verdict.found} of {verdict.images} images found in {_sizes(answers)}",)
    by_headers = one.judge == "headers"
    if verdict.word == "exact" and reader == "ours" and by_headers:
        if verdict.corner_mm > CORNER_MM:
            return Outcome("wrong", (f"a corner is {verdict.corner_mm:.2g} mm off",), seconds)
        if verdict.invented and not any(a.is_colour for a in answers):
            text = f"{verdict.invented} slices that no image lies in, not said to be missing"
            return Outcome("wrong", (text,), seconds)
    if verdict.word != "exact" and refused and verdict.word == "short":
        return Outcome("refused", (*refused, *why), seconds)
    return Outcome(verdict.word, (*refused, *why) if verdict.word != "exact" else (), seconds)


def _sizes(answers: list[Any]) -> str:
    return ", ".join("x".join(map(str, one.array.shape)) for one in answers[:4])


if __name__ == "__main__":
    raise SystemExit(main())
