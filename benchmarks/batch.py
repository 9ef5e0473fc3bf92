"""Many portfolios: `plan_many` beside a loop of commands and a loop over `plan`; two workers; memory; a killed one.

    python -m uv run --group test python -m benchmarks.batch [--whole]

Portfolios of four to fourteen instruments in two currencies; one in twenty has drifted out of its bands, as on a usual
night, or one in four, as after a bad week: those that trade take forty times as long, for the proof. Prices are given.
CPU seconds (user and system, of all processes) count where the machine may be busy; how long it took stands beside,
with the load. What two workers bring is told both ways: as it took, and by the CPU seconds of workers and of the
process that hands out, on as many cores as there are. `--whole` plans 10,000 for the memory, too. Exit status 1 where a
promise is not kept: throughput 100 times that of a loop of commands, and 0.9 times that of a loop over `plan` for each
core; two workers 1.7 times one; memory that does not grow; a result complete and equal although a worker was killed.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import rebalancer
from engine.market.quoting import QuoteBatch
from rebalancer.dispatch import cores
from rebalancer.many import PlannedOne, plan_many

DAY = dt.date(2026, 11, 20)
SYMBOLS = (
    ("360750", 21000), ("069500", 38000), ("305080", 12600), ("273130", 114000), ("091230", 42000), ("453870", 13100),
    ("133690", 132000), ("VTI", 290.0), ("SCHD", 27.5), ("QQQ", 510.0), ("SOXX", 240.0), ("NVDA", 130.0),
    ("MSFT", 420.0), ("BND", 73.0),
)  # fmt: skip
RATE = 1400
#: One in so many has drifted.
NIGHT, WEEK = 20, 4
#: What is promised.
BESIDE_COMMANDS, BESIDE_PLAN, TWO_WORKERS, MORE_MEMORY = 100.0, 0.9, 1.7, 1.1


def portfolio(number: int, one_in: int = NIGHT) -> dict[str, Any]:
    """Return a portfolio as a document: one in so many has drifted."""
    draw = random.Random(number)
    chosen = draw.sample(SYMBOLS, draw.randint(4, 14))
    weights = [draw.uniform(0.5, 1.5) for _ in chosen]
    weights = [0.97 * weight / sum(weights) for weight in weights]
    total = draw.uniform(3e7, 9e8)
    far = 0.6 if number % one_in == 0 else 0.08
    holdings, targets = [], []
    for (symbol, price), weight in zip(chosen, weights, strict=True):
        won = price if symbol.isdigit() else price * RATE
        quantity = int(total * weight * draw.uniform(1 - far, 1 + far) / won)
        holdings.append({"symbol": symbol, "quantity": quantity, "average_cost": round(price * 0.8, 2)})
        targets.append({"ticker": symbol, "weight": round(weight, 4)})
    core = {"schedule": "semi-annual", "last_rebalanced": "2026-07-01", "absolute_band": 0.05, "relative_band": 0.25}
    body = {"name": f"client {number}", "base_currency": "KRW", "holdings": holdings, "core": targets}
    return {"portfolio": {**body, "cash": {"KRW": int(total * 0.03)}, "rules": {"core": core}}}


def price_file(folder: Path) -> Path:
    rows = [f"{s},{p},{'KRW' if s.isdigit() else 'USD'},{DAY}" for s, p in (*SYMBOLS, ("USDKRW", RATE))]
    rows[-1] = f"USDKRW,{RATE},KRW,{DAY}"
    path = folder / "prices.csv"
    path.write_text("\n".join(["symbol,price,currency,as_of", *rows]) + "\n")
    return path


@dataclass(frozen=True)
class BatchRun:
    """How one way did: CPU seconds of all processes and of the one that hands out, and how long it took."""

    way: str
    portfolios: int
    cpu: float
    own: float
    seconds: float

    def __str__(self) -> str:
        each, rate = 1000 * self.cpu / self.portfolios, self.portfolios / self.seconds
        return f"{self.way:44} {self.portfolios:6} {self.cpu:8.1f} {each:8.1f} {self.seconds:8.1f} {rate:9.1f}"

    @property
    def each(self) -> float:
        """Return the CPU seconds of one portfolio."""
        return self.cpu / self.portfolios

    def on_cores(self) -> float:
        """Return how long it takes by its CPU seconds where nobody else wants the cores."""
        return max(self.cpu / cores(), self.own, 0.0)


def spent(who: int) -> float:
    found = resource.getrusage(who)
    return found.ru_utime + found.ru_stime


def of_process(pid: int) -> float:
    """Return the CPU seconds of a process that still runs."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def commands(folder: Path, prices: Path, number: int, one_in: int) -> BatchRun:
    import yaml

    began, cpu = time.perf_counter(), spent(resource.RUSAGE_CHILDREN)
    for at in range(number):
        path = folder / f"{at}.yaml"
        path.write_text(yaml.safe_dump(portfolio(at, one_in), allow_unicode=True))
        command = [sys.executable, "-m", "xl_addin", "plan", str(path), "--prices", str(prices), "--as-of", str(DAY)]
        subprocess.run([*command, "--json"], check=True, capture_output=True)
    took = spent(resource.RUSAGE_CHILDREN) - cpu
    return BatchRun("a loop of commands", number, took, took, time.perf_counter() - began)


