"""Many portfolios planned as one job: prices fetched once for all of them, one failure listed and the rest done."""

from __future__ import annotations

import datetime as dt
import hashlib
import pickle
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.documents import Document, number, problem_list
from engine.errors import InputError, MarketDataError, Problem, error
from engine.money import ZERO
from engine.phrase import place
from engine.plan import Plan
from engine.portfolio import Portfolio
from engine.quote import Quote
from engine.settings import Mode
from rebalancer.dispatch import CHUNK, WORTH_PROCESSES, Dispatcher
from rebalancer.journal import Journal

if TYPE_CHECKING:
    from engine.market.quoting import QuoteBatch

#: What may stand for a portfolio: itself, its file, or a dict of the portfolio file's shape.
AnyPortfolio = Portfolio | str | Path | Mapping[str, Any]
#: Called with what is going on ("read", "plan"), how many are done, and of how many (None where nobody knows yet).
Progress = Callable[[str, int, int | None], None]
#: Below this many, starting processes is not worth while where each plan is also written down.
WORTH_WRITING = 8
#: Up to here what was read waits in memory, beyond in a temporary file; bytes.
_IN_MEMORY = 50_000_000


#: How a portfolio stands, by need: has orders; is outside without any that would help; is in order; has no plan.
STATUSES = ("rebalance", "stuck", "ok", "failed")


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What a table says of one plan; money in the base currency.

    `acts` are the sections that trade, `turnover` what is bought and sold, `cost` all that the orders cost at once:
    commissions, taxes, currency spread. `next_review` is the earliest of the sections'.
    """

    as_of: dt.date
    base_currency: str
    total_value: Decimal
    drift: Decimal
    needs_rebalancing: bool
    acts: tuple[str, ...]
    orders: int
    turnover: Decimal
    cost: Decimal
    next_review: dt.date | None

    @classmethod
    def of(cls, plan: Plan) -> PlanSummary:
        """Return the summary of a plan."""
        rate = plan.valuation.fx.rate
        costs = [(trade.cost + trade.tax) * rate(trade.currency) for trade in plan.trades]
        costs += [one.cost * rate(one.sell) for one in plan.conversions]
        return cls(
            as_of=plan.as_of,
            base_currency=plan.base_currency,
            total_value=plan.total_value,
            drift=plan.drift,
            needs_rebalancing=plan.needs_rebalancing,
            acts=tuple(section.section for section in plan.sections if section.acts),
            orders=len(plan.trades),
            turnover=sum((trade.amount * rate(trade.currency) for trade in plan.trades), ZERO),
            cost=sum(costs, ZERO),
            next_review=min((one.next_due for one in plan.sections if one.next_due), default=None),
        )


@dataclass(frozen=True, slots=True)
class PlannedOne:
    """What became of one portfolio of many.

    `id` is its own in the run: the file as it was given, the client, or its number. `summary` is None where there is no
    plan; `problems` then say why, and `status` is what `rebalancer plan` would have left with: 0 done, 2 bad input,
    3 market data, 1 anything else. `files` are what was written of it, `source` the file it came from alone, `lang` the
    language asked for. `plan` is None where plans are not kept, and where it was made in an earlier run.
    """

    id: str
    client: str
    summary: PlanSummary | None
    problems: tuple[Problem, ...] = ()
    status: int = 0
    files: tuple[str, ...] = ()
    source: Path | None = field(default=None, compare=False)
    lang: str = field(default="", compare=False)
    plan: Plan | None = field(default=None, compare=False)

    def to_json(self) -> Document:
        """Return the row of `rebalancer plan FILE… --json`."""
        found = self.summary
        row: Document = {"id": self.id, "client": self.client, "status": STATUSES[self.need[0]]}
        if found is not None:
            row |= {
                "as_of": found.as_of.isoformat(),
                "base_currency": found.base_currency,
                "total_value": number(found.total_value),
                "drift": number(found.drift),
                "needs_rebalancing": found.needs_rebalancing,
                "acts": list(found.acts),
                "orders": found.orders,
                "turnover": number(found.turnover),
                "cost": number(found.cost),
                "next_review": found.next_review.isoformat() if found.next_review else None,
            }
        return {**row, "files": list(self.files), "problems": problem_list(self.problems)}

    @property
    def is_stopped(self) -> bool:
        """Tell whether Ctrl-C ended the search for its plan, which is the best so far."""
        return any(problem.code == "search-stopped" for problem in self.problems)

    @property
    def need(self) -> tuple[int, Decimal]:
        """Return where it stands in a list sorted by need, an index of `STATUSES`, and by how far off it is."""
        if self.summary is None:
            return (STATUSES.index("failed"), ZERO)
        stuck = "stuck" if self.summary.acts else "ok"
        status = "rebalance" if self.summary.needs_rebalancing else stuck
        return (STATUSES.index(status), -self.summary.drift)


#: Called with each plan where it was made; returns the files it wrote. Other processes have to be able to call it.
Then = Callable[[PlannedOne], Iterable[str | Path]]


@dataclass(frozen=True, slots=True)
class Listed:
    """A portfolio of a list, not read yet: what it is called in the run, and what reads it, in whichever process.

    `source` is the file that holds it alone, where there is one; `lang` the language of what is written of it, where it
    has one of its own.
    """

    id: str
    client: str
    load: Callable[[], Portfolio]
    source: Path | None = None
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every portfolio of a run; see `rebalancer.plan`."""

    as_of: dt.date
    mode: Mode | None = None
    cash_flow: Decimal | None = None
    allow_stale: bool = False
    history: Path | None = None
    offline: bool = False


