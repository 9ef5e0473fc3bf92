"""`rebalancer.plan_many`: the plans of `plan`, by whichever executor, taken up again where it was killed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import rebalancer
from engine.data.prices import parse_prices
from engine.quote import Quote
from rebalancer.many import PlannedOne

DAY = dt.date(2026, 11, 20)
PRICES = """symbol,price,currency,as_of
360750,20000,KRW,2026-11-20
QQQ,500.00,USD,2026-11-20
USDKRW,1400,KRW,2026-11-20
"""


def client(number: int, korean: int | str = 350) -> dict[str, Any]:
    """Return a portfolio of two instruments, half and half."""
    targets = [{"ticker": "360750", "weight": 0.5}, {"ticker": "QQQ", "weight": 0.5}]
    holdings = [{"symbol": "360750", "quantity": korean}, {"symbol": "QQQ", "quantity": 10 - number % 5}]
    body = {"name": f"c{number}", "base_currency": "KRW", "holdings": holdings, "targets": targets}
    return {"portfolio": {**body, "cash": {"KRW": 100000}}}


CLIENTS = [client(number) for number in range(9)]


@pytest.fixture(scope="module")
def quotes() -> dict[str, Quote]:
    found, problems = parse_prices(PRICES, "prices")
    assert problems == ()
    return found


def comparable(found: Iterable[PlannedOne]) -> list[Any]:
    return [(one.id, one.summary, one.problems, one.status) for one in found]


def test_each_plan_is_the_one_of_plan(quotes: dict[str, Quote]) -> None:
    for given, one in zip(CLIENTS, rebalancer.plan_many(CLIENTS, quotes, as_of=DAY), strict=True):
        alone = rebalancer.plan(rebalancer.load(given), quotes, as_of=DAY)
        assert one.plan is not None
        assert replace(one.plan, quality=alone.quality) == alone


def test_another_executor_gives_the_same(quotes: dict[str, Quote]) -> None:
    here = comparable(rebalancer.plan_many(CLIENTS, quotes, as_of=DAY))
    with ThreadPoolExecutor(2) as pool:
        assert comparable(rebalancer.plan_many(CLIENTS, quotes, as_of=DAY, executor=pool, chunk=2)) == here


def test_portfolios_are_taken_as_they_come(quotes: dict[str, Quote]) -> None:
    loaded = (rebalancer.load(one) for one in CLIENTS)
    assert [one.client for one in rebalancer.plan_many(loaded, quotes, as_of=DAY)] == [f"c{n}" for n in range(9)]


def test_progress_says_what_how_many_and_of_how_many(tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    (tmp_path / "prices.csv").write_text(PRICES)

    def progress(what: str, done: int, total: int | None) -> None:
        told.append((what, done, total))

    list(rebalancer.plan_many(CLIENTS[:2], prices=tmp_path / "prices.csv", as_of=DAY, progress=progress))
    assert told == [("read", 1, 2), ("read", 2, 2), ("plan", 1, 2), ("plan", 2, 2)]


def test_plans_stay_where_they_were_made_unless_wanted(quotes: dict[str, Quote]) -> None:
    assert all(one.plan is None for one in rebalancer.plan_many(CLIENTS, quotes, as_of=DAY, plans=False))


def written(one: PlannedOne) -> list[str]:
    if one.client == "c3":
        raise OSError("no room")
    return [f"{one.client}.xlsx"]


@pytest.mark.slow
def test_what_follows_a_plan_may_fail_for_one_alone(quotes: dict[str, Quote]) -> None:
    found = list(rebalancer.plan_many(CLIENTS, quotes, as_of=DAY, then=written))
    assert [one.files for one in found[2:5]] == [("c2.xlsx",), (), ("c4.xlsx",)]
    assert (found[3].status, found[3].summary is None) == (1, False)


def interrupted(clients: list[Any], journal: Path, after: int, **more: Any) -> list[Any]:
    """Plan some, and stop as a kill would: nothing is closed or tidied."""
    run = rebalancer.plan_many(clients, as_of=DAY, journal=journal, **more)
    done = [next(run) for _ in range(after)]
    kept = journal.read_bytes()
    run.close()  # type: ignore[attr-defined]
    journal.write_bytes(kept)
    return comparable(done)


def planned_anew(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of what is planned from now on."""
    from rebalancer import planning

    made: list[str] = []
    real = planning.planned

    def counted(portfolio: Any, *rest: Any, **more: Any) -> Any:
        made.append(portfolio.name)
        return real(portfolio, *rest, **more)

    monkeypatch.setattr(planning, "planned", counted)
    return made


