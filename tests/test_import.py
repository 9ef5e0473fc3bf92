"""Brokers' exports: each file is read exactly or refused with what to do; what is imported plans like what is typed.

The files have invented numbers in the shapes that brokers write; `expected.yaml` beside them says what is in each.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.data.brokers.tables import amount, day_in
from engine.data.document import parse_portfolio
from engine.errors import InputError, Problem
from engine.portfolio import Portfolio
from engine.words import LANGUAGES
from rebalancer.importing import import_files, read_statements, write_imported
from rebalancer.loading import load
from rebalancer.planning import plan
from xl_addin.cli import main

FOLDER = Path(__file__).parent / "import_files"
EXPECTED: dict[str, Any] = yaml.load((FOLDER / "expected.yaml").read_text(encoding="utf-8"), yaml.BaseLoader)
READ = [name for name, said in EXPECTED.items() if "refused" not in said]
REFUSED = [name for name, said in EXPECTED.items() if "refused" in said]
DAY = dt.date(2026, 11, 20)


def figure(text: str) -> str | Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def row(text: str, names: int) -> list[str | Decimal]:
    cells = [cell.strip() for cell in text.split("|")]
    return [*cells[:names], *(figure(cell) for cell in cells[names:])]


def statement(name: str) -> Any:
    (found,), _ = read_statements([FOLDER / name])
    return found


def imported(*names: str, **options: Any) -> Any:
    return import_files([FOLDER / name for name in names], **options)


def test_there_are_more_than_sixty_files_and_all_are_described() -> None:
    files = {path.name for path in FOLDER.iterdir() if path.is_file()} - {"expected.yaml"}
    assert files == EXPECTED.keys()
    assert len(files) > 60


@pytest.mark.parametrize("name", READ)
def test_the_holdings_of_an_export_are_read_exactly(name: str) -> None:
    lines = statement(name).lines
    found = [
        [one.account, one.symbol, one.quantity, "" if one.average_cost is None else one.average_cost,
         "" if one.price is None else one.price, one.currency]
        for one in lines
    ]  # fmt: skip
    assert found == [row(text, 2) for text in EXPECTED[name]["holdings"]]


@pytest.mark.parametrize("name", READ)
def test_the_cash_of_an_export_is_read_exactly(name: str) -> None:
    purses: dict[tuple[str, str], Decimal] = {}
    for one in statement(name).cash:
        purses[one.account, one.currency] = purses.get((one.account, one.currency), Decimal(0)) + one.amount
    expected = [row(text, 2) for text in EXPECTED[name]["cash"]]
    assert [[*key, amount] for key, amount in purses.items()] == expected


@pytest.mark.parametrize("name", READ)
def test_the_form_and_the_day_of_an_export_are_recognised(name: str) -> None:
    found = statement(name)
    assert (found.form, str(found.as_of or "")) == (EXPECTED[name]["format"], EXPECTED[name].get("as_of", ""))


@pytest.mark.parametrize("name", READ)
def test_what_is_left_out_of_an_export_is_told(name: str) -> None:
    told = {problem.message.key for problem in statement(name).problems}
    assert told == set(EXPECTED[name].get("told", ()))


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_exactly_is_refused(name: str) -> None:
    with pytest.raises(InputError) as fault:
        imported(name, currency="USD")
    errors = [problem.code for problem in fault.value.problems if problem.severity == "error"]
    assert errors[0] == EXPECTED[name]["refused"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_told_in_each_language(name: str, lang: str) -> None:
    with pytest.raises(InputError) as fault:
        imported(name, currency="USD")
    for problem in fault.value.problems:
        assert len(problem.said(lang)) > 15


@pytest.mark.parametrize("name", [one for one in READ if EXPECTED[one]["holdings"] or EXPECTED[one]["cash"]])
def test_an_export_becomes_a_portfolio_file_that_reads_back_equal(name: str, tmp_path: Path) -> None:
    held = imported(name, currency="KRW")
    write_imported(held, tmp_path / "mine.yaml", "en")
    again = load(tmp_path / "mine.yaml")
    assert again.holdings == held.portfolio.holdings
    assert again.accounts == held.portfolio.accounts


def test_a_header_that_is_not_known_is_shown_with_the_mapping_to_give() -> None:
    with pytest.raises(InputError, match=r"Seen: fund, stück, paid\. Say what they mean with --map COLUMN=FIELD"):
        imported("own-mapped.csv")


def test_a_mapping_reads_a_file_of_unknown_headers() -> None:
    mapping = {"fund": "symbol", "stück": "quantity", "paid": "average_cost"}
    (holding,) = imported("own-mapped.csv", mapping=mapping).portfolio.holdings
    assert (holding.symbol, holding.quantity, holding.average_cost) == ("VTI", 210, Decimal("246.19"))


def test_a_mapping_beats_what_a_header_usually_means() -> None:
    held = imported("own-list.csv", mapping={"cost per share": "price"}).portfolio.holdings[0]
    assert (held.price, held.average_cost) == (Decimal("246.19"), None)


def test_exports_of_several_brokers_make_one_portfolio() -> None:
    held = imported("schwab.csv", "vanguard.csv").portfolio
    assert [(one.account, one.symbol) for one in held.holdings] == [("Individual ...123", "VTI"), ("12345678", "VTI")]
    assert {one.name: dict(one.cash) for one in held.accounts} == {
        "Individual ...123": {"USD": Decimal("5230.11")},
        "12345678": {"USD": Decimal("1500.25")},
    }


def test_one_price_of_a_symbol_is_taken_from_the_latest_export() -> None:
    held = imported("schwab.csv", "flex.xml", "etrade.csv").portfolio
    assert {one.price for one in held.holdings} == {Decimal("341.2")}


def test_an_export_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match="is the same file as"):
        imported("schwab.csv", "schwab.csv")


def test_holdings_in_several_currencies_ask_for_the_base() -> None:
    with pytest.raises(InputError, match="several currencies"):
        imported("hts-overseas.csv")
    assert imported("hts-overseas.csv", currency="KRW").portfolio.base_currency == "KRW"


def test_the_prices_of_an_export_can_be_left_out() -> None:
    assert {one.price for one in imported("fidelity.csv", prices=False).portfolio.holdings} == {None}


def test_the_source_and_day_of_a_price_stand_beside_it(tmp_path: Path) -> None:
    write_imported(imported("fidelity.csv"), tmp_path / "mine.yaml", "en")
    lines = (tmp_path / "mine.yaml").read_text(encoding="utf-8").splitlines()
    assert sum(line.endswith("# price: fidelity 2026-11-20") for line in lines) == 2


TYPED = """
portfolio:
  base_currency: USD
  holdings:
    - {symbol: VTI, quantity: 210.512, average_cost: 246.19, price: 341.20, account: Individual - TOD}
    - {symbol: BND, quantity: 290, average_cost: 76.22, price: 74.50, account: Individual - TOD}
  cash: {USD: 5230.11}
  targets:
    - {ticker: VTI, weight: 0.6}
    - {ticker: BND, weight: 0.4}
