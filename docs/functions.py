"""The function reference of the docs and the READMEs' tables of functions, written from the functions.

`python docs/functions.py` brings them up to date; a test fails where they are not.
"""

from __future__ import annotations

from pathlib import Path

from engine.words import LANGUAGES
from xl_addin.functions import all_functions
from xl_addin.functions.cells import NA, NUM, SHOWN, VALUE
from xl_addin.functions.declaring import Function
from xl_addin.hosts.libreoffice.extension import in_file

PAGE, README = "docs/functions.md", "README.md"
BEGIN, END = "<!-- functions: written by python docs/functions.py -->", "<!-- end of functions -->"
_INTRODUCTION = f"""# Functions

Written from the functions themselves by `python docs/functions.py`.

The same in Excel and in LibreOffice Calc. Arguments in brackets may be left out; where every range is left out, a
function reads the calling workbook's sheets, and is computed anew with every calculation. A range may have its headers
in any order, in English or Korean, and may hold more than one table side by side: a table is known by its headers.
Tickers are text: a code written as a number has lost its zeros, which is an error that names the repair, never a guess.

| a cell shows | where |
|---|---|
| `{SHOWN[NA]}` | a ticker, price, rate or history is unknown, missing, or too old to plan on |
| `{SHOWN[VALUE]}` | an argument cannot be used |
| `{SHOWN[NUM]}` | the request is understood, and impossible |

The cause, with the cell and the repair, is in `REBAL_CHECKS` and in the log file `functions.log`, in the folder that
the platform has for logs (`REBALANCER_LOG_DIR` names another).

Prices come from the store that all functions share: one missing or aged price asks the sources once for everything in
use. `REBAL_PRICE` and `REBAL_PRICES` show a stale price and say so (`status`); drift and trades are never computed on
one. A price or rate of your own, in the holdings or the rates, beats every source.

LibreOffice computes a call without ranges anew when everything is (Ctrl+Shift+F9), and shows Err:504 where a cell of a
range shows an error. In a file, it knows a function by another name: `{in_file("REBAL_TRADES()")}` is `REBAL_TRADES()`.
"""


def page() -> str:
    """Return the reference, in Markdown."""
    return "\n".join([_INTRODUCTION, *(_section(one) for one in all_functions())])


#: The READMEs, and the heads of their tables.
READMES = {README: ("en", "| function | returns |"), "README.ko.md": ("ko", "| 함수 | 돌려주는 것 |")}


def function_table(name: str = README) -> str:
    """Return a README's table of functions, in Markdown."""
    lang, head = READMES[name]
    rows = (
        f"| [`{one.signature}`]({PAGE}#{one.name.lower()}) | {_first_sentence(one, lang)} |" for one in all_functions()
    )
    return "\n".join([head, "|---|---|", *rows])


def _first_sentence(function: Function, lang: str) -> str:
    return function.help(lang).partition(". ")[0].rstrip(".").replace("|", chr(92) + "|")


def with_functions(readme: str, name: str = README) -> str:
    """Return a README with its block of functions replaced by the table of today."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{function_table(name)}\n{END}{after}"


def _section(function: Function) -> str:
    columns = ", ".join(f"`{name}`" for name in function.columns or ())
    lines = [f"## {function.name}", "", f"    {function.signature}", ""]
    lines += [line for lang in LANGUAGES for line in (function.help(lang), "")]
    if function.arguments:
        lines += ["| argument | means | 뜻 | such as |", "|---|---|---|---|"]
        for one in function.arguments:
            name = f"[{one.name}]" if one.optional else one.name
            cells = (f"`{name}`", *(one.help(lang) for lang in LANGUAGES), f"`{one.example}`")
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
        lines.append("")
    returned = f"{columns}: " * bool(columns) + function.returns("en")
    lines += [f"Returns {returned}.", "", f"    {function.example}", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    root = Path(__file__).parent.parent
    (root / PAGE).write_text(page(), encoding="utf-8", newline="\n")
    for name in READMES:
        text = (root / name).read_text(encoding="utf-8")
        (root / name).write_text(with_functions(text, name), encoding="utf-8", newline="\n")
