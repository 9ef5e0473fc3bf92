"""Targets in their sections, the rule of each section, and the caps over several instruments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from engine.data.classes import CLASSING, read_class
from engine.data.fields import Fields, Path, shown, to_number
from engine.data.goals import GOAL_KEYS, TargetRow, read_members, resolve
from engine.data.instruments import DESCRIPTION, Instruments
from engine.goals import ClassTree
from engine.money import ZERO
from engine.portfolio import JOINT, Group, Rule, Section, Target
from engine.settings import RULE_DEFAULTS, WEIGHT_TOLERANCE
from engine.text import fold, percent, plain_number

#: The keys of a document that hold targets, with the name of the section.
SECTION_KEYS = {"core": "core", "satellite": "satellite", "targets": "all"}
TARGET_KEYS = (
    "ticker",
    "code",
    "weight",
    "role",
    "min",
    "max",
    "benchmark",
    "thesis_valid",
    "enabled",
    "relative_band",
    "relative_band_high_volatility",
    *GOAL_KEYS,
    *CLASSING,
    *DESCRIPTION,
)
RULE_KEYS = (
    "schedule",
    "months",
    "absolute_band",
    "relative_band",
    "relative_band_high_volatility",
    "min_trade",
    "last_rebalanced",
)
#: Other names of a rule's keys.
RULE_ALIASES = {"scheduled_frequency": "schedule", "drift_threshold": "absolute_band", "min_trade_krw": "min_trade"}
GROUP_KEYS = ("name", "members", "max", "min")
SCHEDULES = ("none", "weekly", "monthly", "quarterly", "semi-annual", "annual")


def read_rules(portfolio: Fields, base: str) -> dict[str, Rule]:
    """Return every section's rule: the document's where it says one, else the contract's.

    A section of a person's own naming starts from the rule of all.
    """
    own = tuple(name for name, _, _ in portfolio.mapping("sections") if name not in RULE_DEFAULTS)
    given = Fields(portfolio.values.get("rules") or {}, portfolio.at("rules"), portfolio.report, (*RULE_DEFAULTS, *own))
    rules: dict[str, Rule] = {}
    for name in ("all", "core", "satellite", *own):
        default = rules["all"] if name in own else Rule.default(name, base)
        rules[name] = default
        if not given.given(name):
            continue
        path = given.at(name)
        row = Fields(given.values[name], path, given.report, (*RULE_KEYS, *RULE_ALIASES))
        rules[name] = _read_rule(_canonical(row, base), default)
        if name in ("core", "satellite") and not _is_there(portfolio, name):
            given.report.warning(path, "unused-rule", rule=name, section=name)
    return rules


def _is_there(portfolio: Fields, name: str) -> bool:
    """Tell whether a section has targets, under its own key or among `sections`."""
    return portfolio.given(name) or any(name == section for section, _, _ in portfolio.mapping("sections"))


def _canonical(row: Fields, base: str) -> Fields:
    """Return the row with the other names of its keys replaced by ours."""
    values = dict(row.values)
    for alias, key in RULE_ALIASES.items():
        if alias not in values:
            continue
        if key in row.values:
            row.error(alias, "duplicate-key.alias", name=key)
        if alias == "min_trade_krw" and base != "KRW":
            row.error(alias, "currency-mismatch", base=base)
        values[key] = values.pop(alias)
    row.values = values
    return row


def _read_rule(row: Fields, default: Rule) -> Rule:
    rule = default
    schedule = row.choice("schedule", SCHEDULES)
    if schedule is not None:
        rule = replace(rule, schedule=schedule)  # type: ignore[arg-type]  # SCHEDULES are the Schedule's words
    if row.given("months"):
        rule = replace(rule, months=_months(row))
    if "absolute_band" in row.values:
        rule = replace(rule, absolute_band=row.fraction("absolute_band"))
    if "relative_band" in row.values:
        rule = replace(rule, relative_band=row.fraction("relative_band"))
    if "relative_band_high_volatility" in row.values:
        rule = replace(rule, relative_band_high_volatility=row.fraction("relative_band_high_volatility"))
    _check_wider(row, rule)
    if row.given("min_trade"):
        number = row.number("min_trade", ZERO)
        rule = replace(rule, min_trade=ZERO if number is None else number, min_trade_given=True)
    return replace(rule, last_rebalanced=row.date("last_rebalanced"))


def read_sections(
    portfolio: Fields, instruments: Instruments, rules: dict[str, Rule], tree: ClassTree, *, consolidate: bool = False
) -> tuple[tuple[Section, ...], list[TargetRow]]:
    """Return the sections in the document's order, and report what their targets have against each other.

    The rows of the targets are returned beside, for what can only be said once the whole document has been read.
    `consolidate` is for goals of several members that do not say it themselves.
    """
    names: list[str] = []
    rows: list[TargetRow] = []
    seen: dict[str, Path] = {}
    for key in portfolio.values:
        if key in SECTION_KEYS and portfolio.given(key):
            names.append(SECTION_KEYS[key])
            rows += _read_targets(portfolio, key, names[-1], instruments, rules[names[-1]], seen, tree)
        elif key == "sections":
            named = [name for name, _, _ in portfolio.mapping(key)]
            several = Fields(portfolio.values[key], portfolio.at(key), portfolio.report, tuple(named))
            for name in named:
                names.append(name)
                rows += _read_targets(several, name, name, instruments, rules[name], seen, tree)
    for one in rows if consolidate else ():
        if one.target.kind != "instrument" and not one.row.given("consolidate"):
            one.target = replace(one.target, consolidate=True)
    if len(set(names)) < len(names):
        portfolio.error("sections", "duplicate-key", name=next(name for name in names if names.count(name) > 1))
    if any(one.target.kind != "instrument" or one.target.share is not None for one in rows):
        resolve(rows, tree, instruments)
        for one in rows:
            if one.target.share is not None:
                _check_limits(one.row, one.target, one.target.weight)
                _check_reachable(one.row, one.target, rules[one.section])
    sections = [
        Section(name, tuple(one.target for one in rows if one.section == name), rules[name])
        for name in dict.fromkeys(names)
    ]
    for section in sections:
        _check_sum(portfolio, section)
    _check_total(portfolio, sections)
    return tuple(sections), rows


def _read_targets(
    portfolio: Fields,
    key: str,
    section: str,
    instruments: Instruments,
    rule: Rule,
    seen: dict[str, Path],
    tree: ClassTree,
) -> list[TargetRow]:
    targets = []
    for row in portfolio.rows(key, TARGET_KEYS):
        target = _read_target(row, instruments, rule, tree)
        if target is None:
            continue
        first = seen.setdefault(target.symbol, row.path)
        if first != row.path:
            row.report.error(row.path, "duplicate-target", symbol=target.symbol, place=row.report.where(first))
        if target.share is None:
            _check_reachable(row, target, rule)
        targets.append(TargetRow(section, target, row))
    return targets


def _read_goal(row: Fields, instruments: Instruments, tree: ClassTree) -> Target | None:
    """Return the goal of a row without its figures: an instrument, equivalents or a class; None where none is clear."""
    names_instrument = row.given("ticker") or row.given("code")
    if row.given("any"):
        if names_instrument or row.given("class"):
            row.error("any", "goal-several")
        members = read_members(row, instruments)
        return Target(row.text("name") or JOINT.join(members), ZERO, members=members) if members else None
    if row.given("class") and not names_instrument:
        name = read_class(row.values["class"], row.at("class"), row.report, tree)
        return None if name is None else Target(row.text("name") or name, ZERO, asset_class=name)
    if row.flag("consolidate"):
        row.error("consolidate", "consolidate-one")
    symbol = instruments.declare(row, "ticker")
    return None if symbol is None else Target(symbol, ZERO)


def _read_target(row: Fields, instruments: Instruments, rule: Rule, tree: ClassTree) -> Target | None:
    goal = _read_goal(row, instruments, tree)
    weight, share = row.fraction("weight"), row.fraction("share")
    if row.given("weight") and row.given("share"):
        row.error("share", "weight-and-share")
    elif not row.given("weight") and not row.given("share"):
        row.missing("weight", "weight")
    enabled = row.flag("enabled")
    benchmark = row.text("benchmark")
    target = replace(
        goal or Target("", ZERO),
        weight=ZERO if weight is None else weight,
        role=row.text("role"),
        minimum=row.fraction("min"),
        maximum=row.fraction("max"),
        benchmark=instruments.benchmark(benchmark, row.at("benchmark")) if benchmark else None,
        thesis_valid=row.flag("thesis_valid"),
        enabled=enabled is not False,
        relative_band=row.fraction("relative_band"),
        relative_band_high_volatility=row.fraction("relative_band_high_volatility"),
        share=share,
        consolidate=row.flag("consolidate") or False,
    )
    _check_wider(row, rule.of(target))
    _check_bounds(row, target.minimum, target.maximum)
    _check_limits(row, target, weight)
    return None if goal is None else target


def _check_limits(row: Fields, target: Target, weight: Decimal | None) -> None:
    """Report a weight outside the target's own limits."""
    field = "weight" if target.share is None else "share"
    if weight is not None and target.minimum is not None and weight < target.minimum:
        row.error(field, "outside-limits.below", weight=weight, limit=target.minimum)
    if weight is not None and target.maximum is not None and weight > target.maximum:
        row.error(field, "outside-limits.above", weight=weight, limit=target.maximum)


