"""Programs of others read every kind of our workbooks: Microsoft's Open XML SDK, exceljs and SheetJS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from engine.words import LANGUAGES, Lang
from rebalancer.updating import update
from templates.merge import write_back
from templates.models.clients import PLAIN
from templates.report import BookReport
from templates.share import share
from templates.spec import SHEETS, sheet
from templates.write import build
from tests.office import Office
from tests.workbook.cases import filled_portfolio, plan_of, report_for, report_of
from tests.workbook.test_goals_book import portfolio
from tests.workbook.test_hand_made import OWN, made, planned
from tests.workbook.test_update import with_a_sheet

pytestmark = pytest.mark.slow

EVERY = "Office2013,Office2016,Microsoft365"
READERS = Path(__file__).with_name("readers")
ROOT = Path(__file__).resolve().parents[2]
MODULE = ("node", "--input-type=module", "-e")
#: What the programs find in one file, by the program.
Answer = dict[str, Any]

if not os.environ.get("CI") and not ((READERS / "node_modules").is_dir() and shutil.which("node")):
    pytest.skip("npm's packages are not installed in tests/workbook/readers", allow_module_level=True)


def read(*files: Path, versions: str = "Office2013") -> list[Answer]:
    """Return what the programs find in each file, by the rules of versions of Office: the oldest knows the fewest."""
    command = ["node", str(READERS / "read.mjs"), versions, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    answers: dict[str, Answer] = json.loads(done.stdout)
    return list(answers.values())


def faults(answer: Answer, lang: Lang) -> list[str]:
    """Return what breaks the format's rules, and every sheet that a program does not show or shows empty."""
    titles = [spec.title(lang) for spec in SHEETS if not spec.optional]
    unread = [f"{name}: {title}" for name in ("exceljs", "sheetjs") for title in titles if not answer[name].get(title)]
    return [*answer["violations"], *unread]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_fresh_workbooks_break_no_rule_and_every_sheet_is_read(lang: Lang, tmp_path: Path) -> None:
    files = []
    for key, filled in {"en": (("growth", True), ("blank", False)), "ko": (("cap-against-equal", True),)}[lang]:
        files.append(tmp_path / f"{key}.xlsx")
        files[-1].write_bytes(build(report_for(key, lang, filled), lang).to_bytes())
    files.append(tmp_path / "goals.xlsx")
    files[-1].write_bytes(build(BookReport(portfolio("overlap")), lang).to_bytes())
    assert [fault for answer in read(*files, versions=EVERY) for fault in faults(answer, lang)] == []


def test_the_workbook_with_macros_breaks_no_rule_and_every_sheet_is_read() -> None:
    (answer,) = read(ROOT / "rebalancer.xlsm", versions=EVERY)
    assert faults(answer, "en") == []


def test_copies_to_share_break_no_rule(tmp_path: Path) -> None:
    files = [tmp_path / "values.xlsx", tmp_path / "weights.xlsx"]
    for path, weights_only in zip(files, (False, True), strict=True):
        path.write_bytes(share(report_for("growth", "en", True), "en", weights_only=weights_only).to_bytes())
    answers = read(*files)
    assert [answer["violations"] for answer in answers] == [[], []]
    assert all(count for answer in answers for count in answer["exceljs"].values())


def saved_by_exceljs(source: Path, target: Path) -> None:
    code = "import E from 'exceljs'; const b = new E.Workbook(); const [s, t] = process.argv.slice(-2);"
    run = f"{code} await b.xlsx.readFile(s); await b.xlsx.writeFile(t)"
    subprocess.run(
        ["node", "--input-type=module", "-e", run, str(source), str(target)], cwd=READERS, check=True, timeout=120
    )


def saved_by_sheetjs(source: Path, target: Path) -> None:
    code = "import X from 'xlsx'; import f from 'node:fs'; const [s, t] = process.argv.slice(-2);"
    run = f"{code} f.writeFileSync(t, X.write(X.read(f.readFileSync(s)), {{ bookType: 'xlsx', type: 'buffer' }}))"
    subprocess.run(
        ["node", "--input-type=module", "-e", run, str(source), str(target)], cwd=READERS, check=True, timeout=120
    )


@pytest.mark.parametrize("program", ["nobody", "openpyxl", "LibreOffice", "exceljs", "SheetJS"])
def test_writing_back_adds_no_fault_whoever_saved_the_file(program: str, office: Office, tmp_path: Path) -> None:
    portfolio = filled_portfolio("growth")
    made, saved, after = (tmp_path / name for name in ("made.xlsx", "saved.xlsx", "after.xlsx"))
    made.write_bytes(build(BookReport(portfolio), "en").to_bytes())
    if program == "openpyxl":
        load_workbook(made).save(saved)
    elif program == "LibreOffice":
        (folder := tmp_path / "office").mkdir()
        shutil.copy(office.convert([made], "xlsx", folder)["made"], saved)
    elif program == "exceljs":
        saved_by_exceljs(made, saved)
    elif program == "SheetJS":
        saved_by_sheetjs(made, saved)
    else:
        shutil.copy(made, saved)
    data, notice = write_back(saved, report_of(plan_of(portfolio), "en"), "en")
    assert notice is None
    assert data is not None
    after.write_bytes(data)
    before, now = read(saved, after)
    assert set(faults(now, "en")) <= set(faults(before, "en"))


def test_a_sheet_of_ones_own_carried_into_a_new_version_breaks_no_rule(tmp_path: Path) -> None:
    old = with_a_sheet("0.2.0", tmp_path / "old.xlsx")
    (answer,) = read(update(old, None, PLAIN).path)
    assert answer["violations"] == []


@pytest.mark.parametrize("program", ["openpyxl", "LibreOffice", "exceljs", "SheetJS"])
def test_a_hand_made_workbook_gets_the_plan_and_no_fault_whoever_saved_it(
    program: str, office: Office, tmp_path: Path
) -> None:
    made_by_hand = made(tmp_path / "made.xlsx", chart=False)  # exceljs cannot read openpyxl's
    saved = tmp_path / "saved.xlsx"
    if program == "LibreOffice":
        shutil.copy(office.convert([made_by_hand], "xlsx", tmp_path / "office")["made"], saved)
    elif program == "openpyxl":
        shutil.copy(made_by_hand, saved)
    else:
        {"exceljs": saved_by_exceljs, "SheetJS": saved_by_sheetjs}[program](made_by_hand, saved)
    (before,) = read(saved)
    for _ in range(2):
        planned(saved)
    (now,) = read(saved)
    assert set(now["violations"]) <= set(before["violations"])
    assert {*OWN, sheet("Dashboard").title("ko")} <= now["exceljs"].keys() == now["sheetjs"].keys()
