"""Beyond one machine: the same plans over a Dask cluster, also when it loses a worker."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from distributed import Client, LocalCluster

import rebalancer
from tests.many.test_plan_many import CLIENTS, DAY, client, comparable, quotes

__all__ = ["quotes"]


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Iterator[Client]:
    """Give a client of a cluster of two workers: threads of this process, or processes where asked."""
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": 50}
    with LocalCluster(processes=getattr(request, "param", False), **options) as made, Client(made) as found:
        yield found


def test_a_cluster_of_two_workers_gives_the_same_plans(cluster: Client, quotes: dict[str, Any]) -> None:
    here = comparable(rebalancer.plan_many(CLIENTS, quotes, as_of=DAY))
    made = rebalancer.plan_many(CLIENTS, quotes, as_of=DAY, executor=cluster.get_executor(), chunk=2)
    assert comparable(made) == here


@pytest.mark.soak
@pytest.mark.parametrize("cluster", [True], indirect=True)
def test_a_worker_that_is_killed_costs_nothing(cluster: Client, quotes: dict[str, Any]) -> None:
    clients = [client(number, 100 + number) for number in range(200)]
    here = comparable(rebalancer.plan_many(clients, quotes, as_of=DAY))
    made = rebalancer.plan_many(clients, quotes, as_of=DAY, executor=cluster.get_executor(), chunk=4)
    found = []
    for number, one in enumerate(made):
        if number == 20:
            os.kill(next(iter(cluster.run(os.getpid).values())), signal.SIGKILL)
        found.append(one)
    assert comparable(found) == here
