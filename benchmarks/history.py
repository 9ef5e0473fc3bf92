"""Fifty, two hundred and five hundred histories of two years: requests, seconds, processor time.

    python -m uv run --group test python -m benchmarks.history

Everything is asked of the local replay of the vendors (tests/market), with 60 ms before every answer, as over a real
network; each look is a process of its own, imports not counted. `interrupted` is cut off after a second and asked
again. Exit status 1 where a promise is not kept.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.market.replay_server import Replay
from tests.market.replay_vendors import NOW, Share

LATENCY = 0.06
DAYS = 500
COUNTS = (50, 200, 500)
START, END = NOW.date() - dt.timedelta(days=730), NOW.date()
#: Closes are there within the deadline of a command, however many.
DEADLINE = 20.0
LOOK = """
import datetime as dt, json, sys, time
import curl_cffi, pandas
import engine.market.wire
from engine.market.chain import default
folder, count, deadline, now = json.loads(sys.argv[1])
names = [f"Q{chr(65 + i // 26)}{chr(65 + i % 26)}X" for i in range(count)]
now = dt.datetime.fromisoformat(now)
wall, cpu = time.perf_counter(), time.process_time()
batch = default().research.history(names, now.date() - dt.timedelta(days=730), now.date(), now=now, deadline=deadline)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
whole = sum(one.total_return is not None for one in batch.ok.values())
print(json.dumps([wall, cpu, batch.requests, len(batch.ok), whole]))
"""


@dataclass(frozen=True)
class Look:
    """How one look did; `whole` are the histories with dividends."""

    what: str
    seconds: float
    cpu: float
    requests: int
    series: int
    whole: int


def universe(replay: Replay) -> None:
    """Give the vendors five hundred shares of two years."""
    days = [END - dt.timedelta(days=i) for i in range(1, 2 * DAYS) if (END - dt.timedelta(days=i)).weekday() < 5]
    days = sorted(days[:DAYS])
    for i in range(max(COUNTS)):
        name = f"Q{chr(65 + i // 26)}{chr(65 + i % 26)}X"
        replay.vendors.shares[name] = Share(name, 100.0 + i, name=name)
        replay.vendors.closes[name] = (days, [round(100 + i + (i * 7 + at) % 11, 2) for at in range(len(days))], {})


def look(replay: Replay, what: str, folder: Path, count: int, deadline: float = DEADLINE) -> Look:
    environment = {**os.environ, **replay.env, "REBALANCER_CACHE_DIR": str(folder), "PYTHONUTF8": "1"}
    job = json.dumps([str(folder), count, deadline, NOW.isoformat()])
    told: Any = json.loads(subprocess.check_output([sys.executable, "-c", LOOK, job], env=environment))
    return Look(what, *told)


def interrupted(replay: Replay, folder: Path, count: int) -> int:
    """End a look half-way, without mercy; return the requests that were made."""
    environment = {**os.environ, **replay.env, "REBALANCER_CACHE_DIR": str(folder), "PYTHONUTF8": "1"}
    job = json.dumps([str(folder), count, DEADLINE, NOW.isoformat()])
    replay.forget()
    process = subprocess.Popen([sys.executable, "-c", LOOK, job], env=environment, stdout=subprocess.DEVNULL)
    while len(replay.kinds()) < count // 2:
        time.sleep(0.01)
    process.kill()
    process.wait()
    return len(replay.kinds())


def main() -> int:
    looks = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        replay = Replay(folder)
        replay.latency = LATENCY
        universe(replay)
        for count in COUNTS:
            looks.append(look(replay, f"{count}, empty store", folder / str(count), count))
            looks.append(look(replay, f"{count}, again", folder / str(count), count))
        half = interrupted(replay, folder / "half", 200)
        rest = look(replay, "200, killed half-way, again", folder / "half", 200)
        replay.stop()
    print(f"histories of {DAYS} days, {LATENCY * 1000:g} ms before every answer")
    for one in [*looks, rest]:
        print(
            f"  {one.what:<28} {one.seconds:>6.2f} s  {one.cpu:>6.2f} s CPU  {one.requests:>4} requests"
            f"  {one.series:>4} series  {one.whole:>4} with dividends"
        )
    print(f"  before it was killed: {half} requests")
    kept = [
        ("every series is there", all(one.series == int(one.what.split(",")[0]) for one in looks)),
        ("within the deadline", all(one.seconds <= DEADLINE + 2 for one in looks)),
        ("nothing that came is asked for again", half + rest.requests <= 200 * 1.2 + 10),
    ]
    for promise, true in kept:
        print(f"  {'kept  ' if true else 'BROKEN'}  {promise}")
    return 0 if all(true for _, true in kept) else 1


if __name__ == "__main__":
    sys.exit(main())