def one_process(quotes: QuoteBatch, number: int, one_in: int) -> BatchRun:
    rebalancer.plan(rebalancer.load(portfolio(0)), quotes, as_of=DAY)
    began, cpu = time.perf_counter(), time.process_time()
    for at in range(number):
        rebalancer.plan(rebalancer.load(portfolio(at, one_in)), quotes, as_of=DAY)
    took = time.process_time() - cpu
    return BatchRun("a loop over plan", number, took, took, time.perf_counter() - began)


def over(
    way: str, executor: Executor, quotes: QuoteBatch, number: int, one_in: int, pids: Iterable[int] = ()
) -> BatchRun:
    """Plan with an executor whose workers have been started and have imported what they need."""
    warm = (portfolio(at, WEEK) for at in range(64))
    list(plan_many(warm, quotes, as_of=DAY, plans=False, executor=executor, chunk=8))
    pids = list(pids) or list(getattr(executor, "_processes", {}))
    began, own, theirs = time.perf_counter(), time.process_time(), sum(map(of_process, pids))
    given = (portfolio(at, one_in) for at in range(number))
    made = plan_many(given, quotes, as_of=DAY, plans=False, executor=executor)
    assert sum(one.status == 0 for one in made) == number
    own, theirs = time.process_time() - own, sum(map(of_process, pids)) - theirs
    return BatchRun(way, number, own + theirs, own, time.perf_counter() - began)


def over_processes(workers: int, quotes: QuoteBatch, number: int, one_in: int) -> BatchRun:
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        return over(f"plan_many, {workers} process{'es' * (workers > 1)}", pool, quotes, number, one_in)


def over_dask(workers: int, quotes: QuoteBatch, number: int, one_in: int) -> BatchRun:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster,
        Client(cluster) as client,
    ):
        pids = client.run(os.getpid).values()
        way = f"plan_many, Dask, {workers} worker{'s' * (workers > 1)}"
        return over(way, client.get_executor(), quotes, number, one_in, pids)


def peak(number: int) -> int:
    """Return the peak memory of a process that plans so many, of its workers not counted; kB."""
    code = (
        "from benchmarks.batch import *\n"
        "if __name__ == '__main__':\n"
        "    with tempfile.TemporaryDirectory() as name:\n"
        "        quotes = rebalancer.quotes((), prices=price_file(Path(name)))\n"
        f"    made = plan_many((portfolio(at) for at in range({number})), quotes, as_of=DAY)\n"
        f"    assert sum(one.status == 0 for one in made) == {number}\n"
        # What getrusage says begins with the memory of the process that started this one.
        "    print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))\n"
    )
    with tempfile.TemporaryDirectory() as name:
        script = Path(name) / "many.py"
        script.write_text(code)
        path = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
        return int(
            subprocess.run([sys.executable, str(script)], check=True, capture_output=True, text=True, env=path).stdout
        )