@dataclass(frozen=True, slots=True)
class _Read:
    """A portfolio as it was read, or why it could not be; `made_from` is the same where the same was read."""

    listed: Listed
    portfolio: Portfolio | None
    problems: tuple[Problem, ...]
    status: int
    made_from: str


@dataclass(frozen=True, slots=True)
class _Job:
    """A portfolio on its way to be planned: listed, or read and pickled; `known` is what it was last planned from."""

    portfolio: Listed | bytes
    known: str


@dataclass(frozen=True, slots=True)
class _Made:
    """The answer to a job: what became of it, None where it is as it was when it was last planned."""

    id: str
    made_from: str
    one: PlannedOne | None


@dataclass(frozen=True, slots=True)
class _Run:
    """What every task of a run needs to know, prices above all: pickled and pressed once, read once by each process."""

    batch: QuoteBatch
    terms: Terms
    then: Then | None
    plans: bool


def plan_many(
    portfolios: Iterable[AnyPortfolio | Listed],
    quotes: QuoteBatch | Mapping[str, Quote] | None = None,
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    chunk: int = CHUNK,
    ahead: int | None = None,
    as_of: dt.date | None = None,
    mode: Mode | None = None,
    cash_flow: Decimal | float | None = None,
    allow_stale: bool = False,
    history: str | Path | None = None,
    prices: str | Path | None = None,
    offline: bool = False,
    accept: Mapping[str, Decimal] | None = None,
    plans: bool = True,
    then: Then | None = None,
    progress: Progress | None = None,
    journal: str | Path | None = None,
) -> Iterator[PlannedOne]:
    """Return what becomes of each portfolio, in the order given, each as soon as it is known: its plan, or why not.

    Portfolios are taken from the iterable a few `chunk`s `ahead` of what is handed back, so that memory stays flat
    however many there are; `plans=False` leaves the plans where they were made and brings their summaries only. Many
    are planned on all cores (`workers`), in processes: a script that calls this stands under
    `if __name__ == "__main__":`. `executor` is any other executor, such as Dask's `client.get_executor()`; it is left
    open.

    With `quotes`, each portfolio is read where it is planned. Without, all are read first, and what they need is
    fetched in one question: `prices` is a price file, which beats the sources, `offline` takes what is stored, `accept`
    are doubtful prices by symbol that a person has confirmed. `as_of`, `mode`, `cash_flow`, `allow_stale` and `history`
    are those of `plan`.

    `then` is called with each plan where it was made, and returns the files it wrote. `progress` is called with what is
    going on ("read", "plan"), how many are done, and of how many. `journal` is a file that keeps what is done: the same
    call after a kill goes on from there, on the same prices, and plans again only what has changed or failed; it is
    removed at the end.

    What is wrong with one portfolio is told in its place, and the others are planned: also where one brings down its
    process. Raises InputError for a price file that cannot be used, an accepted price that is not the price, a journal
    of another run; BrokenExecutor where a given executor is broken for good.
    """
    from rebalancer.clock import today

    flow = None if cash_flow is None else Decimal(str(cash_flow))
    terms = Terms(as_of or today(), mode, flow, allow_stale, Path(history) if history else None, offline)
    run = _Run(_given(quotes, prices), terms, then, plans)
    kept = None
    if journal is not None:
        from engine.market.quoting import QuoteBatch

        fixed = None if quotes is None else _print(sorted(run.batch.ok.items()))
        kept = Journal(Path(journal), (terms, fixed), (PlannedOne, PlanSummary, QuoteBatch))
    dispatcher = Dispatcher(
        executor, workers=workers, chunk=chunk, ahead=ahead, worth=WORTH_PROCESSES if then is None else WORTH_WRITING
    )
    total = len(portfolios) if isinstance(portfolios, Sized) else None
    listed = (_listed(position, one) for position, one in enumerate(portfolios, 1))
    work = _Work(dispatcher, kept, run, progress or _silent)
    return work.on_given(listed, total) if quotes is not None else work.on_fetched(listed, total, accept or {})


