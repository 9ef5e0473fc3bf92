"""The command reference, written from the commands themselves: docs/commands.md, and the READMEs' tables of commands.

`python docs/reference.py` brings them up to date; a test fails where they are not.
"""

from __future__ import annotations

from pathlib import Path

import click

from engine.words import LANGUAGES, Lang, say
from xl_addin.cli import COMMANDS, PROGRAM, program
from xl_addin.cli.frame import Reader, meaning, spelling

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- commands: written by docs/reference.py -->", "<!-- end of commands -->"
_LANG = LANGUAGES[0]
_INTRODUCTION = """# Commands

Written from the commands themselves by `python docs/reference.py`.

Each takes `--help` and `--verbose`; from a clone it runs as `python -m uv run rebalancer …`. Exit statuses,
problems, JSON, completion in the shell: [the command line](command-line.md)."""


def contexts() -> list[click.Context]:
    """Return the context of every command, as its help page is made in."""
    whole, made = click.Context(program, info_name=PROGRAM, obj=Reader(_LANG)), []
    for name in COMMANDS:
        command = program.get_command(whole, name)
        if command is None:
            raise KeyError(name)
        made.append(click.Context(command, parent=whole, info_name=name))
    return made


#: The READMEs, and the heads of their tables.
READMES = {"README.md": (_LANG, "| command | does |"), "README.ko.md": ("ko", "| 명령 | 하는 일 |")}


def command_table(readme: str = "README.md") -> str:
    """Return a README's table of commands, in Markdown."""
    lang, head = READMES[readme]
    rows = (f"| [`{PROGRAM} {name}`](docs/commands.md#{name}) | {_cell(_about(name, lang))} |" for name in COMMANDS)
    return "\n".join([head, "|---|---|", *rows])


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


def with_commands(page: str, readme: str = "README.md") -> str:
    """Return a page with its block of commands replaced by the table of today."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{command_table(readme)}\n{END}{after}"


def _about(name: str, lang: Lang = _LANG) -> str:
    return say(f"command.{name}", lang)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    (ROOT / "docs" / "commands.md").write_text(command_pages(), encoding="utf-8", newline="\n")
    for name in READMES:
        readme = ROOT / name
        readme.write_text(with_commands(readme.read_text(encoding="utf-8"), name), encoding="utf-8", newline="\n")
