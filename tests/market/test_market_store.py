"""What was fetched survives: a killed process, two at once, a locked, corrupt or strange file."""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from engine.market.store import FILE, Breaker, Store
from engine.phrase import phrase
from engine.quote import FetchedFacts, FetchedHolding, History, Quote
from tests.market.replay_server import Replay
from tests.market.replay_vendors import NOW
from tests.market.replayed import Replayed

#: Writes batch after batch of fifty quotes; a batch's quotes all have the batch's number as their price.
WRITER = """
import datetime as dt, itertools, sys
from decimal import Decimal
from pathlib import Path
from engine.quote import Quote
from engine.market.store import Store
store, first, last = Store(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
now = dt.datetime(2026, 11, 20, 5, tzinfo=dt.UTC)
for number in range(first, last):
    quotes = [Quote(f"S{i}", Decimal(number), "USD", now, "yahoo", "closed", 0, now) for i in range(50)]
    store.put_quotes([("US", quote) for quote in quotes])
    if number == first:
        print("writing", flush=True)
print(store.problems)
"""


def write(path: Path, first: int, last: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def batches(store: Store) -> set[Decimal]:
    rows = store.quotes()
    assert len(rows) == 50
    return {quote.price for _, quote in rows.values()}


def test_killing_the_process_at_any_moment_leaves_whole_batches(tmp_path: Path) -> None:
    moments = random.Random(7)
    for round_number in range(6):
        with write(tmp_path / FILE, 1_000_000 * round_number + 1, 10**9) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "writing\n"
            time.sleep(moments.uniform(0, 0.08))
            process.kill()
        store = Store(tmp_path / FILE)
        (number,) = batches(store)
        assert number > 1_000_000 * round_number, "what this round's process wrote is there"
        with sqlite3.connect(tmp_path / FILE) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
        store.close()
        assert not store.problems


def test_two_processes_may_write_while_a_third_reads(tmp_path: Path) -> None:
    store = Store(tmp_path / FILE)
    with write(tmp_path / FILE, 1, 120) as one, write(tmp_path / FILE, 1001, 1120) as other:
        assert one.stdout is not None
        assert other.stdout is not None
        one.stdout.readline()
        other.stdout.readline()
        while one.poll() is None or other.poll() is None:
            assert len(batches(store)) == 1
        assert (one.stdout.read(), other.stdout.read()) == ("[]\n", "[]\n")
    assert batches(store) in ({Decimal(119)}, {Decimal(1119)})
    assert not store.problems
    store.close()


def quote(symbol: str = "AAPL") -> Quote:
    return Quote(
        symbol, Decimal("201.50"), "USD", NOW - dt.timedelta(hours=8), "yahoo", "closed", 60, NOW, None, "Apple"
    )


@pytest.mark.parametrize("harm", ["text", "half a page"])
def test_an_unreadable_file_is_set_aside_with_a_warning(harm: str, tmp_path: Path) -> None:
    path = tmp_path / FILE
    first = Store(path)
    first.put_quotes([("US", quote())])
    first.close()
    if harm == "text":
        path.write_text("this is no database", encoding="utf-8")
    else:
        path.write_bytes(path.read_bytes()[:100] + b"\x00" * 5000)
    store = Store(path)
    assert store.quotes() == {}
    assert [problem.code for problem in store.problems] == ["store-unreadable"]
    assert len(list(tmp_path.glob(f"{FILE}.unreadable-*"))) >= 1
    store.put_quotes([("US", quote())])
    assert store.quotes() == {"AAPL": ("US", quote())}
    store.close()


def test_an_odd_row_is_left_out_and_the_others_stay(tmp_path: Path) -> None:
    first = Store(tmp_path / FILE)
    first.put_quotes([("US", quote()), ("US", quote("MSFT"))])
    first.close()
    for odd in ("dear", "NaN", "-1", "", None):
        connection = sqlite3.connect(tmp_path / FILE)
        connection.execute("UPDATE quotes SET price = ? WHERE symbol = 'AAPL'", (odd,))
        connection.commit()
        connection.close()
        store = Store(tmp_path / FILE)
        assert set(store.quotes()) == {"MSFT"}
        assert not store.problems
        store.close()


def test_a_value_that_cannot_be_written_costs_its_own_row(tmp_path: Path) -> None:
    store = Store(tmp_path / FILE)
    odd = [quote("\ud800"), replace(quote("MSFT"), delay_seconds=10**30)]
    store.put_quotes([("US", one) for one in (*odd, quote())])
    assert set(store.quotes()) == {"AAPL"}
    assert not store.problems
    store.close()


def test_a_file_of_a_later_version_is_left_alone_and_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / FILE
    first = Store(path)
    first.put_quotes([("US", quote())])
    first.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    store = Store(path)
    store.put_quotes([("US", quote("MSFT"))])
    assert set(store.quotes()) == {"MSFT"}
    (problem,) = store.problems
    assert problem.code == "store-newer"
    assert "of a later version of this program (schema 99" in str(problem.message)
    assert path.read_bytes() == before
    store.close()


def test_a_file_of_the_first_version_keeps_its_prices(tmp_path: Path) -> None:
    path = tmp_path / FILE
    first = Store(path)
    first.put_quotes([("US", quote())])
    first.close()
    connection = sqlite3.connect(path)
    connection.executescript(
        "ALTER TABLE quotes DROP COLUMN previous; ALTER TABLE quotes DROP COLUMN doubt; PRAGMA user_version = 1;"
        "ALTER TABLE quotes DROP COLUMN kind; ALTER TABLE quotes DROP COLUMN split;"
        "CREATE TABLE breakers(source TEXT PRIMARY KEY, until REAL, step INTEGER, error TEXT);"
    )
    connection.close()
    store = Store(path)
    assert store.quotes() == {"AAPL": ("US", quote())}
    assert not store.problems
    store.close()


#: Opens a store as somebody who may not write it, and says what is in it, what is wrong, and how long that took.
READER = """
import datetime as dt, os, sys, time
from decimal import Decimal
from pathlib import Path
from engine.quote import Quote
from engine.market.store import Store
if os.getuid() == 0:
    os.setgid(65534), os.setuid(65534)
store, started = Store(Path(sys.argv[1])), time.monotonic()
now = dt.datetime(2026, 11, 20, 5, tzinfo=dt.UTC)
for number in range(20):
    store.put_quotes([("US", Quote("MSFT", Decimal(number + 1), "USD", now, "yahoo", "closed", 0, now))])
print(sorted((key, str(one.price)) for key, (_, one) in store.quotes().items()))
print([problem.code for problem in store.problems], time.monotonic() - started < 1.5)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="rights are those of a POSIX system")
def test_a_file_that_cannot_be_written_is_read_and_new_prices_stay_in_memory() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "cache"
        store = Store(folder / FILE)
        store.put_quotes([("US", quote())])
        store.close()
        Path(name).chmod(0o755)
        folder.chmod(0o555)
        (folder / FILE).chmod(0o444)
        command = [sys.executable, "-c", READER, str(folder / FILE)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        folder.chmod(0o755)
    assert done.stdout.splitlines() == ["[('AAPL', '201.50'), ('MSFT', '20')]", "['store-unwritable'] True"], (
        done.stderr
    )


def test_a_full_disk_keeps_prices_in_memory(tmp_path: Path) -> None:
    store = Store(tmp_path / FILE)
    store.put_quotes([("US", quote())])
    assert store._connection is not None
    store._connection.execute("PRAGMA max_page_count = 1")
    store.put_quotes([("US", replace(quote(f"S{i}"), name="x" * 150)) for i in range(500)])
    assert len(store.quotes()) == 501
    assert [problem.code for problem in store.problems] == ["store-unwritable"]
    store.close()


def test_an_older_answer_never_replaces_a_newer_price(tmp_path: Path) -> None:
    store = Store(tmp_path / FILE)
    newer = replace(quote(), price=Decimal(205), as_of=NOW)
    store.put_quotes([("US", newer)])
    store.put_quotes([("US", replace(quote(), fetched_at=NOW + dt.timedelta(hours=1)))])
    assert store.quotes()["AAPL"][1] == newer
    store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="rights are those of a POSIX system")
def test_only_its_owner_may_read_the_store(new_market: Callable[..., Replayed]) -> None:
    market = new_market()
    market.ask("AAPL")
    market.store.put_breaker(Breaker("krx", NOW, 0, "Blocked"))
    kept = [file for file in market.folder.rglob("*") if file.is_file()]
    assert {"market.sqlite3", "left-alone-krx.json", "cookies.db"} <= {file.name for file in kept}
    assert {oct(file.stat().st_mode & 0o077) for file in kept} == {"0o0"}


def test_what_was_set_aside_earlier_is_removed(tmp_path: Path) -> None:
    for _ in range(3):
        (tmp_path / FILE).write_text("this is no database", encoding="utf-8")
        store = Store(tmp_path / FILE)
        store.put_quotes([("US", quote())])
        store.close()
    assert len(list(tmp_path.glob(f"{FILE}.unreadable-*"))) == 1


def test_who_refused_us_is_known_without_the_store(tmp_path: Path) -> None:
    breaker = Breaker("krx", NOW + dt.timedelta(hours=24), 0, "Blocked")
    store = Store(tmp_path / FILE)
    store.put_quotes([("US", quote())])
    store.put_breaker(breaker)
    store.close()
    (tmp_path / FILE).write_text("this is no database", encoding="utf-8")
    assert Store(tmp_path / FILE).breakers() == {"krx": breaker}


def test_a_locked_file_is_a_warning_and_prices_still_come(
    new_market: Callable[..., Replayed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.market.store.PATIENCE", 0.05)
    market = new_market()
    market.store.counts()
    other = sqlite3.connect(market.store.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    batch = market.ask("AAPL")
    assert batch.ok["AAPL"].price == Decimal("201.5")
    assert [problem.code for problem in batch.problems] == ["store-locked"]
    assert market.ask("AAPL").requests == 0, "this process remembers what it could not write"
    other.execute("ROLLBACK")
    other.close()


def test_a_folder_that_cannot_be_made_is_a_warning_and_prices_still_come(
    new_market: Callable[..., Replayed], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    market = new_market("cache")
    market.store.path = tmp_path / "file" / FILE
    batch = market.ask("005930")
    assert batch.ok["005930"].price == Decimal(71000)
    assert [problem.code for problem in batch.problems] == ["store-folder"]


def test_everything_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / FILE)
    days = (dt.date(2026, 11, 18), dt.date(2026, 11, 19))
    history = History("AAPL", "USD", "yahoo", NOW, days, (Decimal("199.5"), Decimal("201.50")), (198.5, 200.25))
    facts = FetchedFacts(
        symbol="069500",
        source="naver, krx",
        fetched_at=NOW,
        name="KODEX 200",
        currency="KRW",
        fee=Decimal("0.0015"),
        aum=Decimal(6123400000000),
        holdings_count=201,
        top=(FetchedHolding("005930", "삼성전자", Decimal("0.3276")), FetchedHolding("", "NVIDIA CORP", None)),
        sectors={"IT": Decimal("0.412")},
        as_of=dt.date(2026, 11, 19),
    )
    breaker = Breaker("krx", NOW + dt.timedelta(hours=24), 0, "Blocked")
    store.put_quotes([("US", quote())], "check")
    store.put_history(history, days[0], days[1])
    store.put_facts(facts)
    store.put_breaker(breaker)
    store.put_unknown([("ZZZZ", "yahoo")], NOW)
    store.watch(["AAPL"], NOW)
    store.close()
    again = Store(tmp_path / FILE)
    assert again.quotes("check") == {"AAPL": ("US", quote())}
    assert again.quotes() == {}
    assert again.history("AAPL") == (days[0], days[1], history)
    assert again.facts("069500") == facts
    assert again.breakers() == {"krx": breaker}
    assert again.unknown(NOW) == {("ZZZZ", "yahoo")}
    assert again.watched(NOW) == ["AAPL"]
    again.clear()
    assert set(again.counts().values()) == {0}
    assert again.breakers() == {"krx": breaker}, "who refused us is not asked again sooner for that"
    again.close()


def test_an_older_answer_never_replaces_a_newer_price_and_is_not_asked_for_again_at_once(
    market: Replayed, replay: Replay
) -> None:
    market.ask("005930", "AAPL")
    replay.vendors.naver_prices = {"005930": "70000"}
    replay.vendors.traded["Asia/Seoul"] -= dt.timedelta(minutes=10)
    later = NOW + dt.timedelta(minutes=2)
    assert market.ask("005930", now=later).ok["005930"].price == 71000
    assert market.store.quotes()["005930"][1].price == 71000
    replay.forget()
    assert market.ask("005930", now=later + dt.timedelta(seconds=30)).ok["005930"].price == 71000
    assert not replay.kinds()


def test_a_doubt_that_cannot_be_said_costs_its_own_row(tmp_path: Path) -> None:
    store = Store(tmp_path / FILE)
    store.put_quotes([("US", replace(quote(), doubt=phrase("of-a-later-version"))), ("US", quote("MSFT"))])
    assert set(store.quotes()) == {"MSFT"}
    store.close()