"""


@pytest.mark.parametrize("suffix", [".yaml", ".xlsx"])
def test_an_export_plans_like_the_same_portfolio_typed_by_hand(tmp_path: Path, suffix: str) -> None:
    targets = tmp_path / "targets.csv"
    targets.write_text("symbol,weight\nVTI,60%\nBND,0.4\n", encoding="utf-8")
    write_imported(imported("fidelity.csv", targets=targets), tmp_path / f"mine{suffix}", "en")
    typed, _ = parse_portfolio(TYPED, "typed")
    assert typed is not None
    mine, theirs = plan(load(tmp_path / f"mine{suffix}"), {}, as_of=DAY), plan(typed, {}, as_of=DAY)
    assert theirs.trades
    assert mine.trades == theirs.trades
    assert mine.cash == theirs.cash


def test_a_korean_export_plans_like_the_same_portfolio_typed_by_hand(tmp_path: Path) -> None:
    targets = tmp_path / "own.yaml"
    body = "cash: {KRW: 5}, targets: [{ticker: 삼성전자, weight: 0.5}, {ticker: TIGER 미국S&P500, weight: 0.5}]"
    targets.write_text(f"portfolio: {{base_currency: KRW, {body}}}", encoding="utf-8")
    write_imported(imported("kiwoom.csv", targets=targets), tmp_path / "mine.yaml", "ko")
    rows = [
        {"symbol": "360750", "quantity": 30, "average_cost": 21000, "price": 24350},
        {"symbol": "005930", "quantity": 10, "average_cost": 70000, "price": 81000},
    ]
    wanted = [{"ticker": "005930", "weight": 0.5}, {"ticker": "360750", "weight": 0.5}]
    typed = load({"portfolio": {"base_currency": "KRW", "holdings": rows, "targets": wanted}})
    assert plan(load(tmp_path / "mine.yaml"), {}, as_of=DAY).trades == plan(typed, {}, as_of=DAY).trades


def test_a_model_gives_targets_and_rules() -> None:
    held = imported("kiwoom.csv", model="stable-growth").portfolio
    assert {section.name for section in held.sections} == {"core", "satellite"}
    assert {one.symbol for one in held.holdings} == {"360750", "005930"}


MINE = """\
# what I keep
portfolio:
  name: mine   # a name
  base_currency: USD
  holdings:
    # the big one
    - {symbol: VTI, quantity: 200, average_cost: 240, account: Individual - TOD, locked: true}  # never sold
    - {symbol: VXUS, quantity: 5, currency: USD, account: Individual - TOD}
    - {symbol: QQQ, quantity: 1, account: elsewhere}
  cash: {USD: 1.00}   # in the drawer
  targets:
    - {ticker: VTI, weight: 60%}   # by heart
    - {ticker: BND, weight: 0.4}
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(MINE, encoding="utf-8")
    return path