def _check_bounds(row: Fields, low: Decimal | None, high: Decimal | None) -> None:
    if low is not None and high is not None and low > high:
        row.error("min", "outside-limits", low=low, high=high)


def _check_wider(row: Fields, rule: Rule) -> None:
    """Point out a band for high volatility that widens none."""
    wide = rule.relative_band_high_volatility
    if wide is None or not {"relative_band", "relative_band_high_volatility"} & row.values.keys():
        return
    path = row.at("relative_band_high_volatility" if row.given("relative_band_high_volatility") else "relative_band")
    if rule.relative_band is None:
        row.report.warning(path, "band-not-wider.none", wide=wide)
    elif wide <= rule.relative_band:
        row.report.warning(path, "band-not-wider", wide=wide, band=rule.relative_band)


def _check_reachable(row: Fields, target: Target, rule: Rule) -> None:
    """Point out a band so wide that the weight cannot fall out of it downwards."""
    rule = rule.of(target)
    bands = [] if rule.absolute_band is None else [rule.absolute_band]
    if rule.relative_band is not None:
        bands.append(rule.relative_band * target.weight)
    if target.weight > 0 and target.enabled and bands and min(bands) >= target.weight:
        values = {"symbol": target.symbol, "band": percent(min(bands)), "target": percent(target.weight)}
        row.report.warning(row.path, "band-unreachable", **values)


