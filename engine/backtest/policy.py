"""Rebalancing policies: when one trades, and how far.

A name reads as `WHEN` or `BAND@WHEN`:

- `never` buys once, and spreads later money over the targets; `cash-flow` only uses later money, where it is needed
  most; `weekly`, `monthly`, `quarterly`, `semi-annual`, `annual` go back to the targets on the first day of trading of
  the period (January counts first);
- `band:0.05` goes back when a weight is 5 points off its target, `relative:0.25` when it is 25 % of its target off,
  `5/25` at the nearer of the two (in per cent, as in Swedroe's rule; any two numbers), `half-band` as 5/25, but only
  half-way back to the target. They look every day, or after `@` only on the days of a schedule: `band:0.05@quarterly`;
- `own` is the portfolio's own rules, section by section.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.errors import Problem, error
from engine.goals import carried
from engine.phrase import place
from engine.portfolio import Portfolio
from engine.schedule import PERIOD_MONTHS
from engine.text import nearest

Destination = Literal["target", "half"]
Money = Literal["spread", "needed"]

#: The months in which each schedule looks; the first day of trading in one is the day.
MONTHS: Mapping[str, frozenset[int]] = {
    name: frozenset(range(1, 13, step)) for name, step in PERIOD_MONTHS.items()
}  # fmt: skip
SCHEDULES = ("weekly", *MONTHS)
NAMES = ("never", *SCHEDULES, "band:0.05", "relative:0.25", "5/25", "half-band", "cash-flow", "own")


@dataclass(frozen=True, slots=True)
class Watch:
    """What calls for trades in some of the targets.

    `symbols` None means all of them. A weight further from its target than `absolute`, or than `relative` times its
    target (`relatives`: its own), is outside; without both the days of the schedule are enough. `months` (and `weekly`)
    are the days on which it is looked; with neither, every day. `due` (and `due_weekly`) are the days on which a
    section with bands trades whatever its weights.
    """

    symbols: tuple[str, ...] | None = None
    absolute: float | None = None
    relative: float | None = None
    relatives: Mapping[str, float] = field(default_factory=dict)
    months: frozenset[int] = frozenset()
    weekly: bool = False
    due: frozenset[int] = frozenset()
    due_weekly: bool = False

    @property
    def banded(self) -> bool:
        """Tell whether there is a band to leave."""
        return self.absolute is not None or self.relative is not None


@dataclass(frozen=True, slots=True)
class Policy:
    """When a portfolio is rebalanced, how far, and what later money does."""

    name: str
    watches: tuple[Watch, ...] = ()
    destination: Destination = "target"
    money: Money = "needed"
    own: bool = False


def parse_policies(text: str | Sequence[str], portfolio: Portfolio) -> tuple[tuple[Policy, ...], tuple[Problem, ...]]:
    """Return the policies named, separated by commas, each once, and a problem for each name that is none."""
    names = text.split(",") if isinstance(text, str) else list(text)
    names = list(dict.fromkeys(name.strip().casefold() for name in names if name.strip()))
    found, problems = [], []
    for name in names:
        policy = policy_of(name, portfolio)
        if policy is None:
            meant = nearest(name, NAMES) or ", ".join(NAMES)
            problems.append(error("unknown-policy", place("policies"), name=name, meant=meant))
        else:
            found.append(policy)
    if not names:
        problems.append(error("unknown-policy.none", place("policies"), known=NAMES))
    return tuple(found), tuple(problems)


def policy_of(name: str, portfolio: Portfolio) -> Policy | None:
    """Return the policy of a name, None where there is none of it."""
    if name == "never":
        return Policy(name, money="spread")
    if name == "cash-flow":
        return Policy(name)
    if name == "own":
        return own(portfolio)
    band, at, when = name.partition("@")
    if not at and name in SCHEDULES:
        return Policy(name, (Watch(None, months=MONTHS.get(name, frozenset()), weekly=name == "weekly"),))
    if at and when not in SCHEDULES:
        return None
    widths = _widths(band)
    if widths is None:
        return None
    watch = Watch(None, *widths, months=MONTHS.get(when, frozenset()), weekly=when == "weekly")
    return Policy(name, (watch,), "half" if band.startswith("half-band") else "target")


def _widths(band: str) -> tuple[float | None, float | None] | None:
    """Return (absolute, relative) of a band's name, None where it is none."""
    kind, colon, figure = band.partition(":")
    if band == "half-band":
        return 0.05, 0.25
    if colon and kind in ("band", "relative"):
        width = _number(figure)
        if width is None or not 0 < width < (1 if kind == "band" else 10):
            return None
        return (width, None) if kind == "band" else (None, width)
    first, slash, second = band.partition("/")
    points, share = _number(first), _number(second)
    if not slash or points is None or share is None or not (0 < points < 100 and 0 < share < 1000):
        return None
    return points / 100, share / 100


def _number(text: str) -> float | None:
    return float(text) if text.isascii() and text.replace(".", "", 1).isdigit() else None


def own(portfolio: Portfolio) -> Policy:
    """Return the portfolio's own rules as a policy: each section's schedule, its bands looked at every day."""
    watches = []
    for section in carried(portfolio).sections:
        rule = section.rule
        bands = {target.symbol: rule.of(target).relative_band for target in section.targets}
        watches.append(
            Watch(
                tuple(bands),
                None if rule.absolute_band is None else float(rule.absolute_band),
                None if rule.relative_band is None else float(rule.relative_band),
                {symbol: float(band) for symbol, band in bands.items() if band is not None},
                due=frozenset(rule.months) or MONTHS.get(rule.schedule, frozenset()),
                due_weekly=rule.schedule == "weekly" and not rule.months,
            )
        )
    return Policy("own", tuple(watches), own=True)


def grid(portfolio: Portfolio) -> tuple[Policy, ...]:
    """Return the policies of a grid: never, the schedules, and bands of 1 to 10 points and 10 to 50 % on each."""
    names = ["never", "cash-flow", *SCHEDULES]
    for when in ("", *(f"@{schedule}" for schedule in SCHEDULES)):
        names += [f"band:{points / 100:g}{when}" for points in range(1, 11)]
        names += [f"relative:{share / 100:g}{when}" for share in range(10, 60, 10)]
        names += [f"5/25{when}"]
    made = (policy_of(name, portfolio) for name in names)
    return tuple(policy for policy in made if policy is not None)
