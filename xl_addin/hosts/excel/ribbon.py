"""The ribbon tab (customUI of 2006): its groups and buttons, declared once.

Every button calls the VBA callback `RebalButton` (`vba/RebalRibbon.bas`) with the name of its command of
`xl_addin.buttons` as tag.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from engine.words import Lang, say

NAMESPACE = "http://schemas.microsoft.com/office/2006/01/customui"
PART = "customUI/customUI.xml"
RELATIONSHIP = "http://schemas.microsoft.com/office/2006/relationships/ui/extensibility"


@dataclass(frozen=True, slots=True)
class Button:
    """A button: its command, Excel's own picture, its key behind Alt, Y; its words are `ribbon.<command>`."""

    command: str
    image: str
    key: str
    large: bool = False
    callback: str = "RebalButton"


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu of buttons."""

    command: str
    image: str
    key: str
    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class RibbonGroup:
    """A group of the tab."""

    name: str
    items: tuple[Button | Menu, ...]


GROUPS: tuple[RibbonGroup, ...] = (
    RibbonGroup("Data", (
        Button("refresh", "RefreshAll", "R", large=True),
        Button("analyse", "ChartInsert", "A"),
        Button("sources", "GetExternalDataFromWeb", "S"),
        Button("import", "GetExternalDataFromText", "I"),
    )),
    RibbonGroup("Rebalance", (
        Menu("mode", "SortDialog", "M", (
            Button("mode_full", "SortDialog", "F"),
            Button("mode_buy_only", "SortAscendingExcel", "B"),
            Button("mode_sell_only", "SortDescendingExcel", "S"),
        )),
        Button("propose", "CalculateNow", "T", large=True),
        Button("record", "FileSave", "D"),
        Button("undo", "Undo", "U"),
    )),
    RibbonGroup("Share", (
        Button("sync", "ReplicationSynchronizeNow", "O"),
        Button("share", "FileSendAsAttachment", "C"),
        Button("pdf", "FileSaveAsPdfOrXps", "P"),
        Button("update", "FileSaveAs", "N"),
        Button("help", "Help", "H", callback="RebalHelpButton"),
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
        label = quoteattr(say(f"ribbon.{group.name}", lang))
        lines.append(f'        <group id="group{group.name}" label={label}>')
        lines.extend(f"          {line}" for item in group.items for line in _item(item, lang))
        lines.append("        </group>")
    return "\n".join([*lines, "      </tab>", "    </tabs>", "  </ribbon>", "</customUI>", ""])


def _item(item: Button | Menu, lang: Lang) -> Iterator[str]:
    if isinstance(item, Button):
        size = ' size="large"' if item.large else ""
        yield f"<button{_common(item, lang)}{size}{_action(item)}/>"
        return
    yield f"<menu{_common(item, lang)}>"
    for button in item.buttons:
        yield f"  <button{_common(button, lang)}{_action(button)}/>"
    yield "</menu>"


def _common(item: Button | Menu, lang: Lang) -> str:
    label, tip = say(f"ribbon.{item.command}", lang), say(f"ribbon.{item.command}.tip", lang)
    texts = f"label={quoteattr(label)} screentip={quoteattr(label)} supertip={quoteattr(tip)}"
    return f' id="{item.command}" {texts} keytip="{item.key}" imageMso="{item.image}"'


def _action(button: Button) -> str:
    return f' tag="{button.command}" onAction="{button.callback}"'
