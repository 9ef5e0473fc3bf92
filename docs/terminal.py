"""Draw what the terminal shows of the demonstration, in English and Korean, at 80 and 160 columns.

    python docs/terminal.py

writes docs/images/terminal-LANG-COLUMNS.svg. The pictures hold text, and load nothing from anywhere.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console
from rich.text import Text

from engine.words import LANGUAGES
from rebalancer.samples import sample_plan
from xl_addin.show.terminal import Paint
from xl_addin.show.text import report

IMAGES = Path(__file__).parent / "images"
WIDTHS = (80, 160)
#: Fonts of a computer that have Korean letters, in place of one fetched from elsewhere.
FONTS = "'D2Coding', 'Noto Sans Mono CJK KR', 'Sarasa Mono K', 'Menlo', 'Consolas', monospace"


def picture(lang: str, width: int) -> str:
    """Return the verdict and the orders as a terminal of so many columns shows them, as SVG."""
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    text = report(sample_plan(), lang, Paint(enabled=True, width=width), brief=True)
    console.print(Text.from_ansi(text), soft_wrap=False)
    drawn = console.export_svg(title="rebalancer demo --brief".replace(" --brief", ""), unique_id=f"t{lang}{width}")
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    return drawn.replace("Fira Code, monospace", FONTS).replace("Fira Code", "monospace")


def main() -> None:
    """Write every picture."""
    plan_pictures = {(lang, width): picture(lang, width) for lang in LANGUAGES for width in WIDTHS}
    for (lang, width), drawn in plan_pictures.items():
        (IMAGES / f"terminal-{lang}-{width}.svg").write_text(drawn, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
