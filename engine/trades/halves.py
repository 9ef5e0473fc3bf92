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
#: Numbers that tell options apart: of whose it is, and of the steps in each place.
_TOLD = np.random.default_rng(0).integers(1, 2**62, 64) | 1
#: Listed options of a symbol beside which steps are tried.
_BESIDE = 12
#: Smallest change of a slot that is tried, of the total.
_FINE = 2e-6
#: Options of a symbol, and of all, between which `descend` chooses; and `join`.
_FEW, _PAIRED = 60, 450
_MANY, _JOINED = 20, 1_000
#: Symbols that `join` decides anew in a round, combinations of a half, and pairs of them that are weighed.
_OPEN, _HALF, _WEIGHED = (12, 16, 20, 30), 60_000, 600_000
#: Combinations that are listed for a unit of work; the most work for a half, and the fewest that it keeps all the same.
_PER_WORK, _HALF_WORK, _LEAST_HALF = 5, 2_000_000, 2_000
#: Turns of `share` that find nothing better in a row.
_FRUITLESS = 3
#: Pairs that are measured in a round; options that `share` chooses between, and vectors of nets it tries in a round.
_MEASURED, _SHARED, _VECTORS = 2_000, 3_000, 60
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
    """Combinations of options of some symbols, k of them: what they lose, and the cash used by purse (k × purses).

    `steps` tell, symbol by symbol, the combination before and the option that was added to it.
    """

    lost: Floats
    used: Floats
    steps: tuple[tuple[Ints, Ints], ...]

    def chosen(self, which: Ints) -> Ints:
        """Return the options of some combinations, one column a symbol."""
        found = []
        for before, option in reversed(self.steps):
            found.append(option[which])
            which = before[which]
        return np.stack(found, axis=1) if found else np.zeros((len(which), 0), dtype=np.int64)


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
        #: Which purse a pool's cash is in: those of an account are one where they convert into each other.
        purse = self._problem.account if self._problem.linked else np.arange(len(self._problem.cash))
        self._purses = (purse[:, None] == np.unique(purse)[None, :]).astype(np.float64)
        self.best = np.inf
        self.work = 0

    # --- what plans come to

    def _measure(self, cost: Floats, amounts: Floats) -> Floats:
        """Return what plans come to (m of them), with a penalty for what their rules lack."""
        problem, pools = self._problem, len(self._problem.cash)
        left, paid = settle(problem, problem.cash - amounts[..., :pools])
        found = self._unsettled(cost, amounts, paid.sum(axis=-1))
        return np.asarray(found + self._penalty * self._lacking(amounts, left, paid))

    def _unsettled(self, cost: Floats, amounts: Floats, spread: Floats | float = 0.0) -> Floats:
        """Return what plans come to, given what conversions cost, without what their rules lack."""
        problem, pools = self._problem, len(self._problem.cash)
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
            column = self._hulls.risk_column(place)
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
    def bound(self) -> float:
        """Return what no plan of these options can be below."""
        return self._dual.bound

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
        close = self._nearest(room)
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
        # Each once: told apart by a number that no two of them share but by a freak.
        told = np.column_stack([owner, units]).astype(np.int64) @ _TOLD[: units.shape[1] + 1]
        once = np.unique(told, return_index=True)[1]
        once = once[np.lexsort((once, owner[once]))]
        options = hulls.worth(owner[once], units[once], loose=False)
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

    def _nearest(self, room: float) -> Options:
        """Return the listed options that lose no more than `room`, of each symbol those that lose least."""
        near = np.flatnonzero(self._lost_of_all <= room)
        near = near[np.lexsort((self._lost_of_all[near], self._listed.owner[near]))]
        owner = self._listed.owner[near]
        rank = np.arange(len(near)) - np.searchsorted(owner, owner)
        return self._listed.of(near[rank < _BESIDE])

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
                self._known = options
                used = options.amounts[:, : len(self._problem.cash)] @ self._purses
                left, right = (self._half(used, lost, mine, room) for mine in listed)
                found, chosen = self._joined(base, left, right, room)
                if chosen is not None:
                    home = self._home.copy()
                    home[options.owner[chosen]] = options.units[chosen]
                    self._take(found, home)
            yield
            if self.is_close:
                return

    def share(self, work: int) -> Iterator[None]:
        """Decide what each symbol trades over all its accounts first, then which of them, again and again.

        Which account trades costs little or nothing, and there are so many ways that one mostly fits.
        """
        end, before, fruitless = self.work + work, np.inf, 0
        while self.work < end and fruitless < _FRUITLESS:
            fruitless, before = 0 if self.best < before else fruitless + 1, self.best
            self.work += _AT_LEAST
            options, lost = self._options(self._room, _FEW, _SHARED + len(self._home))
            self._known = options
            # What a symbol trades in all: its options that lose least.
            order = np.lexsort((lost, options.units.sum(axis=1), options.owner))
            nets = options.units.sum(axis=1)[order]
            new = np.append(True, (np.diff(options.owner[order]) != 0) | (np.diff(nets) != 0))
            kind = np.empty(len(order), dtype=np.int64)
            kind[order] = np.cumsum(new) - 1
            least = order[new]
            first = np.searchsorted(options.owner[least], np.arange(len(self._home)))
            last = np.append(first[1:], len(least))
            several = np.flatnonzero(last - first > 1)
            open_ = self._random.permutation(several)
            alone = first[last - first == 1]
            pools = len(self._problem.cash)
            used = options.amounts[least][:, :pools].sum(axis=1, keepdims=True)
            listed = [[np.arange(first[one], last[one]) for one in part] for part in (open_[::2], open_[1::2])]
            room = self._room - float(lost[least[alone]].clip(0.0).sum())
            left, right = (self._half(used, lost[least], mine, room) for mine in listed)
            free = np.array([(self._problem.cash - self._problem.reserve).sum() - used[alone].sum()])
            price = np.maximum(-self._dual.prices[:pools], 1e-9)
            vectors = self._pairs(left, right, free, np.array([price.min()]), room)
            if not len(vectors):
                yield
                return
            chosen = np.concatenate([np.broadcast_to(alone, (len(vectors), len(alone))), vectors], axis=1)
            at = least[chosen]
            value = self._unsettled(options.cost[at].sum(axis=1), options.amounts[at].sum(axis=1))
            for place in np.argsort(value, kind="stable")[:_VECTORS].tolist():
                if value[place] >= self.best - self._tiny:
                    break
                self.work += _AT_LEAST
                members = [np.flatnonzero(kind == one) for one in chosen[place].tolist()]
                self._placed(options, lost, members)
                yield
                if self.is_close or self.work >= end:
                    return

    def _placed(self, options: Options, lost: Floats, members: list[Ints]) -> None:
        """Choose one of each symbol's options such that the cash of every account comes out."""
        fixed = np.concatenate([mine for mine in members if len(mine) == 1] or [np.zeros(0, dtype=np.int64)])
        open_ = sorted((mine for mine in members if len(mine) > 1), key=len)
        room = self._room - float(lost[fixed].clip(0.0).sum())
        base = float(options.cost[fixed].sum()), options.amounts[fixed].sum(axis=0)
        used = options.amounts[:, : len(self._problem.cash)] @ self._purses
        left, right = (self._half(used, lost, part, room) for part in (open_[::2], open_[1::2]))
        found, chosen = self._joined(base, left, right, room)
        if chosen is not None:
            home = self._home.copy()
            for mine in (fixed, chosen):
                home[options.owner[mine]] = options.units[mine]
            self._take(found, home)

    def _half(self, used: Floats, lost: Floats, listed: list[Ints], room: float) -> _Half:
        """Return combinations of one of each of the listed options, those that lose least: fewer of many symbols."""
        weighed = sum(len(mine) for mine in listed)
        many = int(np.clip(_PER_WORK * _HALF_WORK / max(weighed, 1), _LEAST_HALF, _HALF))
        half = _Half(np.zeros(1), np.zeros((1, used.shape[1])), ())
        for mine in listed:
            both = (half.lost[:, None] + lost[mine][None, :]).ravel()
            near = np.flatnonzero(both <= room)
            if len(near) > many:
                # Among what loses alike, by chance.
                blurred = both[near] + 0.3 * room * self._random.random(len(near))
                near = near[np.argpartition(blurred, many)[:many]]
            row, place = np.divmod(near, len(mine))
            one = mine[place]
            half = _Half(both[near], half.used[row] + used[one], (*half.steps, (row, one)))
            self.work += len(both) // _PER_WORK
        return half

    def _joined(self, base: tuple[float, Floats], left: _Half, right: _Half, room: float) -> tuple[float, Ints | None]:
        """Return the best pair of combinations that loses no more than `room`, unused cash at its price included."""
        problem, pools = self._problem, len(self._problem.cash)
        price = np.maximum(-self._dual.prices[:pools], 1e-9)
        dear = np.array([price[own > 0].min() for own in self._purses.T])
        free = (problem.cash - problem.reserve - base[1][:pools]) @ self._purses
        chosen = self._pairs(left, right, free, dear, room)
        if not len(chosen):
            return np.inf, None
        cost = self._known.cost[chosen].sum(axis=1)
        found = self._measure(base[0] + cost, base[1] + self._known.amounts[chosen].sum(axis=1))
        best = int(found.argmin())
        return float(found[best]), chosen[best]

    def _pairs(self, left: _Half, right: _Half, free: Floats, dear: Floats, room: float) -> Ints:
        """Return the options of pairs of combinations that lose least, cash left of `free` at its price included."""
        if not len(left.lost) or not len(right.lost):
            return np.zeros((0, 0), dtype=np.int64)
        need = free - left.used
        one, other = self._meeting(need, right.used, np.minimum(room / dear, 1e18))
        self.work += len(one) + len(left.lost) + len(right.lost)
        unused = need[one] - right.used[other]
        lost = left.lost[one] + right.lost[other] + np.maximum(unused, 0.0) @ dear
        near = np.flatnonzero((unused >= -self._tiny).all(axis=1) & (lost <= room))
        if len(near) > _MEASURED:
            near = near[np.argpartition(lost[near], _MEASURED)[:_MEASURED]]
        return np.concatenate([left.chosen(one[near]), right.chosen(other[near])], axis=1)

    def _meeting(self, need: Floats, used: Floats, wide: Floats) -> tuple[Ints, Ints]:
        """Return pairs (of the rows of both) in which `used` leaves of `need` at least 0 and at most some `wide`.

        By the two purses that rule out most: sorted by cells of the one, and within a cell by the other.
        """
        span = np.ptp(used, axis=0) + np.ptp(need, axis=0) + self._tiny
        hard = np.argsort(wide / span, kind="stable")
        first, second = int(hard[0]), int(hard[1]) if len(hard) > 1 else None
        share = float(np.minimum(wide / span, 1.0)[hard[:2]].prod())
        # As wide as few enough pairs remain.
        scale = min(1.0, _WEIGHED / (4.0 * share * len(need) * len(used))) ** (1.0 if second is None else 0.5)
        cell = wide[first] * scale
        lowest = float(used[:, first].min())
        mine = np.floor((used[:, first] - lowest) / cell)
        theirs = np.floor((need[:, first] - lowest + self._tiny) / cell)
        if second is None:
            rest, most, least, reach = np.zeros(len(used)), np.zeros(len(need)), np.zeros(len(need)), 0.0
        else:
            origin = float(used[:, second].min())
            rest, reach = used[:, second] - origin, float(np.ptp(used[:, second]))
            most = need[:, second] - origin + self._tiny
            least = most - wide[second] * scale
        stride = reach + 1.0
        keys = mine * stride + rest
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        meets = (most >= 0.0) & (least <= reach)
        ones, others = [], []
        for shift in (0.0, 1.0):
            at = (theirs - shift) * stride
            low = np.searchsorted(keys, at + np.clip(least, 0.0, reach), side="left")
            high = np.searchsorted(keys, at + np.clip(most, 0.0, reach), side="right")
            several = np.where(meets, high - low, 0)
            chosen = np.flatnonzero(several > 0)
            if (total := int(several.sum())) > _WEIGHED:
                chosen = chosen[self._random.random(len(chosen)) < _WEIGHED / total]
            several = several[chosen]
            ahead = np.cumsum(several) - several
            ones.append(np.repeat(chosen, several))
            others.append(order[np.arange(int(several.sum())) + np.repeat(low[chosen] - ahead, several)])
        return np.concatenate(ones), np.concatenate(others)


def _at(hinges: Hinges, levels: Floats) -> Floats:
    found = np.zeros_like(levels)
    for kink, sign, weight in zip(hinges.kink.tolist(), hinges.sign.tolist(), hinges.weight.tolist(), strict=True):
        found += weight * np.maximum(sign * (levels - kink), 0.0)
    return found