def _given(quotes: QuoteBatch | Mapping[str, Quote] | None, prices: str | Path | None) -> QuoteBatch:
    """Return the prices that are there before any is fetched; raises InputError for an unusable price file."""
    from engine.market.quoting import QuoteBatch
    from rebalancer.quoting import quotes_in

    if isinstance(quotes, QuoteBatch):
        return quotes
    found, told = (quotes, ()) if quotes is not None else quotes_in(Path(prices) if prices is not None else None)
    if any(problem.severity == "error" for problem in told):
        raise InputError(told)
    return QuoteBatch(found, {}, 0, told)


def _silent(_what: str, _done: int, _total: int | None) -> None:
    """Tell nobody how far it is."""


@dataclass(frozen=True, slots=True)
class _Work:
    """One run: hands out the portfolios, and gives back what becomes of them."""

    dispatcher: Dispatcher
    journal: Journal | None
    run: _Run
    tell: Progress

    def on_given(self, listed: Iterable[Listed], total: int | None) -> Iterator[PlannedOne]:
        """Yield what becomes of each, read where it is planned."""
        with self.dispatcher:
            yield from self._planned((_Job(one, self._known(one.id)) for one in listed), self.run, total)

    def on_fetched(
        self, listed: Iterable[Listed], total: int | None, accept: Mapping[str, Decimal]
    ) -> Iterator[PlannedOne]:
        """Yield what becomes of each, all read before the prices are fetched; what was read waits out of memory."""
        with self.dispatcher, tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
            needed: dict[str, None] = {}
            count = 0
            reading = partial(_read_chunk, frozenset(self.run.batch.ok))
            for count, (name, symbols, data) in enumerate(self.dispatcher.map(reading, listed, _unread), 1):
                needed |= dict.fromkeys(symbols)
                pickle.dump((name, data), spool)
                self.tell("read", count, total)
            run = replace(self.run, batch=self._fetched(needed, accept))
            spool.seek(0)
            # Our own temporary file, which nobody else can write to.
            read = (pickle.load(spool) for _ in range(count))  # noqa: S301
            yield from self._planned((_Job(data, self._known(name)) for name, data in read), run, count)

    def _known(self, name: str) -> str:
        return self.journal.done[name][0] if self.journal and name in self.journal.done else ""

    def _fetched(self, needed: Iterable[str], accept: Mapping[str, Decimal]) -> QuoteBatch:
        """Return the prices of all: those that an interrupted run went on, and the sources'."""
        from rebalancer.quoting import quotes_of_all

        given: QuoteBatch = self.run.batch
        if self.journal and self.journal.market is not None:
            given = self.journal.market
        lacking = [symbol for symbol in needed if symbol not in given.ok and symbol not in given.failed]
        found = quotes_of_all(lacking, given.ok, offline=self.run.terms.offline, accept=accept)
        batch = replace(
            found,
            failed={**given.failed, **found.failed},
            requests=given.requests + found.requests,
            problems=(*given.problems, *found.problems),
        )
        if self.journal and (lacking or self.journal.market is None):
            self.journal.keep_market(batch)
        return batch

    def _planned(self, jobs: Iterator[_Job], run: _Run, total: int | None) -> Iterator[PlannedOne]:
        blob, finished = zlib.compress(pickle.dumps(run), 1), False
        try:
            for done, made in enumerate(self.dispatcher.map(partial(_plan_chunk, blob), jobs, _lost), 1):
                one = made.one
                if one is None and self.journal:
                    one = self.journal.done[made.id][1]
                elif one is not None and self.journal and one.status == 0 and not one.is_stopped:
                    self.journal.keep(made.id, made.made_from, one)
                assert one is not None  # noqa: S101 - only what a journal knows comes back empty
                self.tell("plan", done, total)
                yield one
            finished = True
        finally:
            if self.journal:
                self.journal.close(finished=finished)


