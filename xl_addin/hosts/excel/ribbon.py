"""The ribbon tab (customUI of 2006): its groups and buttons, declared once, in both languages.

Every button calls the VBA callback `RebalButton` (`vba/RebalRibbon.bas`) with the name of its command of
`xl_addin.buttons` as tag.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from engine.words import Lang
from templates.spec.schema import Text

NAMESPACE = "http://schemas.microsoft.com/office/2006/01/customui"
PART = "customUI/customUI.xml"
RELATIONSHIP = "http://schemas.microsoft.com/office/2006/relationships/ui/extensibility"


@dataclass(frozen=True, slots=True)
class Button:
    """Declare one button: its command, label, what it does in a line, Excel's own picture, its key behind Alt, Y."""

    command: str
    label: Text
    tip: Text
    image: str
    key: str
    large: bool = False
    callback: str = "RebalButton"


@dataclass(frozen=True, slots=True)
class Menu:
    """Declare a menu of buttons."""

    name: str
    label: Text
    tip: Text
    image: str
    key: str
    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Declare one group of the tab."""

    name: str
    label: Text
    items: tuple[Button | Menu, ...]


GROUPS: tuple[Group, ...] = (
    Group("Data", Text("Data", "데이터"), (
        Button("refresh", Text("Refresh prices", "시세 새로고침"),
               Text("Fetch the price of everything held or wanted, in one go, and compute again.",
                    "보유·목표 종목의 시세를 한 번에 받아 다시 계산합니다."), "RefreshAll", "R", large=True),
        Button("analyse", Text("Analyse", "분석"),
               Text("Fetch closes and facts of funds and compute comparison, review, limits and correlations.",
                    "종가와 ETF 정보를 받아 비교, 점검, 한도, 상관을 계산합니다."), "ChartInsert", "A"),
        Button("sources", Text("Sources", "출처"),
               Text("Show where every price comes from and how old it is.", "시세마다 출처와 시각을 보여 줍니다."),
               "GetExternalDataFromWeb", "S"),
    )),
    Group("Rebalance", Text("Rebalance", "리밸런싱"), (
        Menu("mode", Text("Mode", "방식"), Text("Which trades may be proposed.", "어떤 매매를 제안할지 고릅니다."),
             "SortDialog", "M", (
                 Button("mode_full", Text("Buy and sell", "매수·매도"),
                        Text("Bring everything to target.", "모두 목표로 되돌립니다."), "SortDialog", "F"),
                 Button("mode_buy_only", Text("Buy only", "매수만"),
                        Text("Use new money and cash; sell nothing.", "새 돈과 현금만 쓰고 팔지 않습니다."),
                        "SortAscendingExcel", "B"),
                 Button("mode_sell_only", Text("Sell only", "매도만"),
                        Text("Raise cash; buy nothing.", "현금을 마련하고 사지 않습니다."), "SortDescendingExcel", "S"),
             )),
        Button("propose", Text("Propose trades", "매매 제안"),
               Text("Compute the trades, the cash reconciliation and the checks.",
                    "매매, 현금 검산, 점검을 계산합니다."), "CalculateNow", "T", large=True),
        Button("record", Text("Record as done", "체결 기록"),
               Text("Put the proposed trades into Holdings, Cash and History. Undo takes it back.",
                    "제안된 매매를 보유, 현금, 기록에 반영합니다. 되돌리기로 취소합니다."), "FileSave", "D"),
        Button("undo", Text("Undo", "되돌리기"),
               Text("Put the sheets back as they were before the last button.",
                    "마지막 단추를 누르기 전으로 시트를 되돌립니다."), "Undo", "U"),
    )),
    Group("Share", Text("Share", "공유"), (
        Button("share", Text("Copy to share", "공유용 사본"),
               Text("Write a copy beside the workbook that holds values only, for others.",
                    "통합 문서 옆에 값만 담은 공유용 사본을 만듭니다."), "FileSendAsAttachment", "C"),
        Button("pdf", Text("PDF", "PDF"),
               Text("Write the workbook as a PDF beside it.", "통합 문서 옆에 PDF를 만듭니다."),
               "FileSaveAsPdfOrXps", "P"),
        Button("help", Text("Help", "도움말"),
               Text("Say what is wrong and how to mend it.", "문제와 해결 방법을 알려 줍니다."), "Help", "H",
               callback="RebalHelpButton"),
    )),
)  # fmt: skip


def buttons() -> Iterator[Button]:
    """Return every button, those in menus too."""
    for group in GROUPS:
        for item in group.items:
            if isinstance(item, Menu):
                yield from item.buttons
            else:
                yield item


def ribbon(lang: Lang) -> str:
    """Return the ribbon's XML in one language."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>',
        f'<customUI xmlns="{NAMESPACE}">',
        "  <ribbon>",
        "    <tabs>",
        '      <tab id="rebalancer" label="Rebalancer" keytip="Y">',
    ]
    for group in GROUPS:
        lines.append(f'        <group id="group{group.name}" label={quoteattr(group.label.of(lang))}>')
        lines.extend(f"          {line}" for item in group.items for line in _item(item, lang))
        lines.append("        </group>")
    return "\n".join([*lines, "      </tab>", "    </tabs>", "  </ribbon>", "</customUI>", ""])


def _item(item: Button | Menu, lang: Lang) -> Iterator[str]:
    if isinstance(item, Button):
        size = ' size="large"' if item.large else ""
        yield f"<button{_common(item.command, item, lang)}{size}{_action(item)}/>"
        return
    yield f"<menu{_common(item.name, item, lang)}>"
    for button in item.buttons:
        yield f"  <button{_common(button.command, button, lang)}{_action(button)}/>"
    yield "</menu>"


def _common(name: str, item: Button | Menu, lang: Lang) -> str:
    label, tip = item.label.of(lang), item.tip.of(lang)
    texts = f"label={quoteattr(label)} screentip={quoteattr(label)} supertip={quoteattr(tip)}"
    return f' id="{name}" {texts} keytip="{item.key}" imageMso="{item.image}"'


def _action(button: Button) -> str:
    return f' tag="{button.command}" onAction="{button.callback}"'