def test_what_changes_is_told_before_anything_is_written(mine: Path) -> None:
    found = imported("fidelity.csv", into=mine)
    assert [(one.kind, one.symbol, one.before, one.after) for one in found.changes] == [
        ("changed", "VTI", 200, Decimal("210.512")),
        ("gone", "VXUS", 5, 0),
        ("new", "BND", 0, 290),
    ]
    assert mine.read_text(encoding="utf-8") == MINE


def test_a_portfolio_brought_up_to_date_keeps_targets_locks_and_what_exports_do_not_speak_of(mine: Path) -> None:
    before, after = load(mine), imported("fidelity.csv", into=mine).portfolio
    assert after.sections == before.sections
    assert [(one.symbol, one.account, one.locked) for one in after.holdings] == [
        ("VTI", "Individual - TOD", True), ("QQQ", "elsewhere", False), ("BND", "Individual - TOD", False),
    ]  # fmt: skip


def test_a_portfolio_brought_up_to_date_keeps_its_comments_and_order(mine: Path) -> None:
    write_imported(imported("fidelity.csv", into=mine), mine, "en", into=mine)
    text = mine.read_text(encoding="utf-8")
    for remark in ("# what I keep", "# a name", "# the big one", "# in the drawer", "# by heart", "weight: 60%"):
        assert remark in text
    assert text.index("VTI") < text.index("QQQ") < text.index("BND")


def test_one_sum_of_cash_for_several_accounts_stays_and_is_told(mine: Path) -> None:
    found = imported("fidelity.csv", into=mine)
    assert found.portfolio.accounts[0].cash == {"USD": 1}
    assert "cash-left" in {problem.code for problem in found.problems}


def test_cash_of_the_only_account_is_brought_up_to_date(mine: Path) -> None:
    mine.write_text(MINE.replace("elsewhere", "Individual - TOD"), encoding="utf-8")
    assert imported("fidelity.csv", into=mine).portfolio.accounts[0].cash == {"USD": Decimal("5230.11")}


def test_cash_of_a_new_account_is_added_to_that_of_the_others(mine: Path) -> None:
    mine.write_text(MINE.replace("Individual - TOD", "elsewhere"), encoding="utf-8")
    assert imported("fidelity.csv", into=mine).portfolio.accounts[0].cash == {"USD": Decimal("5231.11")}


def test_the_same_export_again_changes_nothing(mine: Path) -> None:
    mine.write_text(MINE.replace("elsewhere", "Individual - TOD"), encoding="utf-8")
    write_imported(imported("fidelity.csv", into=mine), mine, "en", into=mine)
    again = imported("fidelity.csv", into=mine)
    assert (again.changes, again.cash_changes) == ((), ())


def test_declared_accounts_are_told_apart_by_name(tmp_path: Path) -> None:
    accounts = [{"name": "A", "cash": {"USD": 1}}, {"name": "B", "cash": {"USD": 2}}]
    path = tmp_path / "two.yaml"
    path.write_text(yaml.safe_dump({"portfolio": {"base_currency": "USD", "accounts": accounts}}), encoding="utf-8")
    with pytest.raises(InputError, match="say which one is meant with --broker"):
        imported("m1.csv", into=path)
    found = imported("m1.csv", into=path, broker="B").portfolio
    assert {one.name: one.cash["USD"] for one in found.accounts} == {"A": 1, "B": Decimal("1012.34")}
    assert [one.account for one in found.holdings] == ["B"]


def test_a_workbook_brought_up_to_date_keeps_its_targets(tmp_path: Path, mine: Path) -> None:
    first = imported("fidelity.csv", into=mine)
    write_imported(first, tmp_path / "first.xlsx", "en", into=mine)
    second = imported("fidelity.csv", into=tmp_path / "first.xlsx")
    write_imported(second, tmp_path / "second.xlsx", "en", into=tmp_path / "first.xlsx")
    again = load(tmp_path / "second.xlsx")
    assert second.changes == ()
    assert replace(again, name="") == replace(load(tmp_path / "first.xlsx"), name="")


