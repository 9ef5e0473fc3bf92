"""The pictures of the docs: the sample plan's report in terminals of two widths, and its dashboard; both languages.

`python docs/pictures.py` draws the terminals (SVG); with LibreOffice and poppler there, `--dashboards` also the
dashboards (PNG), as they are printed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

from engine.words import LANGUAGES, Lang
from rebalancer.samples import sample_plan
from xl_addin.show.terminal import Paint, display_width
from xl_addin.show.text import report

IMAGES = Path(__file__).parent / "images"
WIDTHS = (80, 160)
#: The first screen of a terminal.
LINES = 24
DASHBOARDS = {"en": "demo.png", "ko": "workbook-dashboard-ko.png"}
#: Of one column and one line, in pixels; and how far from the edge.
COLUMN, LINE, EDGE = 8.4, 19, 14
_STYLED = re.compile(r"\x1b\[([\d;]+)m(.*?)\x1b\[0m|([^\x1b]+)")
_COLOURS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "94": "#79c0ff", "36": "#56d4dd", "2": "#8b949e"}


def terminal(lang: Lang, width: int) -> str:
    """Return the first screen of the sample's report in a terminal of a width, as SVG: no run of text can slip."""
    lines = report(sample_plan(), lang, Paint(enabled=True, width=width)).splitlines()[:LINES]
    across, down = width * COLUMN + 2 * EDGE, len(lines) * LINE + 2 * EDGE
    drawn = [part for number, line in enumerate(lines) for part in _line(line, EDGE + (number + 0.75) * LINE)]
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across:g} {down:g}" font-size="14" fill="#e6edf3"',
        ' font-family="ui-monospace, Consolas, Menlo, D2Coding, NanumGothicCoding, monospace" xml:space="preserve">',
        f'<rect width="{across:g}" height="{down:g}" rx="8" fill="#0d1117"/>',
        *drawn,
        "</svg>\n",
    ))  # fmt: skip


def _line(line: str, down: float) -> Iterator[str]:
    at = 0
    for codes, styled, plain in _STYLED.findall(line):
        style = codes.split(";") if codes else []
        loud = "43" in style
        colour = "#0d1117" if loud else next((_COLOURS[code] for code in style if code in _COLOURS), "")
        look = (f' fill="{colour}"' if colour else "") + (' font-weight="bold"' if "1" in style else "")
        text = styled or plain
        if loud:
            size = f'width="{display_width(text) * COLUMN:g}" height="{LINE}"'
            yield f'<rect x="{EDGE + at * COLUMN:g}" y="{down - 0.75 * LINE:g}" {size} fill="#e3b341"/>'
        # Korean and Latin letters apart: each run is as wide as its columns, whatever fonts there are.
        for _, run in groupby(text, key=lambda letter: display_width(letter) > 1):
            part = "".join(run)
            columns = display_width(part)
            if part.strip():
                where = f'x="{EDGE + at * COLUMN:g}" y="{down:g}" textLength="{columns * COLUMN:g}"'
                yield f'<text {where} lengthAdjust="spacingAndGlyphs"{look}>{escape(part)}</text>'
            at += columns


def dashboard(lang: Lang, path: Path) -> None:
    """Draw the dashboard of the sample's workbook."""
    with tempfile.TemporaryDirectory() as folder:
        office = ["soffice", f"-env:UserInstallation=file://{folder}/office", "--headless", "--convert-to", "pdf"]
        for step in (
            [sys.executable, "-m", "xl_addin", "demo", "-o", folder, "--lang", lang],
            [*office, "--outdir", folder, f"{folder}/demo-plan.xlsx"],
            ["pdftoppm", "-png", "-r", "75", "-f", "2", "-singlefile", f"{folder}/demo-plan.pdf", path.with_suffix("")],
        ):
            subprocess.run(step, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - nothing of it is anyone's input


if __name__ == "__main__":
    for language in LANGUAGES:
        for columns in WIDTHS:
            drawn = terminal(language, columns)
            (IMAGES / f"terminal-{language}-{columns}.svg").write_text(drawn, encoding="utf-8", newline="\n")
        if "--dashboards" in sys.argv:
            dashboard(language, IMAGES / DASHBOARDS[language])
