"""What a portfolio document means: the contract's example, names, defaults, warnings."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from engine.data.document import parse_portfolio, portfolio_from_data
from engine.errors import Problem
from engine.portfolio import Account, Group, Holding, Instrument, Portfolio, Rule, Section, Target
from engine.settings import CostOverride, Settings

D = Decimal

CONTRACT = """\
portfolio:
  name: 성장 추구형
  base_currency: KRW
  holdings:
    - {symbol: "360750", quantity: 250, average_cost: 16200, account: 키움}
    - {symbol: QQQ, quantity: 3.5, price: 512.30, locked: true}   # a price given here is manual and beats every source
    - {symbol: MYFUND, quantity: 10, price: 12000, currency: KRW, asset_type: fund}
  cash: {KRW: 1500000, USD: 320.50}         # or, where each account has its own cash and rules:
  core:                                     # sections; or `targets:` for one plain list
    - {ticker: "TIGER 미국S&P500", weight: 0.35, role: 미국 시장 베타}
  satellite:
    - {ticker: "091230", weight: 0.12, min: 0.05, max: 0.15, benchmark: "069500", thesis_valid: true}
  rules:                                    # per section; the values below are the defaults (but for last_rebalanced)
    core:
      {schedule: semi-annual, absolute_band: 0.05, relative_band: null, min_trade: 200000, last_rebalanced: 2026-07-01}
    satellite: {schedule: quarterly, absolute_band: 0.07, relative_band: null, min_trade: 100000}
    all: {schedule: none, absolute_band: 0.05, relative_band: 0.25, min_trade: 0}    # every other section
  groups:                                   # caps over several instruments
    - {name: leveraged, members: [TQQQ, SOXL], max: 0.10}
fx: {USDKRW: 1391.5}                        # optional manual rate
settings:
  mode: full                                # full | buy-only | sell-only
  cash_flow: 0                              # + deposit, − withdrawal, base currency
  trigger: due                           # always | due (trade only if a band is breached or a schedule is due)
  trade: all                                # all | breached (only breached instruments)
  destination: target                       # target | edge | half (of the band)
  fractional: []                            # markets that allow fractional shares, e.g. [US]
  convert_currency: true
  cash_buffer: 0                            # base currency kept untouched
  max_turnover: null
  costs:                                    # overrides of the dated cost table; the most specific key wins
    "*": {commission: 0.00015, minimum: 0, sell_tax: 0}      # rates of the traded amount / per trade / on sales
    KR/stock: {sell_tax: 0.002}                              # also KR, US, KR/etf, US/etf, US/stock, fund, ...
  fx_spread: 0.001                          # of the converted amount
"""

ACCOUNTS = """\
  accounts:
    - {name: 키움, type: taxable, cash: {KRW: 900000, USD: 320.50}}
    - {name: ISA, type: isa, cash: {KRW: 600000}, markets: [KR]}
    - {name: IRP, type: irp, cash: {KRW: 0}, markets: [KR], risk_cap: 0.70, banned: [leveraged, inverse]}