def test_a_killed_run_goes_on_where_it_was_and_comes_to_the_same(
    quotes: dict[str, Quote], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = comparable(rebalancer.plan_many(CLIENTS, quotes, as_of=DAY))
    journal = tmp_path / "run.jsonl"
    interrupted(CLIENTS, journal, 4, quotes=quotes)
    made = planned_anew(monkeypatch)
    assert comparable(rebalancer.plan_many(CLIENTS, quotes, as_of=DAY, journal=journal)) == whole
    assert made == ["c4", "c5", "c6", "c7", "c8"]
    assert not journal.exists()


def test_a_line_cut_off_by_the_kill_is_done_again(quotes: dict[str, Quote], tmp_path: Path) -> None:
    whole = comparable(rebalancer.plan_many(CLIENTS, quotes, as_of=DAY))
    journal = tmp_path / "run.jsonl"
    interrupted(CLIENTS, journal, 4, quotes=quotes)
    journal.write_bytes(journal.read_bytes()[:-40])
    assert comparable(rebalancer.plan_many(CLIENTS, quotes, as_of=DAY, journal=journal)) == whole


def test_what_has_changed_since_or_failed_is_planned_again(
    quotes: dict[str, Quote], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "run.jsonl"
    clients = [*CLIENTS[:2], client(2, "many"), *CLIENTS[3:]]
    assert interrupted(clients, journal, 5, quotes=quotes)[2][-1] == 2
    changed = [client(0, 1000), *CLIENTS[1:]]
    made = planned_anew(monkeypatch)
    found = comparable(rebalancer.plan_many(changed, quotes, as_of=DAY, journal=journal))
    assert made[:2] == ["c0", "c2"]
    assert found == comparable(rebalancer.plan_many(changed, quotes, as_of=DAY))


def test_what_is_taken_up_again_keeps_its_prices(tmp_path: Path) -> None:
    prices, journal = tmp_path / "prices.csv", tmp_path / "run.jsonl"
    prices.write_text(PRICES)
    whole = comparable(rebalancer.plan_many(CLIENTS, prices=prices, as_of=DAY))
    interrupted(CLIENTS, journal, 4, prices=prices)
    prices.write_text(PRICES.replace("500.00", "900.00"))
    assert comparable(rebalancer.plan_many(CLIENTS, prices=prices, as_of=DAY, journal=journal)) == whole


@pytest.mark.parametrize("other", [{"as_of": dt.date(2026, 11, 19)}, {"cash_flow": Decimal(5000)}])
def test_a_journal_of_another_run_is_not_taken_up(
    quotes: dict[str, Quote], tmp_path: Path, other: dict[str, Any]
) -> None:
    journal = tmp_path / "run.jsonl"
    interrupted(CLIENTS, journal, 4, quotes=quotes)
    with pytest.raises(rebalancer.InputError, match="other settings"):
        rebalancer.plan_many(CLIENTS, quotes, **{"as_of": DAY, **other}, journal=journal)


def test_a_file_that_is_no_journal_is_left_alone(quotes: dict[str, Quote], tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    for text in ("my diary\n", "{}\n", json.dumps([1, 2]) + "\n", "no line"):
        mine.write_text(text)
        with pytest.raises(rebalancer.InputError):
            rebalancer.plan_many(CLIENTS, quotes, as_of=DAY, journal=mine)
        assert mine.read_text() == text


def test_an_unforeseen_fault_is_listed_and_the_rest_done(
    quotes: dict[str, Quote], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rebalancer import planning

    real = planning.planned

    def failing(portfolio: Any, *rest: Any, **more: Any) -> Any:
        if portfolio.name == "c4":
            raise ZeroDivisionError("by 0")
        return real(portfolio, *rest, **more)

    monkeypatch.setattr(planning, "planned", failing)
    found = list(rebalancer.plan_many(CLIENTS, quotes, as_of=DAY))
    assert [one.status for one in found] == [0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert "by 0" in str(found[4].problems[0])
