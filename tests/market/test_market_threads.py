"""Many ask at once, one asks: batches, deadlines, imports."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal

from conftest import SETTINGS, Replayed
from replay_server import Replay
from replay_vendors import NOW, many

from engine.market.quoting import QuoteBatch
from engine.settings import MarketSettings


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
    market = new_market(settings=MarketSettings(gather=0.25))
    market.yahoo_ready()
    us, korean = many()
    answers = together([lambda symbol=symbol: market.ask(symbol, deadline=10) for symbol in us + korean])
    assert all(len(answer.ok) == 1 for answer in answers)
    assert sorted(replay.kinds()) == ["naver.quotes", "yahoo.cookie", "yahoo.crumb", "yahoo.quote"]
    assert sum(answer.requests for answer in answers) == 4, "each request is counted in one answer"
    assert len(market.store.quotes()) == 50


def test_who_asks_while_a_batch_runs_gets_its_prices_without_another(market: Replayed, replay: Replay) -> None:
    market.yahoo_ready()
    replay.latency = 0.2
    first = threading.Thread(target=lambda: market.ask("AAPL", "005930"))
    first.start()
    time.sleep(0.1)
    assert market.ask("AAPL").ok
    first.join()
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


def test_a_slow_vendor_does_not_keep_the_other_ones_prices(market: Replayed, replay: Replay) -> None:
    market.yahoo_ready()
    replay.fault("yahoo.*", "hang")
    started = time.monotonic()
    batch = market.ask("005930", deadline=5)
    assert batch.ok["005930"].source == "naver"
    assert time.monotonic() - started < SETTINGS.cross_check_wait + 0.5


def test_importing_the_market_imports_nothing_heavy() -> None:
    code = (
        "import sys, engine.market, engine.market.chain, xl_addin.cli.quotes\n"
        "heavy = ('yfinance', 'pykrx', 'curl_cffi', 'matplotlib', 'exchange_calendars', 'pandas', 'numpy', 'keyring')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
