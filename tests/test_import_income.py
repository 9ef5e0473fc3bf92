"""What exports say was paid out: shown, in the cash once; and what kind of account a name says."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.data.brokers.accounts import account_type
from engine.errors import InputError
from rebalancer.importing import Imported, import_files
from tests.test_import import FOLDER

D = Decimal
VANGUARD = (FOLDER / "vanguard.csv").read_text(encoding="utf-8")
PAID = """12345678,2026-10-02,2026-10-03,Dividend,Dividend Received,Total Stock Market,VTI,0,0,120.5,0,120.5,0,CASH,
12345678,2026-10-02,2026-10-03,Reinvestment,Dividend Reinvestment,Total Stock Market,VTI,0.06,340,-20.5,0,-20.5,0,CASH,
"""
WITHOUT_CASH = "\n".join(line for line in VANGUARD.splitlines() if "VMFXX" not in line) + "\n"
ACTIVITY = (FOLDER / "ib-activity.csv").read_text(encoding="utf-8-sig") + (
    "Dividends,Header,Currency,Date,Description,Amount\n"
    "Dividends,Data,USD,2026-11-03,VTI(US9229087690) Cash Dividend USD 0.87 per Share (Ordinary Dividend),182.7\n"
    "Dividends,Data,Total,,,182.7\n"
    "Withholding Tax,Header,Currency,Date,Description,Amount,Code\n"
    "Withholding Tax,Data,USD,2026-11-03,VTI(US9229087690) Cash Dividend USD 0.87 per Share - US Tax,-27.41,\n"
)
FLEX = (
    (FOLDER / "flex.xml")
    .read_text(encoding="utf-8")
    .replace(
        "</OpenPositions>",
        '</OpenPositions><CashTransactions><CashTransaction accountId="U1234567" currency="USD" symbol="VTI" '
        'dateTime="20261103;202000" amount="182.7" type="Dividends" levelOfDetail="DETAIL"/><CashTransaction '
        'accountId="U1234567" currency="USD" symbol="VTI" amount="182.7" type="Dividends" levelOfDetail="SUMMARY"/>'
        "</CashTransactions>",
    )
)
OFX = (
    (FOLDER / "ofx2.ofx")
    .read_text(encoding="utf-8")
    .replace(
        "<INVPOSLIST>",
        "<INVTRANLIST><REINVEST><INVTRAN><FITID>1</FITID><DTTRADE>20261103</DTTRADE></INVTRAN><SECID><UNIQUEID>922908769"
        "</UNIQUEID></SECID><INCOMETYPE>DIV</INCOMETYPE><TOTAL>-182.70</TOTAL><UNITS>0.5</UNITS></REINVEST></INVTRANLIST>"
        "<INVPOSLIST>",
        1,
    )
)


def taken(folder: Path, name: str, text: str, **more: object) -> Imported:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return import_files([path], **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("v.csv", VANGUARD + PAID, [("dividend", "120.5", "VTI"), ("reinvested", "-20.5", "VTI")]),
        ("ib.csv", ACTIVITY, [("dividend", "182.7", "VTI"), ("tax", "-27.41", "VTI")]),
        ("flex.xml", FLEX, [("dividend", "182.7", "VTI")]),
        ("o.ofx", OFX, [("dividend", "182.70", "VTI"), ("reinvested", "-182.70", "VTI")]),
    ],
)
def test_every_payment_is_read(tmp_path: Path, name: str, text: str, expected: list[tuple[str, str, str]]) -> None:
    (statement,) = taken(tmp_path, name, text).statements
    assert [(one.kind, one.amount, one.symbol) for one in statement.income] == [(k, D(n), s) for k, n, s in expected]


def test_cash_that_the_export_states_has_the_dividends_already(tmp_path: Path) -> None:
    found = taken(tmp_path, "v.csv", VANGUARD + PAID)
    assert found.portfolio.accounts[0].cash == {"USD": D("1500.25")}
    assert [one.severity for one in found.problems if one.code == "income"] == ["info"]


def test_without_stated_cash_what_was_not_reinvested_is_added_and_said(tmp_path: Path) -> None:
    found = taken(tmp_path, "v.csv", WITHOUT_CASH + PAID)
    assert found.portfolio.accounts[0].cash == {"USD": D("100.0")}
    assert [one.severity for one in found.problems if one.code == "income"] == ["warning"]


def test_into_a_portfolio_it_is_shown_as_a_change_of_its_cash(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "portfolio:\n  base_currency: USD\n  holdings: [{symbol: VTI, quantity: 30}]\n  cash: {USD: 50}\n"
        "  targets: [{ticker: VTI, weight: 0.9}]\n",
        encoding="utf-8",
    )
    found = taken(tmp_path, "v.csv", WITHOUT_CASH + PAID, into=tmp_path / "p.yaml")
    assert [(one.before, one.after) for one in found.cash_changes] == [(D(50), D(150))]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Individual ...123", "taxable"),
        ("Roth IRA ...456", "roth"),
        ("ROTH IRA", "roth"),
        ("Rollover IRA", "ira"),
        ("SEP-IRA", "ira"),
        ("ACME 401(K) PLAN", "401k"),
        ("중개형ISA", "isa"),
        ("삼성증권 IRP", "irp"),
        ("연금저축계좌", "pension"),
        ("미래에셋 종합위탁", "taxable"),
        ("Visa savings", ""),
        ("MIRAE", ""),
        ("12345678", ""),
    ],
)
def test_a_name_says_the_type_only_where_it_is_certain(name: str, kind: str) -> None:
    assert account_type(name) == kind


def test_accounts_are_of_the_types_that_their_names_say() -> None:
    portfolio = import_files([FOLDER / "schwab-stacked.csv"]).portfolio
    assert {one.name: one.type for one in portfolio.accounts} == {
        "Individual ...123": "taxable",
        "Roth IRA ...456": "roth",
    }
    assert all(one.markets is None for one in portfolio.accounts)


def test_a_person_knows_better_than_a_name(tmp_path: Path) -> None:
    found = taken(tmp_path, "v.csv", VANGUARD, account_types={"12345678": "ira"})
    assert [(one.name, one.type) for one in found.portfolio.accounts] == [("12345678", "ira")]


def test_a_type_for_an_account_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        import_files([FOLDER / "schwab-stacked.csv"], account_types={"Roth": "roth"})
    assert "Roth IRA ...456" in str(refused.value.problems[0].message)
