"""One whole document into one Portfolio, with every problem of every part: from a file, its text, or plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path as File
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from engine import formats
from engine.data.classes import read_classes
from engine.data.fields import ONE, Fields, Locate, Path, Report, Where, choose
from engine.data.files import Refused, decode, read_bytes
from engine.data.goals import check_goals, read_members, read_prefer
from engine.data.holdings import HOLDING_KEYS, in_units, read_accounts, read_holdings
from engine.data.instruments import Instruments
from engine.data.sections import SECTION_KEYS, TARGET_KEYS, read_groups, read_rules, read_sections
from engine.errors import Problem, error
from engine.goals import ClassTree
from engine.market import catalogue
from engine.market.catalogue import pair
from engine.money import MINOR_DIGITS, ZERO
from engine.phrase import phrase
from engine.portfolio import ASSET_TYPES, MARKETS, Portfolio
from engine.settings import CostOverride, Settings, setting_fields
from engine.text import nearest, percent, plain_number
from engine.valuation import in_quantities

DOCUMENT_KEYS = ("format", "portfolio", "fx", "settings")
PORTFOLIO_KEYS = (
    "name",
    "base_currency",
    "holdings",
    "cash",
    "accounts",
    *SECTION_KEYS,
    "sections",
    "rules",
    "groups",
    "classes",
    "prefer",
    "core_weight",
    "satellite_weight",
    "expected",
)
#: Keys of the portfolio that may stand at the top of the document too, or among the settings.
ANYWHERE_KEYS = ("classes", "prefer")
COST_KEYS = ("commission", "minimum", "sell_tax")
#: What a cost override may be for: all, a market, a type, or both.
COST_SCOPES = (
    "*",
    *MARKETS,
    *ASSET_TYPES,
    *(f"{market}/{kind}" for market in MARKETS for kind in ASSET_TYPES),
)
#: A commission or tax above this is more likely a percentage written as a fraction.
_LARGE_RATE = Decimal("0.05")
#: A rate that takes more than this is none that anybody charges, and leaves nothing to plan with.
_MOST_RATE = Decimal("0.5")
#: Buying and selling everything once.
_MOST_TURNOVER = Decimal(2)
#: Two ways from one currency to another may differ by a dealer's margin, not by more.
_MOST_DISAGREEMENT = Decimal("0.005")

#: A portfolio, None exactly where one of the problems is an error.
Parsed = tuple[Portfolio | None, tuple[Problem, ...]]


def read_portfolio(path: File) -> Parsed:
    """Return the portfolio of a YAML file and its problems; a file that cannot be read is one."""
    try:
        return parse_portfolio(read_bytes(path, MAX_BYTES), str(path))
    except Refused as refused:
        return None, (refused.problem(str(path)),)


def parse_portfolio(text: str | bytes, source: Where) -> Parsed:
    """Return the portfolio of YAML text and its problems, each with its line; `source` names the text."""
    report = Report(source)
    try:
        tree = read_tree(text, report)
    except Refused as refused:
        return None, (*report.problems, refused.problem(source))
    report.locate = lambda path: Report(source).where(path, tree.line(path))
    portfolio = _read(tree.data, report)
    return portfolio, tuple(report.problems)


def portfolio_from_data(data: object, source: Where, locate: Locate | None = None) -> Parsed:
    """Return the portfolio of plain data (mappings, lists, text, numbers, booleans, dates, None) and its problems.

    The data has the shape of the document; numbers may be numpy's. `locate` says where a path of it, such as
    ("portfolio", "holdings", 2, "quantity"), is to be found; without it, `where` is source and path.
    """
    report = Report(source, locate)
    portfolio = _read(data, report)
    return portfolio, tuple(report.problems)


def _read(data: object, report: Report) -> Portfolio | None:
    """Return the portfolio of plain data, or None where the report holds an error."""
    if data is None or data == {}:
        report.error((), "empty-document")
        return None
    document = Fields(data, (), report, (*DOCUMENT_KEYS, *_misplaced(data, PORTFOLIO_KEYS)))
    if not _is_known(document, report):
        return None
    for key in _misplaced(document.values, PORTFOLIO_KEYS):
        if key not in ANYWHERE_KEYS:
            document.error(key, "unknown-key.inside")
    if not document.given("portfolio"):
        if document.values:
            document.missing("portfolio", "portfolio")
        return None
    body = document.values["portfolio"]
    portfolio = Fields(body, ("portfolio",), report, (*PORTFOLIO_KEYS, *_misplaced(body, DOCUMENT_KEYS)))
    if not portfolio.values:
        if isinstance(body, Mapping):
            report.error(portfolio.path, "empty-document.portfolio")
        return None
    for key in _misplaced(body, DOCUMENT_KEYS):
        portfolio.error(key, "unknown-key.outside")
    portfolio.values = {**portfolio.values, **_from_elsewhere(document, portfolio)}
    tree = read_classes(portfolio)
    return _assemble(document, portfolio, Instruments(catalogue.load(), report, tree), tree, report)


def _is_known(document: Fields, report: Report) -> bool:
    """Tell whether the program knows the document's format; what an older one meant otherwise is told."""
    version = document.number("format", ONE) if document.given("format") else None
    if version is not None and version > formats.PORTFOLIO:
        document.error("format", "format-newer", version=version, known=formats.PORTFOLIO)
        return False
    settings = document.values.get("settings")
    says = isinstance(settings, Mapping) and "trigger" in settings
    if version is not None and version < formats.PORTFOLIO and not says:
        report.warning(document.at("format"), "format-older", version=version, known=formats.PORTFOLIO)
    return True


