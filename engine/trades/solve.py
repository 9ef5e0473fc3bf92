"""One anytime solver: plans that are surely possible first, then better ones, with a bound that no plan can be below.

Doing nothing and a plain greedy plan are tried before anything else, so that a plan that exists is never called
impossible; only a proof says that. Where one account has one cash to price, the Lagrangian dual gives a bound, a plan
near it, and what else may still be in a better plan: often a handful of trades. HiGHS decides those, or the whole
problem where the dual does not cover it, and hands back its bound, also where it was stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.trades.dual import Dual, Relaxation, applies, survivors
from engine.trades.greedy import greedy
from engine.trades.halves import Halves
from engine.trades.highs import Allowance, Effort, HighsAnswer, Model, Watch
from engine.trades.hulls import Case, Hulls
from engine.trades.near import near, part_of
from engine.trades.problem import Bools, Evaluation, Ints, Solution, TradeProblem, evaluate
from engine.trades.ways import Way, Ways

#: Money tolerance of the constraints, of the total: exact money decides later.
SLACK = 2e-9
#: Difference of objectives that is none, of the total: what sums of floats lose.
HAIR = 1e-12
#: Gap, relative to the objective, that is closed; and one that is small enough to leave in a large portfolio.
CLOSED, CLOSE = 1e-9, 8e-6
#: Gap, relative to the objective, from which all that is open is decided at once.
NEAR = 1e-3
#: Gap, relative to the objective, that HiGHS is not asked twice to narrow.
AGAIN = 5e-4
#: Gap, relative to the objective, that is left where all has been done that may be; where it is larger, a search makes
#: this part of its usual effort.
FAIR, LEAST = 3e-3, 0.2
#: Cash kept beside where HiGHS' tolerances and cutting fractions to steps leave too little, of the total.
HAIRS = (0.0, 1e-7, 1e-6)
#: Slots beyond which a small gap is left.
LARGE = 100
#: Steps, and what part of the total, by which trades are changed to mend a plan; and what HiGHS may do for it.
_BESIDE, _ASIDE, MENDING = 4, 1e-4, Effort(100, 400)
#: Trades decided anew around the dual's plan, in turn; and slots up to which HiGHS decides all that is open.
CORES = (20, 60)
MOST_OPEN = 400
#: Nodes of HiGHS times slots: in general, and over several accounts with more slots than `SMALL`.
NODES, FEWER_NODES, SMALL = 160_000, 60_000, 40
#: Nodes of HiGHS over several accounts at most, where several symbols share an aim.
MOST_NODES = 700
#: Distance from the bound of goals' prices within which ways to trade are looked at first, in orders and as a part of
#: the bound; how much further each time; what HiGHS may do each time, and how many times.
ORDERS, PART, FURTHER, WAYS, TURNS = 1.1, 0.02, 2.5, Effort(1_600, 6_400), 5
#: Ways up to which HiGHS is asked to choose among them.
LISTED = 2_000
#: Slots up to which the last digit of a plan over several accounts is proven.
FEW = 12
#: Work of a search over several accounts: at first, and where a distance is left.
QUICK_WORK, FULL_WORK = 4_000_000, 20_000_000
#: Slots up to which HiGHS counts over accounts, how much it may do there, and how far from its answer is searched then,
#: of the total; and the same where there are more than HiGHS decides otherwise: it hardly leaves its first node.
COUNTED, SHARED, WINDOW = 200, Effort(400, 3_000), 0.002
MOST_COUNTED, BRIEF = 1_000, Effort(100, 16)
#: Work of a search over several accounts that takes as long as one of HiGHS' simplex iterations.
WORK_PER_ITERATION = 1_000


@dataclass(frozen=True, slots=True)
class BestFound:
    """A solution or None, whether it is proven that there is none, and whether the search was stopped."""

    solution: Solution | None
    impossible: bool = False
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """What HiGHS is to decide: a problem, slots that must trade, where to start, the gap at which it may stop, ways."""

    problem: TradeProblem
    must: Bools | None
    start: Ints | None
    gap: float
    ways: Mapping[int, Sequence[Way]] | None = None


class UnsoundBoundError(AssertionError):
    """A bound above a plan that was found: a fault of this program, never of the person's input."""