def test_the_command_shows_the_changes_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "mine.yaml"
    assert main(["import", str(FOLDER / "schwab.csv"), "-o", str(out), "--lang", "en"]) == 0
    said = capsys.readouterr()
    assert "new     Individual ...123  VTI" in said.out
    assert "Cash USD: $0.00 → $5,230.11" in said.out
    assert "There are no targets yet" in said.out
    assert "read as schwab; positions: 1; as of: 2026-04-25" in " ".join(said.err.split())
    assert out.exists()


def test_the_command_without_a_place_only_shows(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(FOLDER / "fidelity.csv"), "--into", str(mine), "--lang", "en"]) == 0
    assert "Nothing is written yet" in capsys.readouterr().out
    assert mine.read_text(encoding="utf-8") == MINE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "where to write is missing"),
        (["-o", "x.yaml", "--map", "Qty=quantiti"], "did you mean quantity"),
        (["-o", "x.yaml", "--model", "growth", "--targets", "t.csv"], "give one of them"),
        (["-o", "x.yaml", "--format", "fidelty"], "fidelity"),
    ],
)
def test_the_command_says_what_its_arguments_lack(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(FOLDER / "fidelity.csv"), "--lang", "en", *arguments]) == 2
    assert words in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("+$3.10", "3.10"), ("$-120.50", "-120.50"), ("-$0.05", "-0.05"), ("(1,107.00)", "-1107"), ("₩81,000", "81000"),
        ("USD 341.20", "341.20"), ("10주", "10"), ("70,000원", "70000"), ("--", None), ("12.5%", None), ("", None),
        ("1,23,4", None), ("@310.0500000000", "310.05"),
    ],
)  # fmt: skip
def test_a_number_of_an_export_is_read_or_is_none(text: str, meant: str | None) -> None:
    assert amount(text) == (None if meant is None else Decimal(meant))


@pytest.mark.parametrize(("text", "meant"), [("1.234,50", "1234.50"), ("341,20", "341.20"), ("-7", "-7")])
def test_a_number_with_a_decimal_comma(text: str, meant: str) -> None:
    assert amount(text, comma=True) == Decimal(meant)


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_any_amount_of_dollars_is_read_as_it_was_written(number: Decimal) -> None:
    assert amount(f"${number:,.2f}") == number
    assert amount(f"-${number:,.2f}") == -number


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Date downloaded Nov-20-2026 4:35 p.m ET", "2026-11-20"),
        ("09:15 PM ET, 2026/04/25", "2026-04-25"),
        ("November 1, 2026 - November 20, 2026", "2026-11-20"),
        ("Date downloaded 07/08/2026", "2026-07-08"),
        ("1234-5678-90", None),
        ("2026-13-40", None),
    ],
)
def test_the_day_of_an_export_is_found_in_its_sentences(text: str, day: str | None) -> None:
    assert day_in(text) == (None if day is None else dt.date.fromisoformat(day))


def test_every_command_of_the_page_on_importing_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in FOLDER.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "targets.csv").write_text("ticker,weight\nVTI,0.9\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[1] / "docs" / "import.md").read_text(encoding="utf-8")
    commands = [line.split()[1:] for line in page.splitlines() if line.startswith("rebalancer ")]
    assert len(commands) == 10
    for words in commands:
        arguments, _, output = " ".join(words).partition(" > ")
        capsys.readouterr()
        assert main(arguments.split()) == 0, arguments
        if output:
            Path(output).write_text(capsys.readouterr().out, encoding="utf-8")


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """Return an export with a piece of it cut out, doubled or replaced."""
    name = draw(st.sampled_from(sorted(EXPECTED)))
    data = (FOLDER / name).read_bytes()
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(len(data), start + 200)))
    piece = draw(st.sampled_from([b"", data[start:end] * 2, b'"', b",,,,", b"\n", b"-", b"\xff", b"<", b"1e9999"]))
    return name, data[:start] + piece + data[end:]


@given(damaged())
def test_a_damaged_export_is_read_or_refused_and_nothing_else(tmp_path_factory: Any, export: tuple[str, bytes]) -> None:
    name, data = export
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(data)
    found: Portfolio | None = None
    problems: tuple[Problem, ...] = ()
    try:
        found = import_files([path], currency="KRW").portfolio
    except InputError as fault:
        problems = fault.problems
    refused = any(problem.severity == "error" for problem in problems)
    held = found is not None and (found.holdings or any(one.cash for one in found.accounts))
    assert refused or held


def test_a_table_of_targets_may_have_sections(tmp_path: Path) -> None:
    targets = tmp_path / "targets.csv"
    targets.write_text("ticker,weight,section\nVTI,0.5,core\nBND,0.3,all\nQQQ,0.2,rotation\n", encoding="utf-8")
    found = {section.name: section.weight for section in imported("fidelity.csv", targets=targets).portfolio.sections}
    assert found == {"core": Decimal("0.5"), "all": Decimal("0.3"), "rotation": Decimal("0.2")}
