"""The command reference in README and docs, written from the commands themselves.

`python -m xl_addin.cli.reference` brings both up to date; a test fails where they are not.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from xl_addin.cli import VERBS, Parser

BEGIN, END = "<!-- commands: written by python -m xl_addin.cli.reference -->", "<!-- end of commands -->"


def command_table() -> str:
    """Return the README's table of commands, in Markdown."""
    rows = [f"| [`rebalancer {verb}`](docs/commands.md#{verb}) | {_cell(text)} |" for verb, (_, text) in VERBS.items()]
    return "\n".join(["| command | does |", "|---|---|", *rows])


def command_pages() -> str:
    """Return every command with its arguments, in Markdown."""
    origin = "Written from the commands themselves by `python -m xl_addin.cli.reference`."
    more = "Each runs as `python -m uv run rebalancer …`. Exit statuses and JSON: [the command line](command-line.md)."
    parts = ["# Commands", origin, more]
    for verb, (module, text) in VERBS.items():
        parser = Parser(prog=f"rebalancer {verb}", add_help=False)
        importlib.import_module(module).configure(parser)
        rows = [_row(parser, action) for action in parser._actions]  # noqa: SLF001 - argparse has no public list
        table = "\n".join(["| argument | means |", "|---|---|", *rows])
        parts += [f"## {verb}", f"{text[0].upper()}{text[1:]}.", table]
    return "\n\n".join(parts) + "\n"


def with_commands(page: str) -> str:
    """Return a page with its block of commands replaced by the table of today."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{command_table()}\n{END}{after}"


def _row(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    value = action.metavar or ("" if action.nargs == 0 else action.dest.upper())
    if action.choices is not None and action.metavar is None:
        value = " or ".join(str(choice) for choice in action.choices)
    names = [f"`{name} {value}`".replace(" `", "`") for name in action.option_strings] or [f"`{value}`"]
    text = parser._get_formatter()._expand_help(action)  # noqa: SLF001 - as --help shows it
    return f"| {', '.join(names)} | {_cell(text)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    root = Path(__file__).parent.parent
    (root / "docs" / "commands.md").write_text(command_pages(), encoding="utf-8", newline="\n")
    readme = root / "README.md"
    readme.write_text(with_commands(readme.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
