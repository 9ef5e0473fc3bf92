"""Targets in their sections, the rule of each section, and the caps over several instruments."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from engine.data.fields import Fields
from engine.data.instruments import DESCRIPTION, Instruments
from engine.data.report import Path
from engine.money import ZERO
from engine.portfolio import Group, Rule, Section, Target
from engine.settings import RULE_DEFAULTS, WEIGHT_TOLERANCE
from engine.text import percent, plain_number

#: The keys of a document that hold targets, with the name of the section.
SECTION_KEYS = {"core": "core", "satellite": "satellite", "targets": "all"}
TARGET_KEYS = (
    "ticker",
    "weight",
    "role",
    "min",
    "max",
    "benchmark",
    "thesis_valid",
    "enabled",
    *DESCRIPTION,
)
RULE_KEYS = ("schedule", "absolute_band", "relative_band", "min_trade", "last_rebalanced")
#: Other names of a rule's keys.
RULE_ALIASES = {"scheduled_frequency": "schedule", "drift_threshold": "absolute_band", "min_trade_krw": "min_trade"}
GROUP_KEYS = ("name", "members", "max", "min")
SCHEDULES = ("none", "monthly", "quarterly", "semi-annual", "annual")


def read_rules(portfolio: Fields, base: str) -> dict[str, Rule]:
    """Return the rule of core, satellite and all: the document's where it says one, else the contract's."""
    rules = {name: Rule.default(name, base) for name in RULE_DEFAULTS}
    known = tuple(RULE_DEFAULTS)
    given = Fields(portfolio.values.get("rules") or {}, portfolio.at("rules"), portfolio.report, known)
    for name, data in given.values.items():
        if name not in rules or data is None:
            continue
        path = given.at(name)
        row = Fields(data, path, given.report, (*RULE_KEYS, *RULE_ALIASES))
        rules[name] = _read_rule(_canonical(row, base), rules[name])
        section = next(key for key, section in SECTION_KEYS.items() if section == name)
        if name != "all" and not portfolio.given(section):
            message = f"there is a rule for {name}, but no section {section}"
            given.report.warning(path, "unused-rule", message, f"{name} 규칙은 있지만 {section} 구성이 없습니다")
    return rules


def _canonical(row: Fields, base: str) -> Fields:
    """Return the row with the other names of its keys replaced by ours."""
    values = dict(row.values)
    for alias, key in RULE_ALIASES.items():
        if alias not in values:
            continue
        if key in row.values:
            message = f"{alias} is another name of {key}, which is here too: keep one"
            row.error(alias, "duplicate-key", message, f"{alias}, {key}: 같은 뜻의 두 이름입니다. 하나만 두세요")
        if alias == "min_trade_krw" and base != "KRW":
            message = f"{alias} is in won, the base currency is {base}: write min_trade"
            ko = f"{alias}: 원화 금액인데 기준 통화는 {base}입니다. min_trade로 적으세요"
            row.error(alias, "currency-mismatch", message, ko)
        values[key] = values.pop(alias)
    row.values = values
    return row


def _read_rule(row: Fields, default: Rule) -> Rule:
    rule = default
    schedule = row.choice("schedule", SCHEDULES)
    if schedule is not None:
        rule = replace(rule, schedule=schedule)  # type: ignore[arg-type]  # SCHEDULES are the Schedule's words
    if "absolute_band" in row.values:
        rule = replace(rule, absolute_band=row.fraction("absolute_band"))
    if "relative_band" in row.values:
        rule = replace(rule, relative_band=row.fraction("relative_band"))
    if row.given("min_trade"):
        number = row.number("min_trade", ZERO)
        rule = replace(rule, min_trade=ZERO if number is None else number, min_trade_given=True)
    return replace(rule, last_rebalanced=row.date("last_rebalanced"))


def read_sections(portfolio: Fields, instruments: Instruments, rules: dict[str, Rule]) -> tuple[Section, ...]:
    """Return the sections in the document's order, and report what their targets have against each other."""
    sections = []
    seen: dict[str, Path] = {}
    for key in portfolio.values:
        if key in SECTION_KEYS and portfolio.given(key):
            name = SECTION_KEYS[key]
            targets = _read_targets(portfolio, key, instruments, rules[name], seen)
            sections.append(Section(name, targets, rules[name]))
    for section in sections:
        _check_sum(portfolio, section)
    _check_total(portfolio, sections)
    return tuple(sections)


