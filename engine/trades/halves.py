"""Plans next to the prices of several accounts: which symbol trades where, so that every account's cash comes out.

At the best prices a symbol has options that lose nothing or little (the same purchase in another account, one share
more). A plan's distance from the bound is what its options lose, plus what cash it leaves unused is priced at. So two
searches, over the options that lose no more than the best plan found:

- `descend`: change the option of one symbol, or of two, as long as that is better; started anew from a few changes.
- `join`: combine the options of half of the symbols, and of the other half, each into the combinations that lose least;
  then look for two that use up the cash together, by sorting one half by cash: as if all products were tried.

Work is counted, never timed; chance comes from a fixed seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from engine.trades.hulls import HullDual, Hulls, Options
from engine.trades.problem import Floats, Hinges, Ints, settle

#: Steps beside an option that are tried too, in its slots.
_STEPS = np.array([1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 21, 27, 34, 44, 55, 70, 89, 120, 144], dtype=np.float64)
#: Smallest change of a slot that is tried, of the total.
_FINE = 2e-6
#: Options of a symbol, and of all, between which `descend` chooses; and `join`.
_FEW, _PAIRED = 60, 450
_MANY, _JOINED = 20, 1_000
#: Symbols that `join` decides anew in a round, combinations of a half, and pairs of them that are weighed.
_OPEN, _HALF, _WEIGHED = (12, 16, 20, 30), 12_000, 1_000_000
#: What a round of either counts as work at least.
_AT_LEAST = 20_000
#: Shares of the distance to the bound that rounds look within, in turn.
_ROOMS = (1.0, 1.0, 1.0, 1.0, 0.4, 0.4, 0.4, 0.4)
#: What a unit that a rule lacks costs at least, while searching.
_LACKING = 3.0
#: Distance to the bound, relative to it, that is looked within before there is a plan; and that ends the search.
_FIRST, _CLOSE = 0.01, 2e-5

#: Called with a plan in steps by slot; tells whether it keeps every rule.
Offer = Callable[[Ints], bool]


@dataclass(frozen=True, slots=True)
class _Half:
    """Combinations of options of some symbols, k of them: options, what they lose, cost and amounts in sum."""

    chosen: Ints
    lost: Floats
    cost: Floats
    amounts: Floats


class Halves:
    """A search for plans whose trades lose little at the prices; what it finds is offered.

    `options` are those that the prices are of, where they are not of all there are. `work` counts what was weighed.
    """

    def __init__(self, hulls: Hulls, dual: HullDual, offer: Offer, options: Options | None = None) -> None:
        options = hulls.options if options is None else options
        self._listed = options
        self._hulls, self._dual, self._offer, self._problem = hulls, dual, offer, hulls.problem
        self._random = np.random.default_rng(0)
        self._penalty = max(_LACKING, 3 * float(np.abs(dual.prices).max(initial=0.0)))
        self._tiny = 1e-9 * self._problem.total
        lost = dual.lost(options)
        self._lost_of_all = lost
        first = np.searchsorted(options.owner, np.arange(len(hulls.symbols)))
        ends = np.append(first[1:], len(lost))
        best = [int(a + lost[a:b].argmin()) for a, b in zip(first, ends, strict=True)]
        #: The plan that everything starts from, one option a symbol, in steps by place.
        self._home = options.units[best]
        self.best = np.inf
        self.work = 0

    # --- what plans come to

    def _measure(self, cost: Floats, amounts: Floats) -> Floats:
        """Return what plans come to (m of them), with a penalty for what their rules lack."""
        problem, pools = self._problem, len(self._problem.cash)
        left, paid = settle(problem, problem.cash - amounts[..., :pools])
        spread = paid.sum(axis=-1)
        after = problem.cash.sum() - amounts[..., :pools].sum(axis=-1) - spread
        found = cost + spread + _at(problem.cash_below, after)
        found = found + _at(problem.cash_above, problem.cash.sum() - amounts[..., pools])
        if problem.overseas_rate:
            taxed = np.maximum(amounts[..., pools + 1] - problem.allowance, 0.0)
            found = found + problem.overseas_rate * taxed
        for row in self._hulls.joint.tolist():
            mine = problem.rows.hinges.row == row
            hinges = problem.rows.hinges
            part = Hinges(hinges.row[mine], hinges.kink[mine], hinges.sign[mine], hinges.weight[mine])
            found = found + _at(part, self._value(row, amounts))
        found = found + self._penalty * self._lacking(amounts, left, paid)
        return np.asarray(found + self._hulls.constant, dtype=np.float64)

    def _value(self, row: int, amounts: Floats) -> Floats:
        """Return what a joint row comes to."""
        place = len(self._problem.cash) + 3 + self._hulls.joint.tolist().index(row)
        return np.asarray(self._problem.rows.value[row] + amounts[..., place], dtype=np.float64)

    def _lacking(self, amounts: Floats, left: Floats, paid: Floats) -> Floats:
        """Return what plans lack to their rules, in money; `left` and `paid` are what settling their cash gives."""
        problem, pools = self._problem, len(self._problem.cash)
        lacking = np.maximum(-left, 0.0).sum(axis=-1)
        for row in self._hulls.joint.tolist():
            value = self._value(row, amounts)
            lacking = lacking + np.maximum(problem.rows.low[row] - value, 0.0)
            lacking = lacking + np.maximum(value - problem.rows.high[row], 0.0)
        if problem.turnover is not None:
            lacking = lacking + np.maximum(amounts[..., pools + 2] - problem.turnover, 0.0)
        for place, cap in enumerate(problem.risk_caps):
            column = pools + 3 + len(self._hulls.joint) + 2 * place
            after = cap.held + amounts[..., column + 1] + cap.cap * paid[..., cap.account]
            beyond = np.maximum(after - cap.cap * cap.account_value, 0.0)
            lacking = lacking + np.where(amounts[..., column] > 0, beyond, 0.0)
        return np.asarray(lacking, dtype=np.float64)

    def _units(self, home: Floats) -> Ints:
        units = np.zeros(self._problem.size, dtype=np.int64)
        known = self._hulls.slots >= 0
        units[self._hulls.slots[known]] = np.rint(home[known]).astype(np.int64)
        return units

    def start(self, units: Ints, objective: float) -> None:
        """Look for plans better than one that was found, and around it where it is good."""
        self.best = objective
        if objective - self._dual.bound > _FIRST * abs(self._dual.bound):
            return
        known = self._hulls.slots >= 0
        self._home = np.where(known, units[self._hulls.slots], 0).astype(np.float64)

    def _take(self, found: float, home: Floats) -> bool:
        """Keep a plan as the best if it is, and keeps every rule: to the last digit, so that a model finds it too."""
        if found >= self.best - self._tiny:
            return False
        problem = self._problem
        amounts = self._hulls.worth(np.arange(len(home)), home, loose=False).amounts.sum(axis=0)
        left, paid = settle(problem, problem.cash - amounts[: len(problem.cash)])
        if self._lacking(amounts, left, paid) > 1e-3 * self._tiny or not self._offer(self._units(home)):
            return False
        self.best, self._home = found, home
        return True

    @property
    def _room(self) -> float:
        """Return what options of a better plan can lose together."""
        return min(max(self.best - self._dual.bound, self._tiny), _FIRST * abs(self._dual.bound) + self._tiny)

    @property
    def is_close(self) -> bool:
        """Tell whether nothing is left to look for."""
        return bool(np.isfinite(self.best)) and self.best - self._dual.bound <= _CLOSE * self.best

    # --- options

    def _options(self, room: float, few: int, most: int) -> tuple[Options, Floats]:
        """Return options that lose no more than `room`, and what: at most `few` of a symbol and `most` in all."""
        hulls = self._hulls
        close = self._listed.of(self._lost_of_all <= room)
        parts = [(close.owner, close.units)]
        fine = np.maximum(np.floor(_FINE * self._problem.total / hulls.price), 1.0)
        steps = np.concatenate([_STEPS, -_STEPS])
        for place in range(hulls.width):
            active = np.flatnonzero(close.units[:, place] != 0)
            parts.append(self._beside(close, active, fine, steps, place, None))
            for other in range(place):
                both = active[close.units[active, other] != 0]
                parts.append(self._beside(close, both, fine, steps, place, other))
        owner, units = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
        kept = hulls.allowed(owner, units)
        # The plan at hand is always among them.
        owner = np.concatenate([np.arange(len(self._home)), owner[kept]])
        units = np.concatenate([self._home, units[kept]])
        keyed = np.unique(np.column_stack([owner, units]), axis=0)
        options = hulls.worth(keyed[:, 0].astype(np.int64), keyed[:, 1:], loose=False)
        lost = self._dual.lost(options)
        home = (options.units == self._home[options.owner]).all(axis=1)
        order = np.lexsort((np.where(home, -np.inf, lost), options.owner))
        first = np.searchsorted(options.owner[order], np.arange(len(self._home)))
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order)) - first[options.owner[order]]
        keep = home | ((lost <= room) & (rank < few))
        if int(keep.sum()) > most:
            others = np.flatnonzero(keep & ~home)
            keep[others[np.argsort(rank[others] + 1e-9 * lost[others], kind="stable")[most - len(self._home) :]]] = (
                False
            )
        return options.of(keep), lost[keep]

    def _beside(
        self, close: Options, which: Ints, fine: Floats, steps: Floats, place: int, other: int | None
    ) -> tuple[Ints, Floats]:
        """Return options with some steps more or less in one slot, and the opposite in another one."""
        units = np.repeat(close.units[which], len(steps), axis=0)
        owner = np.repeat(close.owner[which], len(steps))
        moved = np.tile(steps, len(which)) * fine[owner]
        units[:, place] += moved
        if other is not None:
            units[:, other] -= moved
        return owner, units

    # --- one or two changes

    def descend(self, work: int) -> Iterator[None]:
        """Change one option or two as long as that is better, and again after a few changes by chance."""
        end = self.work + work
        room = self._room
        options, lost, first, pairs = self._laid_out(room)
        current = self._found(options, self._home)
        home = current.copy()
        while self.work < end:
            self.work += _AT_LEAST
            found, current = self._descended(options, lost, pairs, current)
            if self._take(found, self._home_of(options, current)):
                home = current.copy()
                if self._room < 0.6 * room:
                    room = 1.02 * self._room
                    options, lost, first, pairs = self._laid_out(room)
                    home = self._found(options, self._home)
            yield
            if self.is_close:
                return
            current = home.copy()
            count = np.diff(np.append(first, len(lost)))
            for one in self._random.choice(
                len(first), min(int(self._random.integers(2, 6)), len(first)), replace=False
            ):
                own = lost[first[one] : first[one] + count[one]]
                chance = np.exp(-(own - own.min()) / (0.2 * room))
                current[one] = first[one] + self._random.choice(int(count[one]), p=chance / chance.sum())

    def _laid_out(self, room: float) -> tuple[Options, Floats, Ints, tuple[Ints, Ints]]:
        options, lost = self._options(room, _FEW, _PAIRED + len(self._home))
        first = np.searchsorted(options.owner, np.arange(len(self._home)))
        count = np.diff(np.append(first, len(lost)))
        several = np.flatnonzero(count[options.owner] > 1)[: 2 * _PAIRED]
        one, other = np.triu_indices(len(several), 1)
        one, other = several[one], several[other]
        apart = options.owner[one] != options.owner[other]
        return options, lost, first, (one[apart], other[apart])

    def _found(self, options: Options, home: Floats) -> Ints:
        """Return where a plan's options stand among all."""
        same = np.flatnonzero((options.units == home[options.owner]).all(axis=1))
        return same[np.argsort(options.owner[same], kind="stable")]

    def _home_of(self, options: Options, current: Ints) -> Floats:
        return np.asarray(options.units[current], dtype=np.float64)

    def _descended(self, options: Options, lost: Floats, pairs: tuple[Ints, Ints], current: Ints) -> tuple[float, Ints]:
        current = current.copy()
        first, second = pairs
        while True:
            cost, amounts = options.cost[current].sum(), options.amounts[current].sum(axis=0)
            now = float(self._measure(cost, amounts))
            old = current[options.owner]
            dearer, more = options.cost - options.cost[old], options.amounts - options.amounts[old]
            single = self._measure(cost + dearer, amounts + more)
            best = int(single.argmin())
            if single[best] < now - self._tiny:
                current[options.owner[best]] = best
                continue
            # What a plan's options lose together is no more than its distance from the bound.
            worse = lost - lost[old]
            room = now - self._dual.bound - float(lost[current].sum())
            near = np.flatnonzero(worse[first] + worse[second] < room)
            self.work += len(first) // 4 + len(near)
            if not len(near):
                return now, current
            one, other = first[near], second[near]
            both = self._measure(cost + dearer[one] + dearer[other], amounts + more[one] + more[other])
            best = int(both.argmin())
            if both[best] >= now - self._tiny:
                return now, current
            current[options.owner[one[best]]], current[options.owner[other[best]]] = one[best], other[best]

    # --- two halves

    def join(self, work: int) -> Iterator[None]:
        """Decide some symbols anew, all their options at once, again and again."""
        end, turn, known = self.work + work, 0, (-1.0, self._home)
        while self.work < end:
            turn += 1
            self.work += _AT_LEAST
            room = self._room * _ROOMS[turn % len(_ROOMS)]
            if known[0] != room or known[1] is not self._home:
                options, lost = self._options(room, _MANY, _JOINED + len(self._home))
                first = np.searchsorted(options.owner, np.arange(len(self._home)))
                last = np.append(first[1:], len(lost))
                current, known = self._found(options, self._home), (room, self._home)
            several = np.flatnonzero(last - first > 1)
            open_ = self._random.permutation(several)[: _OPEN[turn % len(_OPEN)]]
            kept = np.ones(len(first), dtype=np.bool_)
            kept[open_] = False
            fixed = current[kept]
            room -= float(lost[fixed].clip(0.0).sum())
            if room > 0 and len(open_):
                listed = [[np.arange(first[one], last[one]) for one in part] for part in (open_[::2], open_[1::2])]
                base = float(options.cost[fixed].sum()), options.amounts[fixed].sum(axis=0)
                left, right = (self._half(options, lost, mine, room) for mine in listed)
                found, chosen = self._joined(base, left, right, room)
                if chosen is not None:
                    home = self._home.copy()
                    home[options.owner[chosen]] = options.units[chosen]
                    self._take(found, home)
            yield
            if self.is_close:
                return

    def _half(self, options: Options, lost: Floats, listed: list[Ints], room: float) -> _Half:
        """Return combinations of one of each of the listed options, those that lose least."""
        half = _Half(
            np.zeros((1, 0), dtype=np.int64), np.zeros(1), np.zeros(1), np.zeros((1, options.amounts.shape[1]))
        )
        for mine in listed:
            both = (half.lost[:, None] + lost[mine][None, :]).ravel()
            near = np.flatnonzero(both <= room)
            if len(near) > _HALF:
                # Among what loses alike, by chance.
                blurred = both[near] + 0.3 * room * self._random.random(len(near))
                near = near[np.argpartition(blurred, _HALF)[:_HALF]]
            row, place = np.divmod(near, len(mine))
            one = mine[place]
            half = _Half(
                np.concatenate([half.chosen[row], one[:, None]], axis=1),
                both[near],
                half.cost[row] + options.cost[one],
                half.amounts[row] + options.amounts[one],
            )
            self.work += len(both) // 5
        return half

    def _joined(self, base: tuple[float, Floats], left: _Half, right: _Half, room: float) -> tuple[float, Ints | None]:
        """Return the best pair of combinations that loses no more than `room`, unused cash at its price included."""
        if not len(left.lost) or not len(right.lost):
            return np.inf, None
        pools = len(self._problem.cash)
        account = self._problem.account
        alone = [pool for pool in range(pools) if int((account == account[pool]).sum()) == 1]
        free = self._problem.cash - self._problem.reserve - base[1][:pools]
        wide = np.minimum(room / np.maximum(-self._dual.prices[:pools], 1e-9), 1e18)
        lowest, highest = np.zeros(len(left.lost), dtype=np.int64), np.full(len(left.lost), len(right.lost))
        order = np.arange(len(right.lost))
        if alone:
            # By the pool whose cash rules out most.
            spread = left.amounts[:, alone].std(axis=0) + right.amounts[:, alone].std(axis=0)
            pool = alone[int((wide[alone] / np.maximum(spread, self._tiny)).argmin())]
            order = np.argsort(right.amounts[:, pool], kind="stable")
            most = free[pool] - left.amounts[:, pool] + self._tiny
            keys = right.amounts[order, pool]
            lowest = np.searchsorted(keys, most - wide[pool])
            highest = np.searchsorted(keys, most, side="right")
        several = highest - lowest
        chosen = np.arange(len(several))
        if several.sum() > _WEIGHED:
            chosen = np.flatnonzero(self._random.random(len(several)) < _WEIGHED / several.sum())
        several = several[chosen]
        one = np.repeat(chosen, several)
        ahead = np.cumsum(several) - several
        other = order[np.arange(len(one)) - np.repeat(ahead, several) + np.repeat(lowest[chosen], several)]
        self.work += len(one)
        near = left.lost[one] + right.lost[other] <= room
        for pool in alone:
            near &= left.amounts[one, pool] + right.amounts[other, pool] <= free[pool] + self._tiny
        one, other = one[near], other[near]
        if not len(one):
            return np.inf, None
        found = self._measure(
            base[0] + left.cost[one] + right.cost[other], base[1] + left.amounts[one] + right.amounts[other]
        )
        best = int(found.argmin())
        return float(found[best]), np.concatenate([left.chosen[one[best]], right.chosen[other[best]]])


def _at(hinges: Hinges, levels: Floats) -> Floats:
    found = np.zeros_like(levels)
    for kink, sign, weight in zip(hinges.kink.tolist(), hinges.sign.tolist(), hinges.weight.tolist(), strict=True):
        found += weight * np.maximum(sign * (levels - kink), 0.0)
    return found