def _listed(position: int, one: AnyPortfolio | Listed) -> Listed:
    """Return a portfolio as one of the list: files are called by their path, others by their place in it."""
    from rebalancer.loading import load

    if isinstance(one, Listed):
        return one
    if isinstance(one, Portfolio):
        return Listed(str(position), one.name, partial(_itself, one))
    if isinstance(one, Mapping):
        return Listed(str(position), "", partial(load, one))
    return Listed(str(one), Path(one).stem, partial(load, one), Path(one))


def _itself(portfolio: Portfolio) -> Portfolio:
    return portfolio


def _read_chunk(given: frozenset[str], listed: Sequence[Listed]) -> list[tuple[str, list[str], bytes]]:
    """Return of each portfolio its id, the prices it needs beside the given ones, and itself, pickled."""
    from rebalancer.quoting import wanted_symbols

    found = []
    for one in listed:
        read = _read(one)
        symbols = wanted_symbols(read.portfolio, given) if read.portfolio else []
        found.append((one.id, symbols, pickle.dumps(read)))
    return found


def _read(listed: Listed) -> _Read:
    try:
        portfolio = listed.load()
    except InputError as fault:
        return _Read(listed, None, fault.problems, 2, "")
    except Exception as fault:  # noqa: BLE001 - an unforeseen one is listed too
        return _Read(listed, None, (unforeseen(fault),), 1, "")
    return _Read(listed, portfolio, (), 0, _print(portfolio))


def _unread(listed: Listed, fault: BaseException) -> tuple[str, list[str], bytes]:
    return listed.id, [], pickle.dumps(_Read(listed, None, (unforeseen(fault),), 1, ""))


def unforeseen(fault: BaseException) -> Problem:
    """Return what is said of a portfolio that a fault of the program, or of the machine, has stopped."""
    what = f"{type(fault).__name__}: {fault}".splitlines()[0]
    return error("unexpected", place("portfolio"), what=what)


def _print(value: object) -> str:
    """Return a print of a record: the same where it is the same."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]


@lru_cache(maxsize=2)
def _run_of(blob: bytes) -> _Run:
    """Return what a run's tasks need to know, unpickled once in each process."""
    run: _Run = pickle.loads(zlib.decompress(blob))  # noqa: S301 - from the process that runs this one
    return run


def _plan_chunk(blob: bytes, jobs: Sequence[_Job]) -> list[_Made]:
    """Return what becomes of each job."""
    run = _run_of(blob)
    return [_made(job, run) for job in jobs]