def faults_raise() -> bool:
    """Tell whether a fault of a proof is to be raised (in tests) instead of reported as "unproven"."""
    return os.environ.get("REBALANCER_FAULTS") == "raise"


def solve(
    problem: TradeProblem,
    watch: Watch | None = None,
    effort: Effort | None = None,
    floor: float = -np.inf,
    allowance: Allowance | None = None,
    near: Ints | None = None,
) -> BestFound:
    """Return the best trades found with a bound that holds for the whole problem.

    `floor` is a bound that is known: of the same problem with rules less tight, where a plan near it is enough. What is
    done is taken from `allowance`; once that is used up, the plan and the bound so far are enough. `near` is a plan
    that all but keeps the rules: one beside it is tried first.
    A search that is stopped, by the watch or by Ctrl-C, returns what it has. The watch is heeded only once there is a
    plan; Ctrl-C before that raises KeyboardInterrupt.
    """
    search = _Search(problem, watch, effort or effort_for(problem), floor, allowance or Allowance())
    nothing = np.zeros(problem.size, dtype=np.int64)
    search.offer(nothing)
    if problem.size == 0:
        if search.best is None:
            return BestFound(None, impossible=True)
        return BestFound(Solution(nothing, search.best[0].objective - problem.rounding, "nothing to trade"))
    try:
        if near is not None and not search.offer(near):
            search.mend(near)
        if applies(problem):
            search.by_prices()
        if search.best is None or not applies(problem):
            search.offer(greedy(problem))
        if not applies(problem):
            if has_joint_aims(problem):
                search.by_aims()
            else:
                search.by_hulls()
        search.by_model()
    except KeyboardInterrupt:
        search.is_interrupted = True
    if search.is_interrupted and search.best is None:
        raise KeyboardInterrupt
    return search.found()


def has_joint_aims(problem: TradeProblem) -> bool:
    """Tell whether an aim (a row that counts what is short and what is over) is of several symbols.

    The prices over accounts decide symbol by symbol: such rows would be priced, which says little.
    """
    rows, hinges = problem.rows, problem.rows.hinges
    both = np.intersect1d(hinges.row[hinges.sign > 0], hinges.row[hinges.sign < 0])
    aimed = np.isin(rows.at, both)
    pairs = np.unique(np.stack([rows.at[aimed], problem.slots.symbol[rows.slot[aimed]]]), axis=1)
    return bool((np.bincount(pairs[0]) > 1).any()) if pairs.size else False


def effort_for(problem: TradeProblem) -> Effort:
    """Return how much HiGHS may do: fewer nodes the larger each is, for seconds and not minutes on any machine."""
    some = NODES if applies(problem) or problem.size <= SMALL else FEWER_NODES
    nodes = int(np.clip(some / max(problem.size, 1), 300, 4_000))
    if not applies(problem) and has_joint_aims(problem):
        nodes = min(nodes, MOST_NODES)
    return Effort(nodes, 4 * nodes)


