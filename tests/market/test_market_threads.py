"""Many ask at once, one asks: batches, deadlines, imports."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path

from engine.market.catalogue import Listing
from engine.market.provider import Deadline
from engine.market.quoting import QuoteBatch
from engine.market.yahoo import Yahoo
from tests.market.replay_server import Replay
from tests.market.replay_vendors import NOW, many
from tests.market.replayed import PATIENT, SETTINGS, Replayed, forget_yahoo, until

APPLE = Listing("AAPL", "US", "USD")


def together(asks: list[Callable[[], QuoteBatch]]) -> list[QuoteBatch]:
    gate = threading.Barrier(len(asks))
    answers: list[QuoteBatch] = []

    def one(ask: Callable[[], QuoteBatch]) -> None:
        gate.wait()
        answers.append(ask())

    threads = [threading.Thread(target=one, args=(ask,)) for ask in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_fifty_threads_asking_at_once_make_one_batch(new_market: Callable[..., Replayed], replay: Replay) -> None:
    market = new_market()
    us, korean = many()
    replay.hold()
    first = threading.Thread(target=lambda: market.ask("SPY"))
    first.start()
    until(replay.kinds)  # the first batch is under way: who asks now gathers for the next one

    def let_go() -> None:
        until(lambda: (flight := market.chain._flights._gathering) and len(flight.wanted) == 50)
        replay.release()

    threading.Thread(target=let_go).start()
    answers = together([partial(market.ask, symbol) for symbol in us + korean])
    first.join()
    assert all(len(answer.ok) == 1 for answer in answers)
    asked = ["naver.quotes", "yahoo.cookie", "yahoo.crumb", "yahoo.quote", "yahoo.quote"]
    assert sorted(replay.kinds()) == asked, "cookie, crumb and a quote for the first"
    assert sum(answer.requests for answer in answers) == 2, "each request is counted in one answer"
    assert len(market.store.quotes()) == 51


def test_who_asks_while_a_batch_runs_gets_its_prices_without_another(market: Replayed, replay: Replay) -> None:
    replay.hold()
    first = threading.Thread(target=lambda: market.ask("AAPL", "005930"))
    first.start()
    until(replay.kinds)
    second: list[QuoteBatch] = []
    joins = threading.Thread(target=lambda: second.append(market.ask("AAPL")))
    joins.start()
    until(lambda: market.chain._flights._gathering)
    replay.release()
    first.join()
    joins.join()
    assert second[0].ok
    assert replay.kinds().count("yahoo.quote") == 1


def test_one_aged_price_refreshes_the_whole_watch_list(market: Replayed, replay: Replay) -> None:
    market.ask("005930", "000660", "USDKRW")
    replay.forget()
    later = NOW + dt.timedelta(minutes=11)
    assert market.ask("005930", now=later).ok
    assert sorted(replay.kinds()) == ["naver.quotes", "yahoo.quote"]
    assert {quote.fetched_at for _, quote in market.store.quotes().values()} == {later}
    assert market.ask("000660", "USDKRW", now=later).requests == 0


def test_a_symbol_unused_for_a_week_leaves_the_watch_list(market: Replayed, replay: Replay) -> None:
    market.ask("005930")
    market.ask("000660", now=NOW + dt.timedelta(days=8))
    assert market.store.quotes()["005930"][1].fetched_at == NOW


def test_a_fresh_store_makes_no_request_in_another_process(new_market: Callable[..., Replayed], replay: Replay) -> None:
    new_market().ask("AAPL", "005930", "USDKRW")
    replay.forget()
    batch = new_market().ask("AAPL", "005930", "USDKRW", now=NOW + dt.timedelta(seconds=30))
    assert (batch.requests, replay.kinds()) == (0, [])
    assert batch.ok["AAPL"].price == Decimal("201.5")


def test_refresh_asks_again_and_offline_never(market: Replayed, replay: Replay) -> None:
    market.ask("AAPL")
    replay.forget()
    assert market.ask("AAPL", refresh=True).requests == 1
    replay.forget()
    batch = market.ask("AAPL", "MSFT", now=NOW + dt.timedelta(days=3), offline=True)
    assert (set(batch.ok), set(batch.failed), replay.kinds()) == ({"AAPL"}, {"MSFT"}, [])


def test_a_slow_vendor_does_not_keep_the_other_ones_prices(new_market: Callable[..., Replayed], replay: Replay) -> None:
    market = new_market(settings=replace(SETTINGS, cross_check_wait=0.1))
    replay.fault("yahoo.*", "hang")
    batch = market.ask("005930")
    assert batch.ok["005930"].source == "naver"
    assert replay.waited_out == 0


def test_no_symbol_is_lost_where_threads_race_for_a_fresh_cache(
    new_market: Callable[..., Replayed], replay: Replay
) -> None:
    us, _ = many()
    start = NOW.date() - dt.timedelta(days=7)
    for round_number in range(2):
        market = new_market(f"cache {round_number}")
        batch = market.research.history(us[:6], start, NOW.date(), now=NOW, deadline=PATIENT)
        assert set(batch.ok) == set(us[:6])


def test_a_cache_that_cannot_be_opened_costs_no_price(tmp_path: Path, replay: Replay) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    forget_yahoo()
    answer = Yahoo(tmp_path / "file" / "yfinance").quotes([APPLE], now=NOW, deadline=Deadline(PATIENT))
    assert set(answer.ok) == {"AAPL"}


#: What a cell that shows a stored price has no use for.
HEAVY = ("yfinance", "pykrx", "curl_cffi", "requests", "matplotlib", "exchange_calendars", "pandas", "numpy", "scipy",
         "openpyxl", "PIL", "keyring", "engine.trades", "engine.words")  # fmt: skip


def test_a_stored_price_is_shown_without_anything_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from engine.market import chain\n"
        "assert chain.quotes(['AAPL'], offline=True).failed\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    environment = {**os.environ, "REBALANCER_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_importing_the_quotes_command_imports_nothing_heavy() -> None:
    heavy = ("yfinance", "pykrx", "curl_cffi", "matplotlib", "exchange_calendars", "pandas", "numpy", "keyring")
    code = (
        "import sys, engine.market.chain, xl_addin.cli.quotes\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