def _check_sum(portfolio: Fields, section: Section) -> None:
    """Compare core_weight and satellite_weight, where given, with the targets."""
    key = f"{section.name}_weight"
    stated = portfolio.fraction(key) if key in portfolio.values else None
    if stated is not None and abs(stated - section.weight) > WEIGHT_TOLERANCE:
        total = plain_number(section.weight)
        portfolio.error(key, "section-weight", stated=stated, section=section.name, total=total)


def _check_total(portfolio: Fields, sections: list[Section]) -> None:
    for key in ("core", "satellite"):
        if portfolio.given(f"{key}_weight") and not portfolio.given(key):
            portfolio.error(f"{key}_weight", "section-weight.none", section=key)
    total = sum((section.weight for section in sections), ZERO)
    parts = " + ".join(f"{section.name} {plain_number(section.weight)}" for section in sections)
    if total > 1 + WEIGHT_TOLERANCE:
        values = {"total": plain_number(total), "parts": parts, "excess": plain_number(total - 1)}
        portfolio.report.error(portfolio.path, "weights-above-one", **values)
    elif not any(section.targets for section in sections):
        portfolio.report.warning(portfolio.path, "no-targets")
    elif 1 - total > WEIGHT_TOLERANCE and not portfolio.report.failed:  # a weight that cannot be read counts 0 here
        portfolio.report.note(portfolio.path, "cash-target", total=percent(total), rest=percent(1 - total))


def read_groups(portfolio: Fields, instruments: Instruments, sections: tuple[Section, ...]) -> tuple[Group, ...]:
    """Return the groups; a member, an instrument or a goal, has to be known, but need not be in the portfolio yet."""
    weights = {target.symbol: target.weight for section in sections for target in section.targets}
    goals = {fold(t.symbol): t.symbol for one in sections for t in one.targets if t.kind != "instrument"}
    groups: dict[str, Group] = {}
    for row in portfolio.rows("groups", GROUP_KEYS):
        group = _read_group(row, instruments, goals)
        if not group.name:
            row.missing("name", "group-name")
        elif group.name in groups:
            row.error("name", "duplicate-group", group=group.name)
        groups[group.name] = group
        joint = sum((weights.get(member, ZERO) for member in group.members), ZERO)
        if group.maximum is not None and joint > group.maximum:
            values = {"group": group.name, "total": percent(joint), "limit": percent(group.maximum)}
            row.report.warning(row.at("max"), "group-over-target", **values)
        if group.minimum is not None and joint < group.minimum:
            values = {"group": group.name, "total": percent(joint), "limit": percent(group.minimum)}
            row.report.warning(row.at("min"), "group-over-target.under", **values)
    return tuple(groups.values())


def _read_group(row: Fields, instruments: Instruments, goals: Mapping[str, str]) -> Group:
    members: dict[str, None] = {}
    for item, path in row.items("members"):
        goal = goals.get(fold(item)) if isinstance(item, str) and item not in instruments else None
        symbol = goal or instruments.refer(item, path)
        if symbol in members:
            row.report.error(path, "duplicate-member", symbol=symbol)
        if symbol is not None:
            members[symbol] = None
    if not row.values.get("members"):
        row.missing("members", "members")
    low, high = row.fraction("min"), row.fraction("max")
    if not row.given("max") and not row.given("min"):
        row.missing("max", "group-limit")
    _check_bounds(row, low, high)
    return Group(row.text("name"), tuple(members), high, low)


def _months(row: Fields) -> tuple[int, ...]:
    """Return the fixed months of a rule, 1 to 12, each once."""
    found = set()
    for value, path in row.items("months"):
        number = to_number(value)
        if number is None or number not in range(1, 13):
            row.report.error(path, "rule-month", value=shown(value))
        else:
            found.add(int(number))
    return tuple(sorted(found))
