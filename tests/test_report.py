"""The terminal report: numbers, widths, sentences, and what a person must not miss."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from decimal import Decimal as D  # noqa: N817 - tables of figures read better
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.document import portfolio_from_data
from engine.errors import error, warning
from engine.phrase import phrase, place
from engine.plan import Cause, Plan, Reason, cash_weight, reconciliation, traded
from engine.portfolio import Instrument
from engine.quote import SAMPLE_SOURCE
from engine.rebalance import rebalance
from engine.valuation import FxRate
from engine.words import LANGUAGES, Lang, say
from tests.plans import example, hostile, quiet, two_accounts
from xl_addin.show import terminal as numbers
from xl_addin.show.terminal import (
    Paint,
    TextColumn,
    TextRow,
    clip,
    default_language,
    display_width,
    pad,
    paint_for,
    problem_lines,
    split_tables,
    table_lines,
    wrap,
)
from xl_addin.show.text import conclusion, report


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1234000", "KRW", "₩1,234,000"),
        ("-1234.565", "USD", "-$1,234.57"),
        ("0.4", "KRW", "₩0"),
        ("-0.4", "KRW", "₩0"),
        ("12", "EUR", "EUR 12.00"),
        ("1E+6", "KRW", "₩1,000,000"),
        ("1E+30", "KRW", "₩1" + ",000" * 10),
    ],
)
def test_money_shows_its_currency_and_smallest_unit(amount: str, currency: str, text: str) -> None:
    assert numbers.money(D(amount), currency) == text


@pytest.mark.parametrize(
    ("price", "currency", "text"),
    [("12000.5", "KRW", "₩12,000.5"), ("512.3", "USD", "$512.30"), ("0.1234567", "USD", "$0.123457")],
)
def test_a_price_shows_the_decimals_that_it_has(price: str, currency: str, text: str) -> None:
    assert numbers.price(D(price), currency) == text


def test_a_quantity_shows_only_the_decimals_that_it_has() -> None:
    assert [numbers.quantity(D(n)) for n in ("3.50", "1E+3", "250")] == ["3.5", "1,000", "250"]


def test_drift_is_signed_and_nothing_has_no_sign() -> None:
    assert [numbers.points(D(n)) for n in ("0.1", "-0.0251", "-0.0001", "0")] == ["+10.0", "-2.5", "0.0", "0.0"]


def test_a_korean_syllable_is_two_columns_wide() -> None:
    assert [display_width(text) for text in ("삼성전자", "TIGER 미국S&P500", "₩1", "가나")] == [8, 16, 2, 4]


@given(st.text(alphabet="가나다라 abc123()", max_size=60), st.integers(2, 40))
def test_clipped_and_padded_text_is_exactly_as_wide_as_asked(text: str, width: int) -> None:
    assert display_width(pad(clip(text, width), width)) == width


@given(st.lists(st.text(alphabet="가나다abc", min_size=1, max_size=10), max_size=30), st.integers(20, 60))
def test_wrapped_text_keeps_every_word_and_the_width(words: list[str], width: int) -> None:
    lines = wrap(" ".join(words), width)
    assert " ".join(lines).split() == words
    assert all(display_width(line) <= width for line in lines)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "plan", [example(), quiet(), two_accounts(), hostile()], ids=["full", "quiet", "accounts", "bad"]
)
@pytest.mark.parametrize("width", [60, 80, 120, 160])
def test_the_report_fits_the_terminal(plan: Plan, lang: Lang, width: int) -> None:
    lines = report(plan, lang, Paint(width=width), verbose=True).splitlines()
    assert [line for line in lines if display_width(line) > width] == []


def test_columns_line_up_under_korean_names() -> None:
    lines = report(example(), "ko").splitlines()
    lines = lines[lines.index(say("caption.positions", "ko")) :]
    rows = [line for line in lines if re.search(r"(360750|069500|005930) .*~?.*%", line)][:3]
    ends = {display_width(row[: row.index("%")]) for row in rows}
    assert len(rows) == 3
    assert len(ends) == 1


def test_the_reconciliation_of_each_currency_adds_up_line_by_line() -> None:
    for plan in (example(), two_accounts(), quiet()):
        lines = reconciliation(plan)
        assert lines
        assert not any(line.difference for line in lines)


def test_a_plan_that_does_not_reconcile_is_called_so() -> None:
    plan = example()
    wrong = replace(plan, cash=replace(plan.cash, after={**plan.cash.after, "KRW": D(1)}))
    assert "DOES NOT RECONCILE in All KRW" in report(wrong)
    assert "DOES NOT RECONCILE" not in report(plan)


def test_every_declared_account_has_its_own_cash_lines() -> None:
    lines = [(line.account, line.currency, line.after) for line in reconciliation(two_accounts())]
    assert lines[:2] == [("키움", "KRW", D(2_499_700)), ("해외", "USD", D("498.60"))]
    assert [line[0] for line in lines[2:]] == [None, None]


def test_cash_weighs_what_the_positions_leave() -> None:
    cash = cash_weight(example())
    assert (cash.value, cash.weight, cash.drift) == (D(3_450_000), D("0.1725"), D("0.0225"))


def test_traded_amounts_are_never_added_across_currencies() -> None:
    sums = [(row.side, row.currency, row.count, row.amount, row.costs) for row in traded(example())]
    assert sums == [("sell", "KRW", 1, D(2_000_000), D(300)), ("buy", "USD", 1, D(2000), D("1.40"))]


def test_sample_prices_are_called_samples_loudly() -> None:
    plan = example()
    sample = replace(plan, positions=tuple(replace(p, price_source=SAMPLE_SOURCE) for p in plan.positions))
    assert "!! SAMPLE PRICES of 2026-11-20" in report(sample)
    assert "2026-11-20 예시 시세" in report(sample, "ko")
    assert "SAMPLE PRICES" not in report(plan)


def test_stale_prices_are_named_with_their_day() -> None:
    plan = example()
    stale = replace(plan, positions=(replace(plan.positions[0], stale=True), *plan.positions[1:]))
    assert "!! STALE PRICES: 360750 (2026-11-20)" in report(stale)


def test_the_header_says_where_prices_come_from_and_the_rate_used() -> None:
    assert "Prices     prices.csv: 4 (2026-11-20); 1 USD = ₩1,400" in report(example())


def said_of(**quality: Any) -> str:
    plan = example()
    text = report(replace(plan, quality=replace(plan.quality, **quality)), "en", Paint(width=160))
    return " ".join(text.split())


def test_the_verdict_names_what_stays_misplaced_in_money() -> None:
    assert "₩600,000 (3% of the total) is still not where the targets want it." in said_of(misplaced=0.03)


def test_a_plan_that_is_proven_best_says_so_and_another_by_how_much_at_most_one_could_be_better() -> None:
    assert "Proven: no plan under your rules is better." in said_of(objective=0.01, bound=0.01)
    assert "no plan under your rules could be better by more than ₩2,000" in said_of(objective=0.01, bound=0.0099)


def test_a_plan_without_a_proof_is_called_unproven() -> None:
    assert "is not proven" in said_of(bound=float("-inf"))


@pytest.mark.parametrize(("rung", "words"), [(1, "Only what had to be raised"), (2, "sections that act also sell"),
                                              (3, "others sell for them")])  # fmt: skip
def test_the_report_says_who_had_to_trade(rung: int, words: str) -> None:
    assert words in said_of(rung=rung)


def test_the_report_says_of_each_section_whether_it_acts_and_why() -> None:
    plan = example()
    core = replace(plan.sections[0], acts=True, why=Cause("band", ("360750",)))
    text = report(replace(plan, sections=(core, plan.sections[1])))
    assert "acts: Outside the band: 360750" in text
    assert "waits: Nothing of it is outside a band or limit, and no review is due" in text


def test_the_conclusion_says_what_to_do_in_one_sentence() -> None:
    assert conclusion(example(), "en") == (
        "Rebalance: sell ₩2,000,000 in one order, buy $2,000.00 in one order; costs and taxes ₩300 + $1.40; "
        "₩2,199,400 + $319.10 of cash remain."
    )


def test_the_report_begins_with_the_conclusion_and_the_orders() -> None:
    lines = report(example(), "en", Paint(width=160)).splitlines()
    assert " ".join(lines[:2]) == conclusion(example(), "en")
    blocks = [block.splitlines()[0] for block in "\n".join(lines).split("\n\n")]
    assert blocks[1:3] == ["Orders", "Currency conversions"]


def test_a_brief_report_has_the_verdict_and_the_orders_only() -> None:
    text = report(example(), "en", brief=True)
    whole = report(example(), "en")
    assert whole.startswith(text.rstrip().split("\n\n")[0])
    assert [name for name in ("positions", "cash", "tax") if say(f"caption.{name}", "en") in text.splitlines()] == []
    assert [trade.symbol for trade in example().trades if trade.symbol not in text] == []


def test_a_brief_report_counts_the_warnings_that_it_leaves_out() -> None:
    warned = replace(example(), problems=(warning("limit-breached.below", "here", weight=D(1), limit=D(1)),))
    assert "1 warning to read before trading" in report(warned, "en", brief=True)
    assert "warning to read" not in report(warned, "en")


def test_the_verdict_says_why_something_acts() -> None:
    plan = example()
    core = replace(plan.sections[0], acts=True, why=Cause("band", ("360750",)))
    assert "Why        core: Outside the band: 360750" in report(replace(plan, sections=(core, plan.sections[1])))


def test_the_verdict_says_what_is_to_be_replaced() -> None:
    plan = example()
    sale = replace(plan.trades[0], symbol="SPY", reason=replace(plan.trades[0].reason, code="consolidate"))
    assert "to be replaced by a better liked member: SPY" in report(replace(plan, trades=(sale,)))


def test_what_is_new_since_an_earlier_plan_stands_in_the_verdict() -> None:
    assert "  Changed    one order is new" in report(example(), "en", since=("one order is new",))


def test_bought_and_sold_have_the_colours_that_the_reader_knows() -> None:
    for lang, sell, buy in (("en", 31, 32), ("ko", 94, 31)):
        text = report(example(), lang, Paint(enabled=True))
        for side, colour in (("sell", sell), ("buy", buy)):
            assert re.search(rf"\x1b\[{colour}m[^\x1b]*{say(f'side.{side}', lang)}", text)


def test_one_cause_in_several_places_is_one_line() -> None:
    same = [error("price-missing", place("price", symbol=symbol)) for symbol in ("QQQ", "SCHD")]
    lines = problem_lines(same, "en", Paint(width=200), 200)
    assert len(lines) == 1
    assert "price of QQQ, SCHD: " in lines[0]


def test_one_cause_of_several_symbols_is_told_of_all_of_them() -> None:
    told = [warning("store.nothing", place("price", symbol=s), symbol=s) for s in ("QQQ", "SCHD", "VTI")]
    (line,) = problem_lines(told, "en", Paint(width=300), 300)
    assert line.count("QQQ, SCHD, VTI") == 2


def test_places_without_a_symbol_are_listed() -> None:
    told = [error("no-such-file", name) for name in ("a.csv", "b.csv")]
    assert problem_lines(told, "en", Paint(width=300), 300)[0].startswith("error: a.csv, b.csv: ")


def test_an_english_report_shows_the_english_name_of_a_fund() -> None:
    plan = example()
    name = plan.positions[0].name
    fund = Instrument("360750", name, "KR", "KRW", name_en="English 360750")
    named = replace(plan, portfolio=replace(plan.portfolio, instruments={"360750": fund}))
    shown = [report(named, lang) for lang in LANGUAGES]
    assert ["English 360750" in text for text in shown] == [True, False]


def test_a_table_leaves_columns_out_before_it_cuts_a_number() -> None:
    columns = [TextColumn("Name", "<", least=5), TextColumn("Value"), TextColumn("More", optional=1)]
    lines = table_lines(columns, [TextRow(("a long name", "1,234,567", "99"))], Paint(width=20))
    assert lines[-1] == "a long ..  1,234,567"


@given(st.lists(st.integers(1, 18), min_size=1, max_size=12), st.integers(40, 120))
def test_a_table_of_any_number_of_columns_is_split_to_fit(widths: list[int], width: int) -> None:
    columns = [TextColumn("Name", "<"), *(TextColumn(str(n)) for n in range(len(widths)))]
    row = TextRow(("a name", *("9" * n for n in widths)))
    tables = split_tables(columns, [row], Paint(width=width))
    assert all(display_width(line) <= width for table in tables for line in table)
    assert [cell for table in tables for cell in table[-1].split()[2:]] == list(row.cells[1:])


def test_a_quiet_plan_says_there_is_nothing_to_do() -> None:
    assert conclusion(quiet(), "en").startswith("Nothing to do")
    assert "No trades." in report(quiet())


def test_a_plan_that_can_trade_nothing_for_what_is_outside_its_band_does_not_call_it_in_order() -> None:
    locked = {"symbol": "AAA", "quantity": 70, "price": 100, "currency": "USD", "locked": True}
    short = {"symbol": "BBB", "quantity": 30, "price": 100, "currency": "USD"}
    targets = [{"ticker": "AAA", "weight": 0.5}, {"ticker": "BBB", "weight": 0.5}]
    body = {"base_currency": "USD", "holdings": [locked, short], "targets": targets}
    portfolio, problems = portfolio_from_data({"portfolio": body}, "locked")
    assert portfolio is not None, problems
    plan = rebalance(portfolio, {}, quiet().as_of)
    assert plan.trades == ()
    assert conclusion(plan, "en").startswith("No trades: none that is allowed")


def test_what_nobody_asked_a_price_for_has_none_in_the_report() -> None:
    held = [{"symbol": "VTI", "quantity": 5, "price": 100}]
    targets = [{"ticker": "VTI", "weight": 0.9}, {"ticker": "GLDM", "weight": 0.1, "enabled": False}]
    body = {"base_currency": "USD", "holdings": held, "targets": targets}
    portfolio, problems = portfolio_from_data({"portfolio": body}, "disabled")
    assert portfolio is not None, problems
    told = report(rebalance(portfolio, {}, quiet().as_of))
    assert next(line for line in told.splitlines() if "GLDM" in line).count("$0.00") == 1  # its value
    assert "none: 1" not in told


def test_trades_inside_the_bands_are_not_called_needed() -> None:
    assert conclusion(replace(example(), needs_rebalancing=False), "en").startswith("Nothing is outside its band")


def test_a_tax_that_is_not_known_is_said_to_be() -> None:
    assert "not known without the average cost of: 360750" in report(example())


CODES = [
    "over", "under", "above", "below", "untargeted", "zero-target",
    "raise-cash", "pay-purchase", "cash-target", "limit", "relocate",
]  # fmt: skip


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("code", CODES)
def test_every_reason_has_its_own_sentence(code: str, lang: Lang) -> None:
    sentence = Reason(code, D("0.45"), D("0.35"), D("0.3"), D("0.4")).phrase.told(lang)
    assert "45.0%" in sentence
    assert code + ":" not in sentence


def test_a_reason_shows_the_decimals_that_make_it_true() -> None:
    near = Reason("under", D("0.0746"), D("0.1"), D("0.075"), D("0.125"))
    assert str(near.phrase) == "Weighs 7.46%, below its band of 7.50~12.50%; target 10.00%"


def test_trades_without_accounts_have_no_account_column() -> None:
    plan = example()
    nowhere = replace(plan, trades=tuple(replace(trade, account="") for trade in plan.trades))
    header = next(line for line in report(nowhere).splitlines() if line.startswith("Side"))
    assert "Weight after" in header


def test_control_characters_in_names_never_reach_the_terminal() -> None:
    text = report(hostile(), "en")
    assert "\x1b" not in text
    assert "\t" not in text


def test_colour_changes_nothing_but_colour() -> None:
    coloured = report(example(), "ko", Paint(enabled=True))
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == report(example(), "ko")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "enabled"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
    ids=["terminal", "NO_COLOR", "dumb", "pipe"],
)
def test_colours_only_on_a_terminal_that_wants_them(
    stream: io.StringIO,
    environ: dict[str, str],
    enabled: bool,  # noqa: FBT001
) -> None:
    assert paint_for(stream, environ).enabled is enabled


@pytest.mark.parametrize(
    ("environ", "lang"),
    [
        ({}, "en"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ko"}, "ko"),
    ],
)
def test_the_language_follows_the_locale(environ: dict[str, str], lang: Lang) -> None:
    assert default_language(environ) == lang


@pytest.mark.parametrize(("name", "lang"), [("Korean_Korea", "ko"), ("ko_KR", "ko"), ("English_United States", "en")])
def test_without_variables_the_language_is_the_systems(monkeypatch: pytest.MonkeyPatch, name: str, lang: Lang) -> None:
    monkeypatch.setattr("locale.getlocale", lambda: (name, "949"))
    assert default_language({}) == lang


def test_korean_report_has_no_english_captions() -> None:
    korean = report(example(), "ko")
    for name in ("positions", "trades", "cash", "quality", "weight", "target", "band"):
        assert say(f"caption.{name}", "en") not in korean


def test_a_stale_rate_is_named_with_what_rests_on_it() -> None:
    plan = example()
    old = {"USD": FxRate("USD", D(1390), "yahoo", None, phrase("was-stale"), ("USDKRW",))}
    positions = tuple(replace(p, stale=True) if p.currency in old else p for p in plan.positions)
    said = " ".join(report(replace(plan, rates=old, positions=positions)).split())
    assert "!! STALE RATES: " in said
    assert "the values of QQQ rest on them" in said