def _read_targets(
    portfolio: Fields, key: str, instruments: Instruments, rule: Rule, seen: dict[str, Path]
) -> tuple[Target, ...]:
    targets = []
    for row in portfolio.rows(key, TARGET_KEYS):
        target = _read_target(row, instruments)
        if target is None:
            continue
        first = seen.setdefault(target.symbol, row.path)
        if first != row.path:
            message = f"{target.symbol} is a target at {row.report.where(first)} already: keep one of them"
            ko = f"{target.symbol}: {row.report.where_ko(first)}에도 목표가 있습니다. 하나만 두세요"
            row.report.error(row.path, "duplicate-target", message, ko)
        _check_reachable(row, target, rule)
        targets.append(target)
    return tuple(targets)


def _read_target(row: Fields, instruments: Instruments) -> Target | None:
    symbol = instruments.declare(row, "ticker")
    weight = row.fraction("weight")
    if not row.given("weight"):
        repair = "write a fraction of the whole, such as 0.15 for 15 %"
        row.missing("weight", repair, "전체 대비 비율로, 15 %는 0.15처럼 적으세요")
    enabled = row.flag("enabled")
    benchmark = row.text("benchmark")
    target = Target(
        symbol=symbol or "",
        weight=ZERO if weight is None else weight,
        role=row.text("role"),
        minimum=row.fraction("min"),
        maximum=row.fraction("max"),
        benchmark=instruments.benchmark(benchmark, row.at("benchmark")) if benchmark else None,
        thesis_valid=row.flag("thesis_valid"),
        enabled=enabled is not False,
    )
    _check_bounds(row, target.minimum, target.maximum)
    if weight is not None and target.minimum is not None and weight < target.minimum:
        message = f"weight {weight} is below its own min {target.minimum}: change one"
        ko = f"목표 비중 {weight}, 최소 {target.minimum}보다 작습니다: 한쪽을 고치세요"
        row.error("weight", "outside-limits", message, ko)
    if weight is not None and target.maximum is not None and weight > target.maximum:
        message = f"weight {weight} is above its own max {target.maximum}: change one"
        ko = f"목표 비중 {weight}, 최대 {target.maximum}보다 큽니다: 한쪽을 고치세요"
        row.error("weight", "outside-limits", message, ko)
    return None if symbol is None else target


def _check_bounds(row: Fields, low: Decimal | None, high: Decimal | None) -> None:
    if low is not None and high is not None and low > high:
        ko = f"최소 {low}, 최대 {high}보다 큽니다: 서로 바꾸거나 고치세요"
        row.error("min", "outside-limits", f"min {low} is above max {high}: exchange or change them", ko)


def _check_reachable(row: Fields, target: Target, rule: Rule) -> None:
    """Point out a band so wide that the weight cannot fall out of it downwards."""
    bands = [] if rule.absolute_band is None else [rule.absolute_band]
    if rule.relative_band is not None:
        bands.append(rule.relative_band * target.weight)
    if target.weight > 0 and target.enabled and bands and min(bands) >= target.weight:
        message = (
            f"a band of {percent(min(bands))} can never be breached downwards by {target.symbol}, whose target is "
            f"{percent(target.weight)}: give the section a relative_band, such as 0.25"
        )
        ko = (
            f"{target.symbol}: 목표 {percent(target.weight)}에 밴드가 {percent(min(bands))}라서 아래로는 벗어날 수 "
            "없습니다. 구성 규칙에 relative_band를 0.25처럼 적으세요"
        )
        row.report.warning(row.path, "band-unreachable", message, ko)


def _check_sum(portfolio: Fields, section: Section) -> None:
    """Compare core_weight and satellite_weight, where given, with the targets."""
    key = f"{section.name}_weight"
    stated = portfolio.fraction(key) if key in portfolio.values else None
    if stated is not None and abs(stated - section.weight) > WEIGHT_TOLERANCE:
        total = plain_number(section.weight)
        message = f"{key} is {stated}, the targets of {section.name} add up to {total}: change one of them"
        ko = f"{key} 값 {stated}, {section.name} 목표의 합 {total}: 한쪽을 고치세요"
        portfolio.error(key, "section-weight", message, ko)