def killed(quotes: QuoteBatch, number: int) -> bool:
    """Tell whether a run comes to the same although one of its workers is killed half-way."""

    def result(made: Iterable[PlannedOne]) -> list[object]:
        return [(one.id, one.summary, one.status) for one in made]

    def kill_half_way(made: Iterator[PlannedOne]) -> Iterator[PlannedOne]:
        import multiprocessing

        for at, one in enumerate(made):
            if at == number // 2:
                os.kill(multiprocessing.active_children()[0].pid or 0, signal.SIGKILL)
            yield one

    whole = result(plan_many((portfolio(at) for at in range(number)), quotes, as_of=DAY, plans=False, workers=1))
    run = plan_many((portfolio(at) for at in range(number)), quotes, as_of=DAY, plans=False, workers=2)
    return result(kill_half_way(run)) == whole


def compared(
    folder: Path, prices: Path, quotes: QuoteBatch, number: int, one_in: int
) -> list[tuple[str, float, float]]:
    """Run every way, print how each did, and return each ratio with what is promised of it."""
    print(f"\none in {one_in} has drifted; load {os.getloadavg()[0]:.1f}")
    print(f"{'way':44} {'plans':>6} {'CPU s':>8} {'CPU ms':>8} {'took s':>8} {'a second':>9}")
    loop = commands(folder, prices, 12, one_in)
    single = one_process(quotes, number, one_in)
    one, two = (over_processes(workers, quotes, number, one_in) for workers in (1, 2))
    dask_one, dask_two = (over_dask(workers, quotes, number, one_in) for workers in (1, 2))
    for run in (loop, single, one, two, dask_one, dask_two):
        print(run, flush=True)
    # One worker leaves the other cores to the process that hands out.
    alone, dask_alone = (max(run.cpu - run.own, run.own) for run in (one, dask_one))
    promised = BESIDE_COMMANDS if one_in == NIGHT else 0.0
    return [
        ("plans a second beside a loop of commands", two.portfolios / two.seconds * loop.seconds / 12, promised),
        ("  by CPU seconds, on all cores", cores() * loop.each / two.each, promised),
        ("on each core beside a loop over plan, by CPU", single.each / two.each, BESIDE_PLAN),
        ("two processes beside one", one.seconds / two.seconds, TWO_WORKERS),
        ("  by CPU seconds", alone / two.on_cores(), TWO_WORKERS),
        ("two Dask workers beside one", dask_one.seconds / dask_two.seconds, TWO_WORKERS),
        ("  by CPU seconds", dask_alone / dask_two.on_cores(), TWO_WORKERS),
    ]


def main() -> int:
    whole = "--whole" in sys.argv
    print(f"{cores()} cores")
    kept = True
    with tempfile.TemporaryDirectory() as name:
        prices = price_file(Path(name))
        quotes = rebalancer.quotes((), prices=prices)
        for one_in, number in ((NIGHT, 1600), (WEEK, 400)):
            rows = compared(Path(name), prices, quotes, number, one_in)
            for what, got, least in rows:
                print(f"{what:46} {got:7.2f} x" + (f" (promised {least:g})" if least else ""))
            kept = kept and all(got >= least for _, got, least in rows)
    small, large = 1000, 10_000 if whole else 2000
    few, many = peak(small), peak(large)
    print(f"\npeak memory: {few / 1024:.0f} MB with {small:,} plans, {many / 1024:.0f} MB with {large:,}")
    equal = killed(quotes, 200)
    print(f"one of two workers killed half-way through 200: {'complete and equal' if equal else 'NOT THE SAME'}")
    print(f"load {os.getloadavg()[0]:.1f}")
    return 0 if kept and equal and many <= MORE_MEMORY * few else 1


if __name__ == "__main__":
    sys.exit(main())