def _from_elsewhere(document: Fields, portfolio: Fields) -> dict[str, object]:
    """Return what stands at the top of the document, or among the settings, and may as well stand in the portfolio."""
    settings = document.values.get("settings")
    others = (document.values, settings if isinstance(settings, Mapping) else {})
    found: dict[str, object] = {}
    for key in ANYWHERE_KEYS:
        for values in (portfolio.values, *others):
            value = values.get(key)
            if value is not None and found.setdefault(key, value) != value:
                portfolio.error(key, "said-twice")
    return found


def _misplaced(data: object, keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(key for key in keys if isinstance(data, Mapping) and key in data)


def _assemble(
    document: Fields, portfolio: Fields, instruments: Instruments, tree: ClassTree, report: Report
) -> Portfolio | None:
    base = portfolio.currency("base_currency") or ""
    if not portfolio.given("base_currency"):
        base = _common_currency(portfolio)
        if base:
            portfolio.report.note(portfolio.path, "base-currency-taken", currency=base)
        else:
            portfolio.missing("base_currency", "base-currency")
    accounts, declared = read_accounts(portfolio)
    holdings = read_holdings(portfolio, instruments, accounts, declared=declared)
    rules = read_rules(portfolio, base)
    given = document.values.get("settings")
    settings = given if isinstance(given, Mapping) else {}
    wide = Fields(settings, ("settings",), report, map(str, settings))
    sections, rows = read_sections(portfolio, instruments, rules, tree, consolidate=wide.flag("consolidate") or False)
    groups = read_groups(portfolio, instruments, sections)
    prefer = read_prefer(portfolio, accounts, [one.target.symbol for one in rows], instruments, tree)
    fx = _rates(document.values.get("fx"), report)
    found_settings = _settings(document.values.get("settings"), report, base)
    found = Portfolio(
        name=portfolio.text("name"),
        base_currency=base,
        instruments=instruments.build(),
        holdings=holdings,
        accounts=accounts,
        sections=sections,
        groups=groups,
        settings=found_settings,
        fx=fx,
        accounts_declared=declared,
        untargeted_rule=rules["all"],
        expected=_expected(portfolio),
        exposures=instruments.exposures,
        classes=tree.own,
        prefer=prefer,
    )
    if not report.failed:
        check_goals(found, rows, tree)
    if base:
        _check_rates(fx, base, frozenset(found.currencies), report)
    if not holdings and not any(section.targets for section in sections) and not any(a.cash for a in accounts):
        report.warning(portfolio.path, "empty-portfolio")
    return None if report.failed else in_quantities(found, {})


def _common_currency(portfolio: Fields) -> str:
    """Return the one currency of all instruments, or "" where they have several, or there are none."""
    unheard = Report(portfolio.report.source)
    quiet = Fields(portfolio.values, portfolio.path, unheard, portfolio.values)
    instruments = Instruments(catalogue.load(), unheard)
    for row in quiet.rows("holdings", HOLDING_KEYS):
        instruments.declare(row, "symbol")
    own = Fields({name: rows for name, rows, _ in quiet.mapping("sections")}, (), unheard, quiet.values)
    for part, name in (*((quiet, key) for key in SECTION_KEYS), *((own, key) for key in own.values)):
        for row in part.rows(name, TARGET_KEYS):
            if row.given("any"):
                read_members(row, instruments)
            elif not row.given("class") or row.given("ticker") or row.given("code"):
                instruments.declare(row, "ticker")
    found = {instrument.currency for instrument in instruments.build().values()}
    return found.pop() if len(found) == 1 else ""


def _expected(portfolio: Fields) -> dict[str, str]:
    """Return what the person expects of the portfolio, as they wrote it."""
    known = tuple(name for name, _, _ in portfolio.mapping("expected"))
    row = Fields(portfolio.values.get("expected") or {}, portfolio.at("expected"), portfolio.report, known)
    return {name: row.text(name) for name in known if row.given(name)}


def _settings(data: object, report: Report, base: str) -> Settings:
    """Return the settings; those not given have their defaults. `base` is the base currency, "" where not known."""
    known = setting_fields()
    row = Fields({} if data is None else data, ("settings",), report, (*known, *ANYWHERE_KEYS, "consolidate"))
    found: dict[str, Any] = {
        "cash_flow": _cash_flow(row, base),
        "convert_currency": row.flag("convert_currency"),
        "cash_buffer": row.number("cash_buffer", ZERO),
        "max_turnover": row.fraction("max_turnover", _MOST_TURNOVER),
        "fx_spread": _rate(row, "fx_spread"),
        "effort": row.fraction("effort"),
        "realised": _realised(row) if row.given("realised") else None,
        "fractional": _markets(row) if row.given("fractional") else None,
        "costs": _costs(row) if row.given("costs") else None,
    }
    for key in ("mode", "trigger", "trade", "destination", "taxes", "residence"):
        found[key] = row.choice(key, known[key]["choices"])
    return Settings(**{key: value for key, value in found.items() if value is not None})


def _cash_flow(row: Fields, base: str) -> Decimal | None:
    amount = row.number("cash_flow")
    return in_units(amount, base, row.at("cash_flow"), row.report) if amount is not None and base else amount


def _realised(row: Fields) -> dict[str, Decimal]:
    given = Fields(row.values["realised"], row.at("realised"), row.report, ("overseas",))
    amount = given.number("overseas")
    return {} if amount is None else {"overseas": amount}


def _markets(row: Fields) -> tuple[str, ...]:
    value = row.values["fractional"]
    if not isinstance(value, list | tuple):
        row.error("fractional", "wrong-type.fractional", value=str(value))
        return ()
    found = (choose(item, path, row.report, MARKETS) for item, path in row.items("fractional"))
    return tuple(dict.fromkeys(market for market in found if market is not None))


def _costs(row: Fields) -> dict[str, CostOverride]:
    scopes = {scope.casefold(): scope for scope in COST_SCOPES}
    found: dict[str, CostOverride] = {}
    for key, data, path in row.mapping("costs"):
        scope = scopes.get(key.casefold())
        if scope is None:
            near = nearest(key, scopes)
            repair = phrase("repair.near", word=scopes[near]) if near else phrase("repair.cost-scope")
            row.report.error(path, "unknown-key.cost", value=key, repair=repair)
            continue
        costs = Fields(data, path, row.report, COST_KEYS)
        if scope in found:
            row.report.error(path, "duplicate-key", name=scope)
        found[scope] = CostOverride(_rate(costs, "commission"), costs.number("minimum", ZERO), _rate(costs, "sell_tax"))
    return found


def _rate(row: Fields, field: str) -> Decimal | None:
    rate = row.fraction(field, _MOST_RATE)
    if rate is not None and rate > _LARGE_RATE:
        values = {"field": field, "share": percent(rate), "rate": rate, "meant": rate / 100}
        row.report.warning(row.at(field), "large-rate", **values)
    return rate


def _rates(data: object, report: Report) -> dict[str, Decimal]:
    """Return the manual rate of each pair: units of the second currency per unit of the first."""
    if data is None:
        return {}
    known = tuple(map(str, data)) if isinstance(data, Mapping) else ("USDKRW",)
    row = Fields(data, ("fx",), report, known)
    rates: dict[str, Decimal] = {}
    for key in row.values:
        name = str(key)
        rate = row.number(name, ZERO, above=True)
        code = _pair_name(name, row)
        if code in rates:
            row.error(name, "duplicate-key.rate", name=code)
        elif not row.given(name):
            row.missing(name, "rate")
        elif code is not None and rate is not None:
            rates[code] = rate
    return rates


def _pair_name(name: str, row: Fields) -> str | None:
    code = name.upper()
    if pair(code):
        return code
    letters = "".join(filter(str.isalpha, code))[:6]
    meant = letters != code and pair(letters)
    repair = phrase("repair.write", value=letters) if meant else phrase("repair.currencies", known=MINOR_DIGITS)
    row.error(name, "unknown-pair", repair=repair)
    return None


def _check_rates(rates: Mapping[str, Decimal], base: str, used: frozenset[str], report: Report) -> None:
    """Report rates that contradict each other, and rates that lead nowhere near the base currency.

    `used` are the currencies of the portfolio. A rate goes both ways; every further way between two currencies
    has to agree with the first one found.
    """
    worth = {base: (base, Decimal(1))}
    for code, rate in rates.items():
        first, second = code[:3], code[3:]
        for currency in (first, second):
            worth.setdefault(currency, (currency, Decimal(1)))
        if worth[first][0] != worth[second][0]:
            _join(worth, first, second, rate, base)
            continue
        implied = worth[first][1] / worth[second][1]
        disagreement = abs(rate / implied - 1)
        if disagreement > _MOST_DISAGREEMENT:
            apart = percent(round(disagreement, 4))
            values = {"pair": code, "rate": plain_number(rate), "implied": implied, "apart": apart}
            report.error(("fx", code), "fx-contradiction", **values)
    for code in rates:
        first, second = code[:3], code[3:]
        if worth[first][0] != base:
            told = report.error if used & {first, second} else report.warning
            told(("fx", code), "fx-unconnected", pair=code, base=base, needed=f"{second}{base}")


def _join(worth: dict[str, tuple[str, Decimal]], first: str, second: str, rate: Decimal, base: str) -> None:
    """Join the currencies connected to `first` with those connected to `second`; the base stays the root of its own.

    `worth[c]` is the root of the currencies that c is connected to, and what one c is worth in it.
    """
    if worth[first][0] == base:
        first, second, rate = second, first, 1 / rate
    old, value = worth[first]
    root, in_root = worth[second]
    factor = rate * in_root / value
    for currency, (its_root, its_value) in worth.items():
        if its_root == old:
            worth[currency] = (root, its_value * factor)


MAX_BYTES = 2_000_000
MAX_DEPTH = 20
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Opening = MappingStartEvent | SequenceStartEvent


class Tree:
    """The data of one document, and the line of every key and item in it."""

    __slots__ = ("data", "lines")

    def __init__(self) -> None:
        self.data: object = None
        self.lines: dict[int, dict[str | int, int]] = {}

    def line(self, path: Path) -> int | None:
        """Return the line (from 1) of the path, or of the nearest thing above it that is in the document."""
        found, data = None, self.data
        for part in path:
            here = self.lines.get(id(data), {}).get(part)
            if here is None:
                break
            found = here
            data = data[part]  # type: ignore[index]  # a part with a line is in the data
        return found


def read_tree(text: str | bytes, report: Report) -> Tree:
    """Return the tree of one YAML document; repeated keys are reported, what makes reading senseless raises Refused."""
    if len(text) > MAX_BYTES:
        raise Refused("too-large.document", size=len(text), most=MAX_BYTES)
    if isinstance(text, bytes):
        text = decode(text)
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        line = text.count("\n", 0, fault.start) + 1
        raise Refused("encoding.character", line=line, character=f"U+{ord(text[fault.start]):04X}") from None
    try:
        return _Builder(report).build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        if mark and (tab := _tab(text, mark.line)) is not None:
            raise Refused("yaml-syntax.tab", line=tab) from None
        reason = ", ".join(filter(None, (fault.context, fault.problem)))
        raise Refused("yaml-syntax", line=mark.line + 1 if mark else None, reason=reason) from None
    except yaml.YAMLError as fault:
        raise Refused("yaml-syntax", reason=" ".join(str(fault).split())) from None


def _tab(text: str, line: int) -> int | None:
    """Return the line (from 1) whose indentation has a tab: the one that cannot be read or the one before it."""
    lines = text.split("\n")
    for number in (line, line - 1):
        if 0 <= number < len(lines) and "\t" in lines[number][: len(lines[number]) - len(lines[number].lstrip())]:
            return number + 1
    return None


class _Builder:
    """A tree being built out of YAML events, one container on the stack per level of nesting."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._tree = Tree()
        self._stack: list[tuple[dict[str, object] | list[object], dict[str | int, int]]] = []
        self._key: str | None = None
        self._path: list[str | int] = []
        self._started = False

    def build(self, events: Iterator[Event]) -> Tree:
        for event in events:
            if isinstance(event, ScalarEvent):
                self._scalar(event)
            elif isinstance(event, MappingStartEvent):
                self._open({}, event)
            elif isinstance(event, SequenceStartEvent):
                self._open([], event)
            elif isinstance(event, MappingEndEvent | SequenceEndEvent):
                self._stack.pop()
                if self._path:
                    self._path.pop()
            elif isinstance(event, AliasEvent):
                raise Refused("yaml-alias", line=_line(event), anchor=event.anchor)
            elif isinstance(event, DocumentStartEvent):
                if self._started:
                    raise Refused("several-documents", line=_line(event))
                self._started = True
        return self._tree

    def _scalar(self, event: ScalarEvent) -> None:
        if event.tag is not None or event.anchor is not None:
            self._refuse(event)
        text: str = event.value
        container = self._stack[-1][0] if self._stack else None
        if self._key is None and type(container) is dict:
            if text in container:
                path = (*self._path, text)
                first = self._stack[-1][1][text]
                where = self._report.where(path, _line(event))
                self._report.problems.append(error("duplicate-key.line", where, name=text, first=first))
            self._key = text
            self._stack[-1][1].setdefault(text, _line(event))
            return
        self._put(None if text in _NULLS and event.implicit[0] else text, event)

    def _open(self, container: dict[str, object] | list[object], event: _Opening) -> None:
        if event.tag is not None or event.anchor is not None:
            self._refuse(event)
        if self._stack and type(self._stack[-1][0]) is dict and self._key is None:
            raise Refused("wrong-type.key", line=_line(event))
        if len(self._stack) >= MAX_DEPTH:
            raise Refused("too-deep", line=_line(event), most=MAX_DEPTH)
        if self._stack:
            parent = self._stack[-1][0]
            self._path.append(len(parent) if isinstance(parent, list) else self._key or "")
        self._put(container, event)
        lines: dict[str | int, int] = {}
        self._tree.lines[id(container)] = lines
        self._stack.append((container, lines))

    def _put(self, value: object, event: Event) -> None:
        if not self._stack:
            self._tree.data = value
            return
        container, lines = self._stack[-1]
        if isinstance(container, list):
            lines[len(container)] = _line(event)
            container.append(value)
        elif self._key is not None:
            container[self._key] = value
            self._key = None

    @staticmethod
    def _refuse(event: ScalarEvent | _Opening) -> None:
        if event.anchor is not None:
            raise Refused("yaml-alias.anchor", line=_line(event), anchor=event.anchor)
        raise Refused("yaml-tag", line=_line(event), tag=event.tag)


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