class _Search:
    """The best plan and the best bound so far, and the ways to better either."""

    def __init__(
        self, problem: TradeProblem, watch: Watch | None, effort: Effort, floor: float, allowance: Allowance
    ) -> None:
        self.problem = problem
        self._watch, self._effort, self._allowance = watch, effort, allowance
        self._slack, self._hair = SLACK * problem.total, HAIR * problem.total
        self.best: tuple[Evaluation, Ints] | None = None
        #: A plan that keeps the rules only by what rounding may save: to be tried where there is no other.
        self._granted: Ints | None = None
        self.bound, self._is_first = floor, not np.isfinite(floor)
        self._close = CLOSE if problem.size > LARGE else CLOSED
        if not self._is_first and problem.size > SMALL:
            self._close, self._effort = NEAR, effort.part(2)
        self._ended = "limit"
        self._dual: Dual | None = None
        self._hulls: Hulls | None = None
        self._cases: list[Case] = []
        self.is_interrupted = self._is_enough = False
        #: The objective from which HiGHS was asked last.
        self._asked = -np.inf
        #: Whether HiGHS is only asked for plans that are better than the best.
        self._narrows = False

    def offer(self, units: Ints) -> bool:
        """Keep a plan if it keeps every rule and is better; tell whether it keeps every rule."""
        found = evaluate(self.problem, units, self._slack)
        if found.feasible and (self.best is None or found.is_before(self.best[0], self._hair)):
            self.best = found, units
        return found.feasible

    @property
    def is_stopped(self) -> bool:
        """Tell whether the search is to end with the plan there is: a watch is heeded only once there is one."""
        return self.is_interrupted or (self._is_enough and self.best is not None)

    @property
    def is_spent(self) -> bool:
        """Tell whether nothing more may be done: only once there is a plan that is not far from the bound."""
        return self.best is not None and not self._allowance.left and self.gap <= FAIR * self.best[0].objective

    @property
    def _part(self) -> float:
        """Return the part of its usual effort that a search is to make: all of it while much may be gained."""
        is_far = self.best is None or self.gap > FAIR * self.best[0].objective
        return 1.0 if is_far and self._allowance.left else max(self._allowance.fraction(), LEAST)

    @property
    def gap(self) -> float:
        """Return the distance of the best plan from the bound."""
        return np.inf if self.best is None else self.best[0].objective - self.bound

    @property
    def is_closed(self) -> bool:
        """Tell whether nothing is left to gain."""
        if self.best is None:
            return False
        return self.gap <= self._close * self.best[0].objective

    @property
    def is_proven(self) -> bool:
        """Tell whether nothing is left to gain, or HiGHS has found the best of what may be billed."""
        return self.is_closed or (self.best is not None and self._ended == "optimal")

    @property
    def is_settled(self) -> bool:
        """Tell whether a better plan is not to be searched for: none is left, or what rounding may save hides it."""
        return self.is_proven or (self.best is not None and self.gap <= self._rounding(self.best[1]))

    def by_prices(self) -> None:
        """Take the bound of the dual, and the best plan in which all but the least certain trades are the dual's."""
        relaxation = Relaxation(self.problem)
        dual = relaxation.maximise()
        if dual is None:
            return
        self._dual, self.bound = dual, max(self.bound, dual.bound)
        if not dual.whole:
            return
        units = near(relaxation, dual)
        if units is not None:
            self.offer(units)
        if self.best is not None and self.gap <= NEAR * self.best[0].objective:
            return
        second = np.where(dual.reduced > 0, dual.reduced, np.inf).min(axis=1)
        order = np.argsort(second, kind="stable")
        chosen = np.rint(dual.best).astype(np.int64)
        for core in CORES:
            open_ = np.zeros(self.problem.size, dtype=np.bool_)
            open_[order[:core]] = True
            inner = part_of(self.problem, chosen, open_)
            gap = CLOSE / 2 if self.problem.size > LARGE else 1e-7
            answer = self._ask(Model(inner, loose=False), Effort(200, 2_000), gap)
            if answer.units is not None:
                units = chosen.copy()
                units[open_] = answer.units
                if self.offer(units):
                    break
            if core >= self.problem.size:
                break

    def by_hulls(self) -> None:
        """Take the bound of prices over several accounts, and search for plans that lose little at them.

        Where a distance is left, HiGHS says what each symbol trades over all accounts, whichever of them: a better
        bound, and prices for plans near that.
        """
        hulls = Hulls(self.problem)
        cases = hulls.cases() if hulls.fits else []
        if not cases:
            return
        self._hulls, self._cases = hulls, cases
        self.bound = max(self.bound, cases[0].dual.bound)
        halves = [Halves(hulls, case.dual, self.offer, case.options) for case in cases]
        if self.best is not None:
            self._search(halves, QUICK_WORK)
        if self.best is None or self.problem.size <= SMALL:
            self.by_model()
            if self.best is None:
                return
            self._effort = self._effort.part(4)
            self._search(halves, QUICK_WORK)
            if self.problem.size <= SMALL:
                return
        self._count_first(hulls)
        self.by_model()
        if self.best is not None and self.gap > NEAR * self.best[0].objective:
            self._search(halves, FULL_WORK)

    def _count_first(self, hulls: Hulls) -> None:
        """Have HiGHS say what each symbol trades over all accounts, whichever of them, and search near that."""
        if self.best is None or self.is_settled or self.is_stopped or not self._allowance.left:
            return
        problem, must = self._remaining(hulls, self.best[0].objective)
        few = self.problem.size <= COUNTED
        if not few and (_open(problem) <= MOST_OPEN or self.problem.size > MOST_COUNTED):
            return
        # What it finds is no plan: only its bound is told on.
        answer = self._ask(
            Model(problem, must=must, shared=True),
            SHARED if few else BRIEF,
            NEAR / 100,
            watch=lambda _, bound: self.tell(np.inf, bound),
        )
        if answer.ended in ("optimal", "limit"):
            self.bound = max(self.bound, answer.bound)
        if self.is_stopped or not answer.nets or self.is_settled:
            return
        near = hulls.options.of(hulls.near(answer.nets, WINDOW * self.problem.total))
        inner = hulls.maximise(near, frozenset(at for at, cap in enumerate(problem.risk_caps) if cap.holds))
        if inner is not None:
            self._search([Halves(hulls, inner, self.offer, near)], QUICK_WORK)

    def by_aims(self) -> None:
        """Take the bound of prices on what joins goals, and have HiGHS choose among the ways that lose little at them.

        At first few ways, for few orders more than the bound: either a plan is among them, or none is that good, and
        more ways are looked at. Where a slot is for several goals, HiGHS finds a first plan, and what is to follow
        leaves out the ways to trade that no better one has.
        """
        ways = Ways(self.problem)
        dual = ways.maximise()
        if dual is None:
            self._first_by_model()
            return
        self.bound = max(self.bound, dual.bound)
        hair = 1e-9 * self.problem.total
        further = max(ORDERS * self.problem.order, PART * abs(dual.bound), hair)
        for turn in range(TURNS):
            if self.is_settled or self.is_stopped or (self.best is not None and not self._allowance.left):
                break
            limit = np.inf if self.best is None else self.best[0].objective
            if turn < TURNS - 1:
                limit = min(limit, dual.bound + further)
            listed = ways.within(dual, limit - dual.bound + hair)
            if sum(len(own) for own in listed.values()) > LISTED:
                return
            if self._decide_by_ways(listed, limit):
                break
            further *= FURTHER
        if self.best is not None and self._ended != "failed" and self.problem.size > FEW:
            self._asked = self.best[0].objective

    def _decide_by_ways(self, listed: Mapping[int, Sequence[Way]], limit: float) -> bool:
        """Have HiGHS choose among the ways of all plans up to a limit; tell whether nothing further is to be done."""
        total, beyond = self.problem.total, limit / self.problem.total + 1e-8
        start = None if self.best is None else self.best[1]
        gap = CLOSE if self.problem.size > FEW else CLOSED
        answer = self._ask(
            Model(self.problem, ways=listed),
            WAYS,
            gap,
            start=start,
            watch=lambda found, bound: self.tell(found, min(bound, limit / total)) or beyond < bound < np.inf,
        )
        if answer.ended == "failed" or (answer.ended != "infeasible" and not np.isfinite(answer.bound)):
            self._ended = "failed"
            return True
        is_beyond = answer.ended == "infeasible" or answer.bound >= limit
        if np.isfinite(bound := min(answer.bound, limit)):
            self.bound = max(self.bound, bound)
        if answer.units is not None and not self.offer(answer.units):
            self._decide_strictly(Open(self.problem, None, start, gap, listed), lambda units: units, answer)
        if answer.ended == "optimal" and self.best is not None and self.best[0].objective <= limit:
            self._ended = "optimal"
        is_held = self.best is not None and self.best[0].objective <= limit + HAIR * total
        return is_held or not (is_beyond or answer.ended == "optimal")

    def _first_by_model(self) -> None:
        """Take a first plan from HiGHS; what is to follow leaves out the ways to trade that no better one has."""
        self._asked = -np.inf if self.best is None else self.best[0].objective
        whole, self._effort = self._effort, Effort(self._effort.nodes // 4, self._effort.calls // 4)
        self._decide(self.problem, None, None, np.zeros(self.problem.size, dtype=np.int64))
        self._effort, self._asked, self._narrows = whole, -np.inf, self.best is not None

    def _search(self, cases: Sequence[Halves], work: int) -> None:
        """Search in turns, until the work is done, nothing is left to find, or it is stopped; first cases the most."""
        for place, halves in enumerate(cases):
            if self.is_settled or self.is_stopped or self.is_spent:
                return
            most = work // (place + 1)
            if self.best is not None:
                if self.best[0].objective <= halves.bound:
                    continue
                halves.start(self.best[1], self.best[0].objective)
                most = int(most * self._part)
            before = halves.work
            for turn in (halves.descend(most // 10), halves.share(most), halves.join(most // 4)):
                for _ in turn:
                    if self.is_settled or self.tell():
                        break
            self._allowance.spent += (halves.work - before) / WORK_PER_ITERATION

    def _ask(
        self, model: Model, effort: Effort, gap: float, *, start: Ints | None = None, watch: Watch | None = None
    ) -> HighsAnswer:
        """Have HiGHS solve a model: with less effort where a plan is there and much of what may be done is."""
        effort = effort.part(1 / self._part) if self.best is not None else effort
        answer = model.solve(effort, start=start, gap=gap, watch=watch or self.tell)
        self._allowance.spent += model.iterations
        return answer

    def tell(self, found: float = np.inf, bound: float = -np.inf) -> bool:
        """Tell whoever watches the best plan and bound so far, or HiGHS' own (of the total); return whether to stop.

        Once the watch or Ctrl-C has asked for that, nobody is told any more.
        """
        if self._watch is not None and not self._is_enough and not self.is_interrupted:
            total = self.problem.total
            best = np.inf if self.best is None else self.best[0].objective / total
            try:
                self._is_enough = self._watch(min(best, found), max(self.bound / total, bound))
            except KeyboardInterrupt:
                self.is_interrupted = True
        return self.is_stopped or (self._is_enough and bool(np.isfinite(found)))

    def by_model(self) -> None:
        """Let HiGHS decide what is open: what may be in a better plan, or all of it; not twice from the same plan."""
        now = np.inf if self.best is None else self.best[0].objective
        if self.is_proven or self.is_stopped or self.is_spent or now == self._asked:
            return
        if np.isfinite(self._asked) and self.gap <= AGAIN * now:
            return
        self._asked = now
        problem, must, open_ = self.problem, None, None
        dual, fixed = self._dual, np.zeros(self.problem.size, dtype=np.int64)
        if dual is not None and self.best is not None:
            # A hair more than the gap, so that the best plan itself is always among what is left.
            left = survivors(problem, dual, self.best[0].objective - dual.bound + 1e-9 * problem.total)
            must = ~left.idle
            slots = replace(
                problem.slots,
                low=left.low,
                high=left.high,
                minimum_buy=left.minimum_buy,
                minimum_sell=left.minimum_sell,
                full=problem.slots.full & (left.low == problem.slots.low),
            )
            problem = replace(problem, slots=slots)
            if dual.whole:
                open_ = ~left.decided()
                fixed = np.where(open_, 0, left.value())
                problem = part_of(problem, fixed, open_)
                must = must[open_]
        if self._hulls is not None and self.best is not None:
            problem, must = self._remaining(self._hulls, self.best[0].objective)
        if _open(problem) > MOST_OPEN and self.best is not None:
            return
        self._decide(problem, must, open_, fixed)

    def _remaining(self, hulls: Hulls, most: float) -> tuple[TradeProblem, Bools]:
        """Return the problem without the trades that are in no plan of at most `most`, and slots that trade in all."""
        # A hair more, so that the best plan itself is always among what is left.
        most += 1e-9 * self.problem.total
        cases = [case for case in self._cases if case.dual.bound <= most] or self._cases
        low, high, idle = hulls.survivors(cases, most)
        slots = self.problem.slots
        slots = replace(slots, low=low, high=high, full=slots.full & (low == slots.low))
        mended = frozenset.intersection(*(case.kept for case in cases))
        caps = enumerate(self.problem.risk_caps)
        held = tuple(replace(cap, holds=True) if place in mended else cap for place, cap in caps)
        return replace(self.problem, slots=slots, risk_caps=held), ~idle

    def _decide(self, problem: TradeProblem, must: Bools | None, open_: Bools | None, fixed: Ints) -> None:
        def whole(units: Ints) -> Ints:
            found = fixed.copy()
            found[slice(None) if open_ is None else open_] = units
            return found

        start = None if self.best is None else self.best[1][slice(None) if open_ is None else open_]
        gap = self._close if self._close == CLOSED else self._close / 4
        answer = self._ask(self._modelled(problem, must), self._effort, gap, start=start)
        self._ended = answer.ended
        if answer.ended == "infeasible":
            # What is left holds the best plan: that there is none is a fault, unless there never was one.
            if self.best is None:
                return
            if evaluate(self.problem, self.best[1], 0.0).feasible:
                if faults_raise():
                    raise UnsoundBoundError("a model called impossible has a plan")
                return
            # A plan within the tolerance of money, but not of the model's, is none beside a very large total.
            self.best = None
            if must is not None or open_ is not None:
                self._decide(self.problem, None, None, np.zeros(self.problem.size, dtype=np.int64))
            return
        if answer.ended != "failed":
            self.bound = max(self.bound, answer.bound)
        if answer.units is None or not self.offer(whole(answer.units)):
            self._decide_strictly(Open(problem, must, start, gap), whole, answer)

    def mend(self, units: Ints) -> None:
        """Look for a plan beside one that breaks a rule by a hair: the same orders, by a few steps more or less."""
        problem, slots = self.problem, self.problem.slots
        span = np.maximum(_BESIDE, np.floor(_ASIDE * problem.total / slots.price)).astype(np.int64)
        low = np.where(units < 0, np.maximum(slots.low, units - span), 0)
        high = np.where(units > 0, np.minimum(slots.high, units + span), 0)
        slots = replace(
            slots,
            low=low,
            high=high,
            minimum_buy=np.maximum(slots.minimum_buy, units - span),
            minimum_sell=np.maximum(slots.minimum_sell, -units - span),
            full=slots.full & (low == slots.low),
        )
        for hair in HAIRS:
            if self.is_stopped:
                return
            kept = replace(problem, slots=slots, reserve=problem.reserve + hair * problem.total)
            answer = self._ask(Model(kept, loose=False, must=units != 0), MENDING, CLOSE)
            if answer.units is not None and self.offer(answer.units):
                return
            if answer.units is None:
                return

    def _decide_strictly(self, part: Open, whole: Callable[[Ints], Ints], granted: HighsAnswer) -> None:
        """Let HiGHS decide without what rounding may save, which was granted before, and with a hair of cash beside."""
        if granted.units is not None:
            self.mend(whole(granted.units))
        less = self._effort.part(4)
        for hair in HAIRS:
            if self.is_spent or (self.is_settled and self.problem.size > SMALL):
                return
            kept = replace(part.problem, reserve=part.problem.reserve + hair * part.problem.total)
            again = self._ask(
                Model(kept, loose=False, must=part.must, ways=part.ways), less, part.gap, start=part.start
            )
            if again.units is not None and self.offer(whole(again.units)):
                return
            is_none = again.ended == "infeasible" and hair == 0 and self.best is None
            if is_none and self._is_first and granted.units is not None:
                self._granted = whole(granted.units)

    def _modelled(self, problem: TradeProblem, must: Bools | None) -> Model:
        model = Model(problem, must=must)
        if self._narrows and self.best is not None:
            model.leave_out(self.best[0].objective)
        return model

    def _rounding(self, units: Ints) -> float:
        """Return the most by which rounding to the smallest unit sets a bound apart from a best plan."""
        slots = self.problem.slots
        saved = ((slots.slack + 3 * slots.cash_slack) * (units != 0)).sum()
        steps = 3 * np.where(slots.continuous, slots.price, 0.0).sum()
        return float(saved + steps) + 3 * self.problem.rounding + 1e-7 * self.problem.total

    def found(self) -> BestFound:
        """Return what was found."""
        if self.best is None and self._granted is not None:
            return BestFound(Solution(self._granted, self.bound, "bounded"))
        if self.best is None:
            return BestFound(None, impossible=self._ended == "infeasible")
        proven = self.is_closed or (self._ended == "optimal" and self.gap <= self._rounding(self.best[1]))
        method = "proven" if proven else "bounded" if np.isfinite(self.bound) else "unproven"
        found = Solution(earlier_first(self.problem, self.best[1]), self.bound, method)
        return BestFound(found, stopped=self.is_stopped and not self.is_proven)


def _open(problem: TradeProblem) -> int:
    """Return how many slots may be traded."""
    return int(((problem.slots.low < 0) | (problem.slots.high > 0)).sum())


def earlier_first(problem: TradeProblem, units: Ints) -> Ints:
    """Give slots that cannot be told apart their trades in order: the larger trade to the earlier symbol."""
    slots, rows, hinges = problem.slots, problem.rows, problem.rows.hinges
    if not units.any() or len(np.unique(rows.at)) != len(rows.at):
        return units
    row_of = np.full(problem.size, -1)
    row_of[rows.slot] = rows.at
    if len(np.unique(rows.slot)) != len(rows.slot) or (row_of < 0).any():
        return units
    if len(np.unique(slots.price)) == problem.size:
        return units
    numbers = [getattr(slots, name) for name in slots.__dataclass_fields__ if name != "symbol"]
    numbers += [problem.net_low[slots.symbol], problem.net_high[slots.symbol], rows.value[row_of]]
    features = np.stack([np.asarray(number, dtype=np.float64) for number in numbers], axis=1)
    _, kind, count = np.unique(features, axis=0, return_inverse=True, return_counts=True)
    kind = kind.ravel()
    alike = np.flatnonzero(count[kind] > 1)
    order = np.argsort(hinges.row, kind="stable")
    starts = np.searchsorted(hinges.row[order], np.arange(len(rows.value) + 1))
    kinds: dict[tuple[int, bytes], list[int]] = {}
    for slot in alike.tolist():
        mine = order[starts[row_of[slot]] : starts[row_of[slot] + 1]]
        told = np.stack([hinges.kink[mine], hinges.sign[mine], hinges.weight[mine]]).tobytes()
        kinds.setdefault((int(kind[slot]), told), []).append(slot)
    result = units.copy()
    for members in kinds.values():
        if len(members) > 1:
            at = np.array(members)
            result[at] = units[at][np.argsort(-np.abs(units[at]), kind="stable")]
    return result