def _read_of(job: _Job) -> _Read:
    if isinstance(job.portfolio, Listed):
        return _read(job.portfolio)
    read: _Read = pickle.loads(job.portfolio)  # noqa: S301 - from `_read_chunk`
    return read


def _made(job: _Job, run: _Run) -> _Made:
    read = _read_of(job)
    name = read.listed.id
    if job.known and job.known == read.made_from:
        return _Made(name, read.made_from, None)
    client = (read.portfolio.name if read.portfolio else "") or read.listed.client or name
    listed = read.listed
    one = PlannedOne(name, client, None, read.problems, read.status, source=listed.source, lang=listed.lang)
    if read.portfolio is not None:
        one = _planned(one, read.portfolio, run)
    if one.summary is not None and run.then is not None:
        one = _followed(one, run.then)
    return _Made(name, read.made_from, one if run.plans else replace(one, plan=None))


def _planned(one: PlannedOne, portfolio: Portfolio, run: _Run) -> PlannedOne:
    """Return the portfolio with its plan, or with why there is none: whatever it is, it does not stop the others."""
    from rebalancer.ledgers import with_year
    from rebalancer.loading import is_workbook
    from rebalancer.planning import adjusted, in_force, planned
    from rebalancer.quoting import told_of

    terms = run.terms
    book = one.source if terms.offline and one.source and is_workbook(one.source) else None
    try:
        portfolio, problems = adjusted(portfolio, terms.mode, terms.cash_flow)
        quotes, told = told_of(portfolio, run.batch, book)
        portfolio, bands = in_force(portfolio, terms.as_of, terms.history, offline=terms.offline)
        known = with_year(portfolio, one.source, terms.as_of) if one.source else portfolio
        plan = planned(known, quotes, terms.as_of, (*problems, *told, *bands), allow_stale=terms.allow_stale)
        plan = replace(plan, portfolio=replace(plan.portfolio, settings=portfolio.settings))
    except InputError as fault:
        return replace(one, problems=fault.problems, status=2)
    except MarketDataError as fault:
        return replace(one, problems=fault.listed(), status=3)
    except Exception as fault:  # noqa: BLE001 - an unforeseen one is listed too
        return replace(one, problems=(unforeseen(fault),), status=1)
    return replace(one, summary=PlanSummary.of(plan), problems=plan.problems, plan=plan)


def _followed(one: PlannedOne, then: Then) -> PlannedOne:
    try:
        return replace(one, files=tuple(map(str, then(one))))
    except InputError as fault:
        return replace(one, problems=(*one.problems, *fault.problems), status=2)
    except Exception as fault:  # noqa: BLE001 - an unforeseen one is listed too
        return replace(one, problems=(*one.problems, unforeseen(fault)), status=1)


def _lost(job: _Job, fault: BaseException) -> _Made:
    """Return what is said of a portfolio that brought down its process, twice."""
    listed = job.portfolio if isinstance(job.portfolio, Listed) else _read_of(job).listed
    one = PlannedOne(listed.id, listed.client or listed.id, None, (unforeseen(fault),), 1, source=listed.source)
    return _Made(listed.id, "", one)


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over the planned portfolios of one base currency: nothing is added up over several."""

    base_currency: str
    portfolios: int
    needs_rebalancing: int
    total_value: Decimal
    orders: int
    turnover: Decimal
    cost: Decimal


def totals(planned: Iterable[PlannedOne]) -> tuple[Totals, ...]:
    """Return the sums of what is planned, by base currency in the order of first use."""
    found: dict[str, list[PlanSummary]] = {}
    for one in planned:
        if one.summary is not None:
            found.setdefault(one.summary.base_currency, []).append(one.summary)
    return tuple(
        Totals(
            currency,
            len(every),
            sum(one.needs_rebalancing for one in every),
            sum((one.total_value for one in every), ZERO),
            sum(one.orders for one in every),
            sum((one.turnover for one in every), ZERO),
            sum((one.cost for one in every), ZERO),
        )
        for currency, every in found.items()
    )
