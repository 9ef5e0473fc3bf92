"""Many small jobs over any `concurrent.futures.Executor`: in order, a few chunks ahead, whole although workers die.

Nothing of our own runs between processes: a chunk is one task of the executor, its result what the task returns.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from itertools import chain, islice
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")
#: What does a chunk of jobs: a function of a module, or a partial of one, so that other processes can call it.
Work = Callable[[Sequence[T]], Sequence[R]]

#: Below this many jobs, starting processes takes longer than it saves.
WORTH_PROCESSES = 48
#: Jobs of one task: enough that handing it over costs nothing beside them, few enough that the last ones end together.
CHUNK = 16
#: Chunks handed out to another's executor before the first is back: it does not say how many workers it has.
AHEAD = 128


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Dispatcher:
    """Hands out chunks of jobs: to an executor, to processes of its own, or to none where they are few.

    A given `executor` is used and left open; one that can lose a worker has to replace it by itself, as Dask does.
    Processes of our own are started when there is enough to do, and anew when one of them dies. `ahead` bounds how many
    chunks are out, and so the memory, however many jobs there are; below `worth` jobs no process is started.
    """

    def __init__(
        self,
        executor: Executor | None = None,
        *,
        workers: int | None = None,
        chunk: int = CHUNK,
        ahead: int | None = None,
        worth: int = WORTH_PROCESSES,
    ) -> None:
        self._given = executor
        self._own: Executor | None = None
        self._worth = worth
        self._workers = workers or cores()
        self._chunk = chunk
        self._ahead = ahead or (AHEAD if executor else 2 * self._workers + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def map(self, work: Work[T, R], jobs: Iterable[T], lost: Callable[[T, BaseException], R]) -> Iterator[R]:
        """Yield what `work` makes of each job, in the order of the jobs.

        Where a task fails, its jobs are done again one by one; `lost` says what a job comes to that fails, or kills its
        process, once more. Raises BrokenExecutor where a given executor is broken for good.
        """
        jobs = iter(jobs)
        first = list(islice(jobs, self._worth))
        if self._given is None and (self._workers < 2 or (len(first) < self._worth and self._own is None)):
            # Also where there is one core only: what a process of its own would do, this one can.
            for job in chain(first, jobs):
                yield work([job])[0]
            return
        for done in self._chunks(work, chain(first, jobs), lost):
            yield from done

    def _chunks(
        self, work: Work[T, R], jobs: Iterator[T], lost: Callable[[T, BaseException], R]
    ) -> Iterator[Sequence[R]]:
        out: deque[tuple[list[T], Future[Sequence[R]]]] = deque()
        more = True
        while more or out:
            while more and len(out) < self._ahead:
                chunk = list(islice(jobs, self._chunk))
                more = bool(chunk)
                if chunk:
                    out.append((chunk, self._submit(work, chunk)))
            if not out:
                return
            chunk, future = out.popleft()
            try:
                yield future.result()
            except Exception as fault:  # noqa: BLE001 - whatever it is, it is one job's: the others are done
                broken = isinstance(fault, BrokenExecutor)
                if broken:
                    self._renew(fault)
                yield self._one_by_one(work, chunk, lost)
                if broken:
                    # Nobody knows which of the chunks under way killed the worker: each is handed out again.
                    out = deque((c, f if _is_done(f) else self._submit(work, c)) for c, f in out)

    def _one_by_one(self, work: Work[T, R], chunk: Sequence[T], lost: Callable[[T, BaseException], R]) -> list[R]:
        found: list[R] = []
        for job in chunk:
            try:
                found += self._submit(work, [job]).result()
            except Exception as fault:  # noqa: BLE001 - see above
                if isinstance(fault, BrokenExecutor):
                    self._renew(fault)
                found.append(lost(job, fault))
        return found

    def _submit(self, work: Work[T, R], chunk: Sequence[T]) -> Future[Sequence[R]]:
        try:
            return self._executor().submit(work, chunk)
        except BrokenExecutor as fault:
            self._renew(fault)
            return self._executor().submit(work, chunk)

    def _executor(self) -> Executor:
        if self._given is not None:
            return self._given
        if self._own is None:
            from concurrent.futures import ProcessPoolExecutor
            from multiprocessing import get_context

            # Spawned, not forked: the same on every system, and safe beside the threads of numpy and of Dask.
            self._own = ProcessPoolExecutor(self._workers, get_context("spawn"), _ignore_interrupt)
        return self._own

    def _renew(self, fault: Exception) -> None:
        """Let processes be started anew; raises the fault where they are another's."""
        if self._given is not None:
            raise fault
        self._close()

    def _close(self) -> None:
        if self._own is not None:
            self._own.shutdown(cancel_futures=True)
            self._own = None


def _ignore_interrupt() -> None:
    """Leave Ctrl-C to the process that hands out the work: the terminal sends it to all."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _is_done(future: Future[Sequence[R]]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
