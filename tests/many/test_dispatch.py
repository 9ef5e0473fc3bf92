"""Chunks of jobs over an executor: in order, whole although a worker dies, never further ahead than asked."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from rebalancer.dispatch import Dispatcher


def doubled(jobs: Sequence[int]) -> list[str]:
    return [str(2 * job) for job in jobs]


def deadly(folder: str, jobs: Sequence[int]) -> list[str]:
    """Die of 33 every time, of 70 the first time."""
    for job in jobs:
        mark = Path(folder) / "died"
        if job == 33 or (job == 70 and not mark.exists()):
            if job == 70:
                mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return doubled(jobs)


def lost(job: int, fault: BaseException) -> str:
    return f"{job}: {type(fault).__name__}"


def test_few_jobs_are_done_here_and_in_order() -> None:
    with Dispatcher(workers=2) as dispatcher:
        assert list(dispatcher.map(doubled, range(5), lost)) == ["0", "2", "4", "6", "8"]
        assert dispatcher._own is None


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing kills so thoroughly here")
def test_a_killed_worker_costs_its_own_job_at_most(tmp_path: Path) -> None:
    wanted = [str(2 * job) for job in range(100)]
    wanted[33] = "33: BrokenProcessPool"
    with Dispatcher(workers=2, chunk=8, worth=10) as dispatcher:
        assert list(dispatcher.map(partial(deadly, str(tmp_path)), range(100), lost)) == wanted


def test_no_more_is_out_than_asked() -> None:
    taken = 0

    def jobs() -> Iterator[int]:
        nonlocal taken
        for job in range(1, 101):
            taken = job
            yield job

    with ThreadPoolExecutor(2) as pool:
        found = Dispatcher(pool, chunk=4, ahead=3, worth=4).map(doubled, jobs(), lost)
        furthest = [taken - done for done, _ in enumerate(found)]
    assert max(furthest) <= 4 * 4


def test_a_job_that_fails_is_done_once_more_and_then_lost() -> None:
    def picky(jobs: Sequence[int]) -> list[str]:
        if 5 in jobs:
            raise ValueError
        return doubled(jobs)

    with ThreadPoolExecutor(2) as pool:
        found = list(Dispatcher(pool, chunk=4).map(picky, range(12), lost))
    assert found == ["5: ValueError" if job == 5 else str(2 * job) for job in range(12)]


class Broken(ThreadPoolExecutor):
    """An executor of somebody else's that has lost its workers."""

    def submit(self, *_: object, **__: object) -> Future[object]:  # type: ignore[override]
        raise BrokenExecutor("gone")


def test_a_given_executor_that_is_broken_is_said_to_be() -> None:
    with Broken() as pool, pytest.raises(BrokenExecutor, match="gone"):
        list(Dispatcher(pool).map(doubled, range(12), lost))
