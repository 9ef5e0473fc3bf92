"""The result workbook: readable without recalculation, safe to open, formatted as people expect."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from engine.errors import InputError
from engine.plan import Plan
from tests.plans import example, hostile, quiet, two_accounts
from xl_addin.output.files import free_name, output_problems, write_whole
from xl_addin.output.language import LANGUAGES, Lang
from xl_addin.output.workbook import write_workbook

SHEETS = {
    "en": ["Summary", "Positions", "Trades", "Reconciliation", "Problems"],
    "ko": ["요약", "종목", "매매", "현금 검산", "확인할 점"],
}


def written(plan: Plan, folder: Path, lang: Lang = "en") -> Workbook:
    path = folder / "plan.xlsx"
    write_workbook(plan, path, lang)
    return load_workbook(path)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_sheets_are_named_in_the_language(tmp_path: Path, lang: Lang) -> None:
    assert written(example(), tmp_path, lang).sheetnames == SHEETS[lang]


@pytest.mark.parametrize(
    "plan", [example(), quiet(), two_accounts(), hostile()], ids=["full", "quiet", "accounts", "bad"]
)
def test_no_cell_is_a_formula(tmp_path: Path, plan: Plan) -> None:
    cells = [cell for sheet in written(plan, tmp_path) for row in sheet.iter_rows() for cell in row]
    assert cells
    assert not [cell.coordinate for cell in cells if cell.data_type == "f"]


def test_text_that_looks_like_a_formula_is_marked_as_text(tmp_path: Path) -> None:
    sheet = written(hostile(), tmp_path)["Positions"]
    assert sheet["A2"].value.startswith("=HYPERLINK(")
    assert [sheet.cell(row, 1).quotePrefix for row in range(2, 6)] == [True] * 4


def test_figures_are_numbers_with_the_formats_of_their_kind(tmp_path: Path) -> None:
    sheet = written(example(), tmp_path)["Positions"]
    titles = {cell.value: cell.column for cell in sheet[1]}
    korean, american = 2, 4
    assert sheet.cell(korean, titles["Price"]).value == 20000
    assert sheet.cell(korean, titles["Price"]).number_format.startswith("₩#,##0")
    assert sheet.cell(american, titles["Price"]).number_format.startswith("$#,##0.00")
    assert sheet.cell(american, titles["Quantity"]).value == 3.5
    assert sheet.cell(korean, titles["Weight"]).number_format == "0.0%"
    assert sheet.cell(korean, titles["Drift"]).number_format == "+0.0%;-0.0%;0.0%"


def test_positions_end_with_cash_and_the_total(tmp_path: Path) -> None:
    sheet = written(example(), tmp_path)["Positions"]
    values = {row[0].value: row[8].value for row in sheet.iter_rows(min_row=2)}
    assert values["Cash"] == 3_450_000
    assert values["Total value"] == 20_000_000
    assert sum(value for name, value in values.items() if name != "Total value") == values["Total value"]


def test_the_reconciliation_adds_up_in_the_cells(tmp_path: Path) -> None:
    sheet = written(two_accounts(), tmp_path)["Reconciliation"]
    rows = [row for row in sheet.iter_rows(min_row=2, values_only=True) if row[1]]
    assert len(rows) == 4
    for _, _, before, sells, buys, costs, exchanged, after, check in rows:
        assert before + sells - buys - costs + exchanged == pytest.approx(after, abs=1e-6)
        assert check == "OK"


def test_the_chart_compares_weight_with_target_for_every_position_and_cash(tmp_path: Path) -> None:
    book = written(example(), tmp_path)
    (chart,) = book["Summary"]._charts
    ranges = [series.val.numRef.f for series in chart.series]
    titles = {cell.value: cell.column_letter for cell in book["Positions"][1]}
    assert ranges == [f"'Positions'!${titles[name]}$2:${titles[name]}$6" for name in ("Weight", "Target")]


@pytest.mark.parametrize("name", SHEETS["en"])
def test_every_sheet_prints_on_a4_landscape_one_page_wide(tmp_path: Path, name: str) -> None:
    sheet = written(example(), tmp_path)[name]
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.page_setup.fitToWidth == 1


@pytest.mark.parametrize("name", SHEETS["en"][1:])
def test_table_headers_stay_in_view(tmp_path: Path, name: str) -> None:
    assert written(example(), tmp_path)[name].freeze_panes in ("A2", "B2")


def test_columns_are_wide_enough_for_korean_names(tmp_path: Path) -> None:
    sheet = written(example(), tmp_path, "ko")["종목"]
    assert sheet.column_dimensions["A"].width >= 17


def test_problems_are_listed_with_where(tmp_path: Path) -> None:
    sheet = written(example(), tmp_path)["Problems"]
    assert [cell.value for cell in sheet[2]][:2] == ["warning", "portfolio.satellite"]


def test_an_existing_file_is_refused_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    path.write_text("mine")
    assert [problem.code for problem in output_problems(path, ".xlsx", force=False)] == ["output-exists"]
    assert output_problems(path, ".xlsx", force=True) == ()


def test_every_fault_of_an_output_path_is_listed(tmp_path: Path) -> None:
    problems = output_problems(tmp_path / "none" / "plan.csv", ".xlsx", force=False)
    assert [problem.code for problem in problems] == ["output-suffix", "output-folder"]


def test_free_names_count_up(tmp_path: Path) -> None:
    (tmp_path / "plan.xlsx").touch()
    (tmp_path / "plan-2.xlsx").touch()
    assert free_name(tmp_path, "plan", ".xlsx").name == "plan-3.xlsx"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    path.write_text("mine")

    def fail(temporary: Path) -> None:
        temporary.write_text("half")
        raise PermissionError(13, "Permission denied")

    with pytest.raises(InputError, match="Permission denied"):
        write_whole(path, fail)
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]