"""


def good(text: str) -> tuple[Portfolio, tuple[Problem, ...]]:
    portfolio, problems = parse_portfolio(text, "p.yaml")
    assert portfolio is not None, problems
    return portfolio, problems


def body(text: str) -> tuple[Portfolio, tuple[Problem, ...]]:
    """Parse what stands under `portfolio:` in a won portfolio."""
    return good("portfolio:\n  base_currency: KRW\n" + text)


def codes(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.code for problem in problems]


def test_contract_example_is_read_into_exactly_these_records() -> None:
    portfolio, _ = good(CONTRACT)
    assert portfolio.name == "성장 추구형"
    assert portfolio.base_currency == "KRW"
    assert portfolio.holdings == (
        Holding("360750", D(250), "키움", average_cost=D(16200)),
        Holding("QQQ", D("3.5"), price=D("512.30"), locked=True),
        Holding("MYFUND", D(10), price=D(12000)),
    )
    assert portfolio.accounts == (Account("", cash={"KRW": D(1500000), "USD": D("320.50")}),)
    assert not portfolio.accounts_declared
    assert portfolio.sections == (
        Section(
            "core",
            (Target("360750", D("0.35"), role="미국 시장 베타"),),
            Rule("semi-annual", D("0.05"), None, D(200000), dt.date(2026, 7, 1)),
        ),
        Section(
            "satellite",
            (Target("091230", D("0.12"), "", D("0.05"), D("0.15"), "069500", thesis_valid=True),),
            Rule("quarterly", D("0.07"), None, D(100000)),
        ),
    )
    assert portfolio.untargeted_rule == Rule("none", D("0.05"), D("0.25"), D(0))
    assert portfolio.groups == (Group("leveraged", ("TQQQ", "SOXL"), D("0.10")),)
    assert portfolio.fx == {"USDKRW": D("1391.5")}
    assert portfolio.settings == Settings(
        costs={"*": CostOverride(D("0.00015"), D(0), D(0)), "KR/stock": CostOverride(sell_tax=D("0.002"))}
    )
    assert list(portfolio.instruments) == ["360750", "QQQ", "MYFUND", "091230"]
    assert portfolio.instruments["MYFUND"] == Instrument("MYFUND", "MYFUND", "KR", "KRW", "fund")


def test_contract_example_has_only_information() -> None:
    _, problems = good(CONTRACT)
    assert {(problem.severity, problem.code) for problem in problems} == {
        ("info", "cash-target"),
        ("info", "not-in-catalogue"),
    }


def test_contract_accounts_are_read_into_exactly_these_records() -> None:
    portfolio, _ = body(ACCOUNTS)
    assert portfolio.accounts_declared
    assert portfolio.accounts == (
        Account("키움", "taxable", {"KRW": D(900000), "USD": D("320.50")}),
        Account("ISA", "isa", {"KRW": D(600000)}, ("KR",)),
        Account("IRP", "irp", {"KRW": D(0)}, ("KR",), D("0.70"), ("leveraged", "inverse")),
    )


def test_rules_of_the_contract_are_the_defaults() -> None:
    written, _ = good(CONTRACT.replace(", last_rebalanced: 2026-07-01", ""))
    rules = CONTRACT[CONTRACT.index("  rules:") : CONTRACT.index("  groups:")]
    default, _ = good(CONTRACT.replace(rules, ""))
    assert default == written


def test_domain_example_is_read_with_its_cash_target_shown() -> None:
    held = {"360750": 4500, "069500": 1500, "305080": 1200, "091230": 1800, "305720": 600, "453810": 400}
    rows = "".join(f"    - {{symbol: {symbol}, quantity: {count}, price: 1000}}\n" for symbol, count in held.items())
    core = "".join(
        f"    - {{ticker: {s}, weight: {w}}}\n" for s, w in (("360750", 0.35), ("069500", 0.15), ("305080", 0.15))
    )
    satellite = "".join(
        f"    - {{ticker: {s}, weight: {w}}}\n" for s, w in (("091230", 0.12), ("305720", 0.08), ("453810", 0.07))
    )
    portfolio, problems = body(f"  holdings:\n{rows}  core:\n{core}  satellite:\n{satellite}")
    assert [holding.symbol for holding in portfolio.holdings] == list(held)
    assert [section.weight for section in portfolio.sections] == [D("0.65"), D("0.27")]
    assert portfolio.cash_target == D("0.08")
    assert "8 %" in next(str(problem.message) for problem in problems if problem.code == "cash-target")


@pytest.mark.parametrize(
    "written", ["069500", '"069500"', "'069500'", "KODEX 200", "kodex200", "ＫＯＤＥＸ　２００", "코덱스 200"]
)
def test_code_and_names_mean_one_instrument(written: str) -> None:
    portfolio, _ = body(f"  holdings: [{{symbol: {written}, quantity: 1}}]\n")
    assert portfolio.holdings[0].symbol == "069500"


def test_unquoted_code_without_leading_zero_is_read() -> None:
    portfolio, _ = body("  holdings: [{symbol: 360750, quantity: 1}]\n")
    assert portfolio.holdings[0].symbol == "360750"


@pytest.mark.parametrize("written", ["BRK.B", "BRK-B", "brk/b"])
def test_share_classes_are_written_in_one_way(written: str) -> None:
    portfolio, _ = body(f"  targets: [{{ticker: {written}, weight: 1}}]\n")
    assert portfolio.sections[0].targets[0].symbol == "BRK.B"


def test_ticker_that_yaml_calls_a_boolean_stays_a_ticker() -> None:
    portfolio, _ = body("  holdings: [{symbol: ON, quantity: 1}]\n")
    assert portfolio.holdings[0].symbol == "ON"


def test_name_alone_is_enough_where_the_catalogue_has_it() -> None:
    portfolio, _ = body("  holdings: [{name: 삼성전자, quantity: 1}]\n")
    assert portfolio.holdings[0].symbol == "005930"


def test_name_that_agrees_with_its_code_is_no_problem() -> None:
    _, problems = body("  targets: [{ticker: 453810, name: KODEX 인도Nifty50, weight: 1}]\n")
    assert codes(problems) == []


def test_circulating_code_without_a_name_is_pointed_out() -> None:
    _, problems = body("  targets: [{ticker: 453810, weight: 1, enabled: true}]\n")
    (problem,) = problems
    assert (problem.severity, problem.code) == ("warning", "wrong-code")
    assert "453870" in str(problem.message)


def test_name_the_catalogue_does_not_know_is_pointed_out() -> None:
    portfolio, problems = body("  targets: [{ticker: QQQ, name: 나스닥 펀드, weight: 1}]\n")
    assert codes(problems) == ["name-unknown"]
    assert portfolio.instruments["QQQ"].name == "Invesco QQQ Trust"


@pytest.mark.parametrize(
    ("symbol", "market", "currency"),
    [("999990", "KR", "KRW"), ("0046Y0", "KR", "KRW"), ("ZZZZ", "US", "USD"), ("zzz-a", "US", "USD")],
)
def test_code_outside_the_catalogue_has_the_market_of_its_shape(symbol: str, market: str, currency: str) -> None:
    portfolio, problems = body(f'  holdings: [{{symbol: "{symbol}", quantity: 1}}]\n')
    (instrument,) = portfolio.instruments.values()
    assert (instrument.market, instrument.currency) == (market, currency)
    assert "not-in-catalogue" in codes(problems)


def test_currency_given_beats_the_shape_of_the_code() -> None:
    portfolio, _ = body(
        "  holdings: [{symbol: '7203', quantity: 1, currency: JPY}, {symbol: FUND, quantity: 1, currency: KRW}]\n"
    )
    assert [(i.market, i.currency) for i in portfolio.instruments.values()] == [("OTHER", "JPY"), ("KR", "KRW")]


def test_market_given_beats_the_catalogue_and_is_pointed_out() -> None:
    portfolio, problems = body("  targets: [{ticker: QQQ, weight: 1, market: OTHER}]\n")
    assert portfolio.instruments["QQQ"].market == "OTHER"
    assert codes(problems) == ["overrides-catalogue"]


def test_target_may_name_a_holding_of_ones_own() -> None:
    text = "  holdings: [{symbol: MYFUND, name: 우리 펀드, quantity: 0, currency: KRW}]\n"
    portfolio, _ = body(text + "  targets: [{ticker: 우리펀드, weight: 1}]\n")
    assert portfolio.sections[0].targets[0].symbol == "MYFUND"
    assert portfolio.instruments["MYFUND"].name == "우리 펀드"


def test_group_may_have_a_member_of_ones_own() -> None:
    text = "  holdings: [{symbol: MYFUND, quantity: 0, currency: KRW}]\n"
    portfolio, _ = body(text + "  groups: [{name: g, members: [MYFUND], max: 0.1}]\n")
    assert portfolio.groups == (Group("g", ("MYFUND",), D("0.1")),)


def test_decimals_keep_the_digits_that_were_written() -> None:
    portfolio, _ = body("  holdings: [{symbol: QQQ, quantity: 0.1, price: 1e2, average_cost: '0.30'}]\n")
    (holding,) = portfolio.holdings
    assert (holding.quantity, holding.price, str(holding.average_cost)) == (D("0.1"), D(100), "0.30")


def test_float_of_a_cell_becomes_the_digits_it_shows() -> None:
    data = {"portfolio": {"base_currency": "KRW", "holdings": [{"symbol": 360750.0, "quantity": 0.1}]}}
    portfolio, _ = portfolio_from_data(data, "book")
    assert portfolio is not None
    assert portfolio.holdings == (Holding("360750", D("0.1")),)


def test_date_of_a_cell_is_read() -> None:
    rule = {"last_rebalanced": dt.datetime(2026, 7, 1, 9, 0, tzinfo=dt.UTC)}
    data = {"portfolio": {"base_currency": "KRW", "rules": {"all": rule}}}
    portfolio, _ = portfolio_from_data(data, "book")
    assert portfolio is not None
    assert portfolio.untargeted_rule.last_rebalanced == dt.date(2026, 7, 1)


def test_other_names_of_a_rules_keys_are_read() -> None:
    rules = "{scheduled_frequency: monthly, drift_threshold: 0.04, min_trade_krw: 50000}"
    portfolio, _ = body(f"  core: [{{ticker: SPY, weight: 1}}]\n  rules: {{core: {rules}}}\n")
    assert portfolio.sections[0].rule == Rule("monthly", D("0.04"), None, D(50000))


def test_null_switches_a_band_off() -> None:
    portfolio, _ = body("  rules: {all: {absolute_band: null}}\n")
    assert portfolio.untargeted_rule == Rule("none", None, D("0.25"))


def test_rule_for_all_is_that_of_untargeted_holdings() -> None:
    portfolio, _ = body("  targets: [{ticker: SPY, weight: 1}]\n  rules: {all: {min_trade: 7}}\n")
    assert portfolio.untargeted_rule.min_trade == D(7)
    assert portfolio.sections[0].rule == portfolio.untargeted_rule


def test_sections_keep_the_order_of_the_document() -> None:
    order = {"targets": "SPY", "satellite": "QQQ", "core": "VTI"}
    rows = "".join(f"  {key}: [{{ticker: {symbol}, weight: 0.1}}]\n" for key, symbol in order.items())
    portfolio, _ = body(rows)
    assert [section.name for section in portfolio.sections] == ["all", "satellite", "core"]


@pytest.mark.parametrize(
    ("kind", "markets"), [("isa", ("KR",)), ("pension", ("KR",)), ("irp", ("KR",)), ("taxable", None)]
)
def test_account_type_brings_its_markets(kind: str, markets: tuple[str, ...] | None) -> None:
    portfolio, _ = body(f"  accounts: [{{name: a, type: {kind}}}]\n")
    assert portfolio.accounts[0].markets == markets


def test_retirement_account_brings_cap_and_bans() -> None:
    portfolio, _ = body("  accounts: [{name: a, type: irp}]\n")
    assert portfolio.accounts[0] == Account("a", "irp", {}, ("KR",), D("0.70"), ("leveraged", "inverse"))


def test_account_looser_than_its_type_is_pointed_out() -> None:
    portfolio, problems = body("  accounts: [{name: a, type: irp, risk_cap: 0.9, banned: [], markets: null}]\n")
    assert portfolio.accounts[0] == Account("a", "irp", {}, None, D("0.9"), ())
    (message,) = [str(problem.message) for problem in problems if problem.code == "looser-than-rule"]
    assert all(word in message for word in ("markets", "risk_cap", "banned"))


def test_holding_of_the_only_account_need_not_name_it() -> None:
    portfolio, _ = body("  accounts: [{name: a}]\n  holdings: [{symbol: QQQ, quantity: 1}]\n")
    assert portfolio.holdings[0].account == "a"


def test_account_without_declaration_is_a_label() -> None:
    portfolio, _ = body("  holdings: [{symbol: QQQ, quantity: 1, account: anywhere}]\n")
    assert portfolio.holdings[0].account == "anywhere"


def test_lots_of_one_instrument_stay_apart_and_are_pointed_out() -> None:
    row = "{symbol: QQQ, quantity: 1}"
    portfolio, problems = body(f"  holdings: [{row}, {row}]\n")
    assert len(portfolio.holdings) == 2
    assert ("info", "repeated-holding") in {(problem.severity, problem.code) for problem in problems}


@pytest.mark.parametrize(
    ("weight", "rule", "pointed_out"),
    [
        ("0.07", "{absolute_band: 0.07}", True),
        ("0.05", "{absolute_band: 0.07}", True),
        ("0.0701", "{absolute_band: 0.07}", False),
        ("0.07", "{absolute_band: 0.07, relative_band: 0.25}", False),
        ("0.07", "{absolute_band: null, relative_band: 1}", True),
        ("0.07", "{absolute_band: null}", False),
        ("0", "{absolute_band: 0.07}", False),
    ],
)
def test_band_that_cannot_be_reached_is_pointed_out(weight: str, rule: str, *, pointed_out: bool) -> None:
    text = f"  satellite: [{{ticker: 305720, weight: {weight}}}]\n  rules: {{satellite: {rule}}}\n"
    _, problems = body(text)
    assert ("band-unreachable" in codes(problems)) is pointed_out


@pytest.mark.parametrize("weights", [("0.5", "0.5"), ("0.5", "0.5000005"), ("0.5", "0.4999995")])
def test_weights_within_a_millionth_of_one_leave_no_cash(weights: tuple[str, str]) -> None:
    first, second = weights
    _, problems = body(f"  targets: [{{ticker: SPY, weight: {first}}}, {{ticker: QQQ, weight: {second}}}]\n")
    assert codes(problems) == []


def test_stated_section_weight_that_agrees_is_no_problem() -> None:
    _, problems = body("  core_weight: 1\n  core: [{ticker: SPY, weight: 1.0}]\n")
    assert codes(problems) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("  cash: {KRW: -5}\n  targets: [{ticker: SPY, weight: 1}]\n", "negative-cash"),
        ("  cash: {KRW: 0.5}\n  targets: [{ticker: SPY, weight: 1}]\n", "below-smallest-unit"),
        ("  holdings: [{symbol: SPY, quantity: 1}]\n", "no-targets"),
        ("  core: [{ticker: SPY, weight: 1}]\n  rules: {satellite: {min_trade: 1}}\n", "unused-rule"),
        (
            "  targets: [{ticker: SPY, weight: 1}]\n  groups: [{name: g, members: [SPY], max: 0.5}]\n",
            "group-over-target",
        ),
        (
            "  targets: [{ticker: SPY, weight: 1}]\n  groups: [{name: g, members: [QQQ], min: 0.5}]\n",
            "group-over-target",
        ),
        ("  targets: [{ticker: SPY, weight: 1}]\nsettings: {costs: {KR: {commission: 0.25}}}\n", "large-rate"),
        ("  targets: [{ticker: SPY, weight: 1}]\nfx: {EURGBP: 0.85}\n", "fx-unconnected"),
        ("  targets: [{ticker: ZZZZ, weight: 1}]\n", "not-in-catalogue"),
    ],
)
def test_questionable_document_is_read_with_a_warning(text: str, code: str) -> None:
    _, problems = body(text)
    assert ("warning", code) in {(problem.severity, problem.code) for problem in problems}


def test_cash_below_the_smallest_unit_is_rounded_down() -> None:
    portfolio, _ = body("  cash: {KRW: 0.5, USD: 1.999}\n")
    assert portfolio.accounts[0].cash == {"KRW": D(0), "USD": D("1.99")}


@pytest.mark.parametrize(
    ("written", "counted"),
    [("9999.999999999998", 10_000), ("10000.000000000002", 10_000), ("-0.30000000000000004", "-0.3")],
)
def test_what_a_float_leaves_over_is_no_cash(written: str, counted: object) -> None:
    currency = "USD" if "." in str(counted) else "KRW"
    portfolio, problems = body(f"  cash: {{{currency}: {written}}}\n")
    assert portfolio.accounts[0].cash == {currency: D(str(counted))}
    assert "below-smallest-unit" not in codes(problems)


def test_a_cash_flow_is_in_whole_smallest_units() -> None:
    portfolio, problems = body("  cash: {KRW: 9}\nsettings: {cash_flow: -5.5}\n")
    assert portfolio.settings.cash_flow == -6
    assert ("warning", "below-smallest-unit") in {(problem.severity, problem.code) for problem in problems}


def test_floats_are_kept_with_all_their_digits() -> None:
    numbers = "quantity: 10.333333333333334, average_cost: 33.333333333333336, price: 341.1199951171875"
    targets = "".join(f"    - {{ticker: {name}, weight: {1 / 3!r}}}\n" for name in ("AAA", "SPY", "QQQ"))
    settings = "max_turnover: 0.30000000000000004, costs: {KR: {commission: 0.00014999999999999999}}"
    portfolio, problems = good(
        f"portfolio:\n  base_currency: KRW\n  holdings: [{{symbol: AAA, currency: KRW, {numbers}}}]\n  targets:\n"
        f"{targets}fx: {{KRWUSD: 0.0007186489399928135}}\nsettings: {{{settings}}}\n"
    )
    (held,) = portfolio.holdings
    assert (held.quantity, held.average_cost, held.price) == (
        D("10.333333333333334"), D("33.333333333333336"), D("341.1199951171875"),
    )  # fmt: skip
    assert [target.weight for _, target in portfolio.targets()] == [D("0.3333333333333333")] * 3
    assert portfolio.fx == {"KRWUSD": D("0.0007186489399928135")}
    assert portfolio.settings.max_turnover == D("0.30000000000000004")
    assert portfolio.settings.costs["KR"].commission == D("0.00014999999999999999")
    assert "cash-target" not in codes(problems)


def test_inverse_rates_within_half_a_percent_agree() -> None:
    portfolio, problems = good(
        "portfolio: {base_currency: KRW, cash: {KRW: 1}}\nfx: {USDKRW: 1400, KRWUSD: 0.000716}\n"
    )
    assert portfolio.fx == {"USDKRW": D(1400), "KRWUSD": D("0.000716")}
    assert "fx-contradiction" not in codes(problems)


def test_rates_joined_late_are_compared_too() -> None:
    rates = "{EURUSD: 1.1, GBPKRW: 1800, EURGBP: 0.85, USDKRW: 1391}"
    portfolio, _ = good(f"portfolio: {{base_currency: KRW, cash: {{KRW: 1}}}}\nfx: {rates}\n")
    assert len(portfolio.fx) == 4
    _, problems = parse_portfolio(
        f"portfolio: {{base_currency: KRW, cash: {{KRW: 1}}}}\nfx: {rates.replace('1391', '1500')}\n", "p"
    )
    assert ("fx-contradiction", "p line 2: fx.USDKRW") in {(problem.code, str(problem.where)) for problem in problems}


def test_byte_order_mark_of_utf8_is_no_problem() -> None:
    portfolio, _ = parse_portfolio(b"\xef\xbb\xbf" + CONTRACT.encode(), "p.yaml")
    assert portfolio is not None


def test_windows_line_ends_do_not_matter() -> None:
    assert parse_portfolio(CONTRACT.replace("\n", "\r\n"), "p") == parse_portfolio(CONTRACT, "p")


def test_five_thousand_holdings_are_read_in_seconds() -> None:
    rows = "".join(
        f'    - {{symbol: "{n:06d}", quantity: {n}, price: 100.5, asset_type: stock}}\n' for n in range(5000)
    )
    portfolio, _ = body(f"  holdings:\n{rows}")
    assert len(portfolio.holdings) == 5000
