"""What people see and type, in a real terminal: from the first question to the first trades booked; and in a hurry."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rebalancer.loading import load
from templates.models import KEYS
from xl_addin.show.terminal import display_width

pexpect = pytest.importorskip("pexpect")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminal of this kind"),
]

PRICES = "symbol,price,currency,as_of\n" + "".join(
    f"{symbol},{price},KRW,2026-11-20\n" for symbol, price in (("360750", 24500), ("069500", 52300), ("305080", 12800))
)
CTRL_C = "\x03"
#: The number of one's own targets, which stand below the models; the blank one is no choice.
OWN = str(len(KEYS))


@contextmanager
def terminal(folder: Path, *arguments: str, lang: str = "ko_KR.UTF-8", width: int = 80) -> Iterator[Any]:
    environ = {key: text for key, text in os.environ.items() if key not in ("COLUMNS", "LINES", "NO_COLOR")}
    environ |= {"LC_ALL": lang, "TERM": "xterm-256color", "PYTHONUTF8": "1"}
    child = pexpect.spawn(
        sys.executable, ["-m", "xl_addin", *arguments], cwd=str(folder), env=environ, dimensions=(24, width),
        encoding="utf-8", timeout=20,
    )  # fmt: skip
    try:
        yield child
    finally:
        child.close(force=True)


def rest(child: Any) -> str:
    """Return what the terminal shows until the program ends, and leave its status in the child."""
    child.expect(pexpect.EOF)
    shown: str = child.before
    child.close()
    return shown


def plain(shown: str) -> list[str]:
    """Return the lines of a screen without colours, and without what turned while one waited and was wiped out."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    lines = [line.rpartition("\r")[2] for line in text.replace("\r\n", "\n").split("\n")]
    return [line for line in lines if not re.match("[\u2800-\u28ff]", line)]


def answer(child: Any, *pairs: tuple[str, str]) -> None:
    for question, text in pairs:
        child.expect_exact(question)
        child.sendline(text)


def test_a_beginner_in_korean_from_the_first_question_to_the_first_trades_booked(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(PRICES, encoding="utf-8")
    given = ("--offline", "--prices", "prices.csv", "--as-of", "2026-11-20")
    with terminal(tmp_path, "init", *given) as child:
        answer(child, ("이름 [내 포트폴리오]", "지은"), ("번호 [1]", ""), ("통화", ""), ("번호(여러 개면", ""))
        child.expect_exact("번호 [1]")
        child.send(CTRL_C)
        assert "이어서 하세요" in rest(child)
        assert child.exitstatus == 1
    with terminal(tmp_path, "init", *given) as child:
        answer(child, ("이어서 할까요?", "y"), ("번호 [1]", OWN), ("목표(남은 비중 100%)", "TIGER 미국S&P500 50"),
               ("목표(남은 비중 50%)", "KODEX 200 30"), ("목표(남은 비중 20%)", "305080 20"),
               ("목표(남은 비중 0%)", ""), ("번호 [1]", "2"), ("보유 종목:", "TIGER 미국S&P500 120 16200"),
               ("보유 종목:", "KODEX 200 40"), ("보유 종목:", ""), ("예수금", "1500000"))  # fmt: skip
        told = rest(child)
        assert child.exitstatus == 0
    lines = plain(told)
    assert any(line.startswith("리밸런싱 필요: 매") for line in lines)
    assert [line for line in lines if display_width(line) > 80] == []
    assert "\x1b[31m" in told  # what is bought is red
    with terminal(tmp_path, "record", "포트폴리오.xlsx") as child:
        assert "반영: 계획" in rest(child)
        assert child.exitstatus == 0
    assert {one.symbol for one in load(tmp_path / "포트폴리오.xlsx").holdings if one.quantity} == {
        "360750", "069500", "305080"}  # fmt: skip
    with terminal(tmp_path, "plan", "포트폴리오.xlsx", *given, "--check") as child:
        assert plain(rest(child))[0].startswith("할 일이 없습니다")
        assert child.exitstatus == 0


def test_a_person_in_a_hurry_reads_one_screen(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "portfolio:\n  base_currency: USD\n  cash: {USD: 2500}\n  holdings:\n"
        "    - {symbol: QQQ, quantity: 30, price: 500}\n    - {symbol: SCHD, quantity: 100, price: 27.5}\n"
        "  targets: [{ticker: QQQ, weight: 0.6}, {ticker: SCHD, weight: 0.4}]\n",
        encoding="utf-8",
    )
    with terminal(tmp_path, "plan", "mine.yaml", "--brief", "--check", lang="en_US.UTF-8") as child:
        lines = plain(rest(child))
        assert child.exitstatus == 4
    assert len(lines) <= 24
    shown = [line for line in lines if line.strip()]
    assert shown[0].startswith("Rebalance: sell $3,000.00 in one order, buy $5,362.50 in one order")
    assert [line.split()[:2] for line in shown[-2:]] == [["sell", "QQQ"], ["buy", "SCHD"]]
    assert [line for line in lines if display_width(line) > 80] == []


def long_search(path: Path) -> None:
    """Write a portfolio of which a proof takes seconds."""
    held = "".join(
        f"    - {{symbol: H{n:02d}, quantity: {n * k % 13}, price: {9_000 + n * n * 211 % 870_000}, "
        f"currency: KRW, account: {name}}}\n"
        for n in range(1, 61)
        for k, name in enumerate("ABC", 2)
    )
    accounts = "".join(f"    - {{name: {name}, type: taxable, cash: {{KRW: 9000000}}}}\n" for name in "ABC")
    aims = "".join(f"    - {{ticker: H{n:02d}, weight: 0.016}}\n" for n in range(1, 61))
    path.write_text(
        f"portfolio:\n  base_currency: KRW\n  holdings:\n{held}  accounts:\n{accounts}  targets:\n{aims}"
        "settings: {trigger: always}\n",
        encoding="utf-8",
    )


# A quick machine may end the search before the key arrives.
@pytest.mark.soak
def test_ctrl_c_takes_the_best_plan_so_far_of_a_long_search(tmp_path: Path) -> None:
    long_search(tmp_path / "mine.yaml")
    with terminal(tmp_path, "plan", "mine.yaml", "--offline", "--brief", lang="en_US.UTF-8") as child:
        child.expect_exact("Ctrl-C takes")
        child.send(CTRL_C)
        shown = " ".join(" ".join(plain(rest(child))).split())
        assert child.exitstatus == 0
    assert "The search was stopped before its end." in shown


def test_ctrl_c_takes_the_best_plan_so_far_for_a_copy_to_share(tmp_path: Path) -> None:
    long_search(tmp_path / "mine.yaml")
    with terminal(tmp_path, "share", "mine.yaml", "-o", "copy.xlsx", "--offline") as child:
        child.expect_exact("Ctrl-C")
        child.send(CTRL_C)
        assert "copy.xlsx" in rest(child)
        assert child.exitstatus == 0
    assert (tmp_path / "copy.xlsx").exists()


def test_a_terminal_of_sixty_columns_is_kept_to(tmp_path: Path) -> None:
    with terminal(tmp_path, "demo", width=60) as child:
        lines = plain(rest(child))
        assert child.exitstatus == 0
    assert [line for line in lines if display_width(line) > 60 and str(tmp_path) not in line] == []
