"""Write and read workbooks of 11, 200 and 2,000 holdings, against bare openpyxl doing the same cells; share copies.

Run: python -m benchmarks.workbook [--quick]. Each measurement is a process of its own, so that peak memory is its own;
times are the best of several rounds, ours and bare openpyxl's in turn. "The same cells": the bare script writes every
value, formula and style of our workbook to the same place with openpyxl's public calls and saves; for reading, it
loads the file and visits every cell.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

SIZES = (11, 200, 2_000)
COPIES = 200
MOST = 1.5


def portfolio(count: int) -> Any:  # noqa: ANN401 - engine types are imported lazily, as is everything measured
    from engine.data.document import portfolio_from_data

    weight = Decimal(1) / count // Decimal("0.000001") * Decimal("0.000001")
    codes = [f"X{i:05d}" for i in range(count)]
    own = {"currency": "KRW", "asset_type": "stock"}
    holdings = [
        {"symbol": code, "quantity": 10 + i, "price": 1_000 + i, "account": "A", **own} for i, code in enumerate(codes)
    ]
    body = {
        "name": "bench",
        "base_currency": "KRW",
        "holdings": holdings,
        "cash": {"KRW": 1_000_000},
        "targets": [{"ticker": c, "weight": weight, "role": "part"} for c in codes],
    }
    found, problems = portfolio_from_data({"portfolio": body}, "bench")
    assert found is not None, problems
    return found


def ours_write(count: int, path: Path) -> float:
    from templates.report import BookReport
    from templates.write import build

    report = BookReport(portfolio(count))
    started = time.perf_counter()
    path.write_bytes(build(report, "en").to_bytes())
    return time.perf_counter() - started


def bare_cells(path: Path) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """Return every cell of a workbook: row, column, value, named style."""
    from openpyxl import load_workbook

    return [
        (ws.title, [(c.row, c.column, c.value, c.style) for row in ws.iter_rows() for c in row if c.has_style])
        for ws in load_workbook(path).worksheets
    ]


def prepare(count: int, path: Path) -> float:
    """Write the workbook, and its cells for the bare script."""
    import pickle

    elapsed = ours_write(count, path)
    path.with_suffix(".cells").write_bytes(pickle.dumps(bare_cells(path)))
    return elapsed


def bare_write(source: Path, path: Path) -> float:
    import pickle

    from openpyxl import Workbook
    from openpyxl.styles import NamedStyle

    sheets = pickle.loads(source.with_suffix(".cells").read_bytes())
    started = time.perf_counter()
    book = Workbook()
    book.remove(book.worksheets[0])
    for name in sorted({cell[3] for _, cells in sheets for cell in cells} - {"Normal"}):
        book.add_named_style(NamedStyle(name))
    for title, cells in sheets:
        sheet = book.create_sheet(title)
        for row, column, value, style in cells:
            cell = sheet.cell(row, column, value)
            cell.style = style
    book.save(path)
    return time.perf_counter() - started


def ours_read(path: Path) -> float:
    from templates.read.book import read_book

    started = time.perf_counter()
    book = read_book(path)
    elapsed = time.perf_counter() - started
    assert book.portfolio is not None
    return elapsed


def bare_read(path: Path) -> float:
    from openpyxl import load_workbook

    started = time.perf_counter()
    sheets = load_workbook(path).worksheets
    seen = sum(cell.value is not None for sheet in sheets for row in sheet.iter_rows() for cell in row)
    elapsed = time.perf_counter() - started
    assert seen
    return elapsed


def share_many(path: Path, copies: int) -> float:
    """Write share copies in a row; prints the memory after a tenth of them and at the end, in MB."""
    from templates.read.book import read_book
    from templates.share import share
    from xl_addin.show.terminal import progress

    report = read_book(path).report()
    assert report is not None
    started = time.perf_counter()
    early = 0.0
    for done in progress(range(copies), copies, "share"):
        (path.parent / "copy.xlsx").write_bytes(share(report, "en").to_bytes())
        if done == copies // 10:
            early = resident()
    elapsed = time.perf_counter() - started
    sys.stderr.write(f"{early:.1f} {resident():.1f}\n")
    return elapsed


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    return pages * resource.getpagesize() / 1e6


def batch(path: Path, count: int, workers: int) -> float:
    """Make many client workbooks with so many processes."""
    from templates.models import clients as batches

    clients = tuple(batches.Client(f"c{i}", "growth", "ko") for i in range(count))
    original = os.cpu_count
    os.cpu_count = lambda: workers
    started = time.perf_counter()
    made = list(batches.write_all(clients, path.parent))
    elapsed = time.perf_counter() - started
    os.cpu_count = original
    assert len(made) == count
    return elapsed


def child(arguments: list[str]) -> None:
    what, path, number = arguments[0], Path(arguments[1]), int(arguments[2])
    actions = {
        "prepare": lambda: prepare(number, path),
        "ours-write": lambda: ours_write(number, path),
        "bare-write": lambda: bare_write(path, path.with_name("bare.xlsx")),
        "ours-read": lambda: ours_read(path),
        "bare-read": lambda: bare_read(path),
        "share": lambda: share_many(path, number),
        "batch-1": lambda: batch(path, number, 1),
        "batch-2": lambda: batch(path, number, 2),
    }
    # What is imported either way is not part of the comparison.
    import openpyxl  # noqa: F401

    import templates.read.book
    import templates.write  # noqa: F401

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    elapsed = actions[what]()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(json.dumps({"seconds": elapsed, "peak_mb": peak / 1e3, "grown_mb": (peak - before) / 1e3}))


def measure(what: str, path: Path, number: int) -> tuple[dict[str, float], str]:
    command = [sys.executable, "-m", "benchmarks.workbook", "--child", what, str(path), str(number)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout), done.stderr.strip()


def compare(what: str, path: Path, count: int, rounds: int) -> tuple[float, float]:
    """Measure ours and bare in turn; prints and returns the ratios of time and of peak memory."""
    best: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for side in ("ours", "bare"):
            found, _ = measure(f"{side}-{what}", path, count)
            kept = best.setdefault(side, found)
            best[side] = {key: min(kept[key], found[key]) for key in found}
    ours, bare = best["ours"], best["bare"]
    time_ratio, memory_ratio = ours["seconds"] / bare["seconds"], ours["peak_mb"] / bare["peak_mb"]
    print(
        f"{what:5} {count:5} holdings: {ours['seconds']:.3f} s against {bare['seconds']:.3f} s = {time_ratio:.2f} ×; "
        f"peak {ours['peak_mb']:.0f} MB against {bare['peak_mb']:.0f} MB = {memory_ratio:.2f} ×"
    )
    return time_ratio, memory_ratio


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="one round, 20 copies")
    parser.add_argument("--child", nargs=3)
    args = parser.parse_args()
    if args.child:
        child(args.child)
        return 0
    rounds, copies = (1, 20) if args.quick else (3, COPIES)
    worst = 0.0
    print(f"workbooks, {dt.datetime.now(tz=dt.UTC):%Y-%m-%d}, {os.cpu_count()} cores, best of {rounds}")
    with tempfile.TemporaryDirectory() as folder:
        for count in SIZES:
            path = Path(folder) / f"book{count}.xlsx"
            measure("prepare", path, count)  # in a process of its own: a child starts with its parent's peak
            for what in ("write", "read"):
                worst = max(worst, *compare(what, path, count, rounds))
        path = Path(folder) / f"book{SIZES[0]}.xlsx"
        found, memory = measure("share", path, copies)
        early, late = map(float, memory.split("\n")[-1].split())
        print(f"share {copies:5} copies:   {found['seconds']:.1f} s; memory {early:.0f} MB early, {late:.0f} MB late")
        one, _ = measure("batch-1", path, 60)
        two, _ = measure("batch-2", path, 60)
        print(f"batch    60 workbooks: {one['seconds']:.1f} s on one core, {two['seconds']:.1f} s on two")
    print(f"worst ratio {worst:.2f} × (at most {MOST} ×)")
    return 0 if worst <= MOST and late <= early * 1.1 else 1


if __name__ == "__main__":
    raise SystemExit(main())