def _check_total(portfolio: Fields, sections: list[Section]) -> None:
    for key in ("core", "satellite"):
        if portfolio.given(f"{key}_weight") and not portfolio.given(key):
            message = f"there is no section {key} with targets to weigh"
            portfolio.error(f"{key}_weight", "section-weight", message, f"비중을 둘 목표가 있는 {key} 구성이 없습니다")
    total = sum((section.weight for section in sections), ZERO)
    parts = " + ".join(f"{section.name} {plain_number(section.weight)}" for section in sections)
    if total > 1 + WEIGHT_TOLERANCE:
        whole, excess = plain_number(total), plain_number(total - 1)
        message = f"the weights add up to {whole} ({parts}), above 1: take {excess} off"
        ko = f"목표 비중의 합이 1을 넘습니다: {whole} ({parts}). {excess}만큼 줄이세요"
        portfolio.report.error(portfolio.path, "weights-above-one", message, ko)
    elif not any(section.targets for section in sections):
        message = "there are no targets: every holding counts as one to be sold, unless locked"
        ko = "목표가 없습니다: 고정하지 않은 보유 종목은 모두 팔 종목으로 봅니다"
        portfolio.report.warning(portfolio.path, "no-targets", message, ko)
    elif 1 - total > WEIGHT_TOLERANCE:
        message = f"the targets add up to {percent(total)}: the other {percent(1 - total)} are the cash target"
        ko = f"목표의 합은 {percent(total)}이고, 나머지 {percent(1 - total)}는 현금 목표입니다"
        portfolio.report.info(portfolio.path, "cash-target", message, ko)


def read_groups(portfolio: Fields, instruments: Instruments, sections: tuple[Section, ...]) -> tuple[Group, ...]:
    """Return the groups; a member has to be known, but need not be in the portfolio yet."""
    weights = {target.symbol: target.weight for section in sections for target in section.targets}
    groups: dict[str, Group] = {}
    for row in portfolio.rows("groups", GROUP_KEYS):
        group = _read_group(row, instruments)
        if not group.name:
            row.missing("name", "name the group", "그룹 이름을 적으세요")
        elif group.name in groups:
            message = f"{group.name} is a group already: give each its own name"
            row.error("name", "duplicate-group", message, f"이미 있는 그룹 {group.name}: 그룹마다 다른 이름을 쓰세요")
        groups[group.name] = group
        joint = sum((weights.get(member, ZERO) for member in group.members), ZERO)
        if group.maximum is not None and joint > group.maximum:
            limit = percent(group.maximum)
            message = f"the targets of {group.name} add up to {percent(joint)}, above its max {limit}"
            message += ": the cap will hold them below target"
            ko = f"{group.name} 목표의 합 {percent(joint)}, 최대 {limit} 초과: 한도 때문에 목표보다 적게 보유합니다"
            row.report.warning(row.at("max"), "group-over-target", message, ko)
        if group.minimum is not None and joint < group.minimum:
            limit = percent(group.minimum)
            message = f"the targets of {group.name} add up to {percent(joint)}, below its min {limit}"
            message += ": the floor will hold them above target"
            ko = f"{group.name} 목표의 합 {percent(joint)}, 최소 {limit} 미만: 하한 때문에 목표보다 많이 보유합니다"
            row.report.warning(row.at("min"), "group-over-target", message, ko)
    return tuple(groups.values())


def _read_group(row: Fields, instruments: Instruments) -> Group:
    members: dict[str, None] = {}
    for item, path in row.items("members"):
        symbol = instruments.refer(item, path)
        if symbol in members:
            message = f"{symbol} is a member already: keep it once"
            row.report.error(path, "duplicate-member", message, f"{symbol} 중복: 그룹에 한 번만 적으세요")
        if symbol is not None:
            members[symbol] = None
    if not row.given("members"):
        row.missing("members", "list the instruments it is made of", "그룹에 들어갈 종목을 적으세요")
    low, high = row.fraction("min"), row.fraction("max")
    if not row.given("max") and not row.given("min"):
        repair = "write the largest joint weight (max), the smallest (min), or both"
        row.missing("max", repair, "합계 비중의 최대(max)나 최소(min), 또는 둘 다 적으세요")
    _check_bounds(row, low, high)
    return Group(row.text("name"), tuple(members), high, low)
