"""One whole document into one Portfolio, with every problem of every part."""

from __future__ import annotations

from collections.abc import Mapping

from engine.data.accounts import read_accounts
from engine.data.fields import Fields
from engine.data.holdings import read_holdings
from engine.data.instruments import Instruments
from engine.data.options import read_settings
from engine.data.rates import check_rates, read_rates
from engine.data.report import Path, Report
from engine.data.sections import SECTION_KEYS, read_groups, read_rules, read_sections
from engine.market.catalogue import Catalogue
from engine.portfolio import Portfolio

DOCUMENT_KEYS = ("portfolio", "fx", "settings")
PORTFOLIO_KEYS = (
    "name",
    "base_currency",
    "holdings",
    "cash",
    "accounts",
    *SECTION_KEYS,
    "rules",
    "groups",
    "core_weight",
    "satellite_weight",
)


def assemble(data: object, catalogue: Catalogue, report: Report) -> Portfolio | None:
    """Return the portfolio of plain data, or None where the report holds an error."""
    if data is None or data == {}:
        message = "there is nothing in it: start with portfolio:, base_currency and holdings"
        ko = "비어 있습니다: portfolio: 아래에 base_currency와 holdings부터 적으세요"
        report.error((), "empty-document", message, ko)
        return None
    document = Fields(data, (), report, (*DOCUMENT_KEYS, *_misplaced(data, PORTFOLIO_KEYS)))
    for key in _misplaced(document.values, PORTFOLIO_KEYS):
        ko = f"{key} 위치가 다릅니다: portfolio 아래로 들여쓰세요"
        document.error(key, "unknown-key", f"{key} belongs under portfolio: indent it there", ko)
    if not document.given("portfolio"):
        if document.values:
            repair = "write portfolio: with base_currency, holdings, cash and targets under it"
            ko = "portfolio: 아래에 base_currency, holdings, cash, targets를 적으세요"
            document.missing("portfolio", repair, ko)
        return None
    body = document.values["portfolio"]
    portfolio = Fields(body, ("portfolio",), report, (*PORTFOLIO_KEYS, *_misplaced(body, DOCUMENT_KEYS)))
    if not portfolio.values:
        if isinstance(body, Mapping):
            message = "portfolio has nothing in it: write base_currency and holdings"
            ko = "portfolio가 비어 있습니다: base_currency와 holdings를 적으세요"
            report.error(portfolio.path, "empty-document", message, ko)
        return None
    for key in _misplaced(body, DOCUMENT_KEYS):
        message = f"{key} belongs at the top, beside portfolio: take its indentation away"
        portfolio.error(
            key, "unknown-key", message, f"{key} 위치가 다릅니다: portfolio와 나란히, 들여쓰기 없이 적으세요"
        )
    return _assemble(document, portfolio, Instruments(catalogue, report), report)


def _misplaced(data: object, keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(key for key in keys if isinstance(data, Mapping) and key in data)


def _assemble(document: Fields, portfolio: Fields, instruments: Instruments, report: Report) -> Portfolio | None:
    base = portfolio.currency("base_currency") or ""
    if not portfolio.given("base_currency"):
        repair = "write the currency the whole is counted in, such as KRW"
        portfolio.missing("base_currency", repair, "전체를 계산할 통화를 KRW처럼 적으세요")
    accounts, declared = read_accounts(portfolio)
    holdings = read_holdings(portfolio, instruments, accounts, declared=declared)
    rules = read_rules(portfolio, base)
    sections = read_sections(portfolio, instruments, rules)
    groups = read_groups(portfolio, instruments, sections)
    fx_path: Path = ("fx",)
    fx = read_rates(document.values.get("fx"), fx_path, report)
    settings = read_settings(document.values.get("settings"), ("settings",), report, base)
    found = Portfolio(
        name=portfolio.text("name"),
        base_currency=base,
        instruments=instruments.build(),
        holdings=holdings,
        accounts=accounts,
        sections=sections,
        groups=groups,
        settings=settings,
        fx=fx,
        accounts_declared=declared,
        untargeted_rule=rules["all"],
    )
    if base:
        check_rates(fx, base, frozenset(found.currencies), fx_path, report)
    if not holdings and not any(section.targets for section in sections) and not any(a.cash for a in accounts):
        message = "there are no holdings, targets or cash: nothing to plan"
        ko = "보유 종목도 목표도 현금도 없습니다: 계획할 것이 없습니다"
        report.warning(portfolio.path, "empty-portfolio", message, ko)
    return None if report.failed else found
