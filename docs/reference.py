"""The command reference, written from the commands themselves: docs/commands.md, and the README's table of commands.

`python docs/reference.py` brings both up to date; a test fails where they are not.
"""

from __future__ import annotations

from pathlib import Path

import click

from engine.words import LANGUAGES, say
from xl_addin.cli import COMMANDS, PROGRAM, program
from xl_addin.cli.frame import Reader, meaning, spelling

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- commands: written by docs/reference.py -->", "<!-- end of commands -->"
_LANG = LANGUAGES[0]
_INTRODUCTION = """# Commands

Written from the commands themselves by `python docs/reference.py`.

Each runs as `python -m uv run rebalancer …`, and takes `--help` and `--verbose`. Exit statuses, problems, JSON,
completion in the shell: [the command line](command-line.md)."""


def contexts() -> list[click.Context]:
    """Return the context of every command, as its help page is made in."""
    whole, made = click.Context(program, info_name=PROGRAM, obj=Reader(_LANG)), []
    for name in COMMANDS:
        command = program.get_command(whole, name)
        if command is None:
            raise KeyError(name)
        made.append(click.Context(command, parent=whole, info_name=name))
    return made


def command_table() -> str:
    """Return the README's table of commands, in Markdown."""
    rows = (f"| [`{PROGRAM} {name}`](docs/commands.md#{name}) | {_cell(_about(name))} |" for name in COMMANDS)
    return "\n".join(["| command | does |", "|---|---|", *rows])


def command_pages() -> str:
    """Return every command with its arguments, in Markdown."""
    parts = [_INTRODUCTION]
    for context in contexts():
        about = _about(context.info_name or "")
        params = context.command.params
        rows = [f"| `{_cell(spelling(one, context))}` | {_cell(meaning(one, context, _LANG))} |" for one in params]
        table = "\n".join(["| argument | means |", "|---|---|", *rows])
        parts += [f"## {context.info_name}", f"{about[0].upper()}{about[1:]}.", table]
    return "\n\n".join(parts) + "\n"


def with_commands(page: str) -> str:
    """Return a page with its block of commands replaced by the table of today."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{command_table()}\n{END}{after}"


def _about(name: str) -> str:
    return say(f"command.{name}", _LANG)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    (ROOT / "docs" / "commands.md").write_text(command_pages(), encoding="utf-8", newline="\n")
    readme = ROOT / "README.md"
    readme.write_text(with_commands(readme.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
