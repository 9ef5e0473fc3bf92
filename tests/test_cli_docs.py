"""The README and docs say what the code does."""

from __future__ import annotations

import re
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pytest

from docs.reference import command_pages, contexts, with_commands
from engine.data import document, holdings, instruments, prices, sections
from engine.data.document import parse_portfolio
from engine.settings import RULE_DEFAULTS, Settings
from engine.words import LANGUAGES, say
from xl_addin.cli import COMMANDS as VERBS
from xl_addin.cli.frame import meaning

ROOT = Path(__file__).parent.parent
COMMANDS = (
    "python -m pip install -q uv && python -m uv run rebalancer demo",
    "python -m pip install -q uv && python -m uv run --group test pytest",
)
KEYS = {
    *document.DOCUMENT_KEYS,
    *document.PORTFOLIO_KEYS,
    *holdings.HOLDING_KEYS,
    *instruments.DESCRIPTION,
    *sections.TARGET_KEYS,
    *sections.RULE_KEYS,
    *sections.RULE_ALIASES,
    *sections.GROUP_KEYS,
    *holdings.ACCOUNT_KEYS,
    *document.COST_KEYS,
    *prices.COLUMNS,
}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def setting_row(name: str, default: Any, metadata: Any) -> str:
    """Return the row of the settings table that `engine.settings` asks for."""
    shown = (
        {True: "true", False: "false", None: "null", (): "[]"}.get(default) if not isinstance(default, dict) else "{}"
    )
    if isinstance(default, Decimal) or shown is None:
        shown = str(default)
    unit = metadata["unit"] and say(f"unit.{metadata['unit']}", "en")
    return f"| `{name}` | {shown} | {unit} | {', '.join(metadata['choices'])} | {say(f'setting.{name}', 'en')} |"


SETTING_ROWS = {
    f.name: setting_row(f.name, f.default_factory() if callable(f.default_factory) else f.default, f.metadata)
    for f in fields(Settings)
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_has_the_two_commands_verbatim(command: str) -> None:
    assert f"\n    {command}\n" in text_of("README.md")


def test_the_command_reference_is_up_to_date() -> None:
    stale = "run python docs/reference.py"
    assert text_of("docs/commands.md") == command_pages(), stale
    assert text_of("README.md") == with_commands(text_of("README.md")), stale


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("context", contexts(), ids=lambda context: context.info_name)
def test_every_argument_has_help(context: click.Context, lang: str) -> None:
    assert [one.name for one in context.command.get_params(context) if not meaning(one, context, lang)] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_is_in_the_readme(verb: str) -> None:
    assert f"`rebalancer {verb}`" in text_of("README.md")


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_key_of_the_portfolio_and_price_file_is_documented(key: str) -> None:
    assert f"`{key}`" in text_of("docs/portfolio-file.md")


@pytest.mark.parametrize("name", SETTING_ROWS)
def test_every_setting_is_documented_as_it_is_declared(name: str) -> None:
    assert SETTING_ROWS[name] in text_of("docs/portfolio-file.md").splitlines()


@pytest.mark.parametrize("section", RULE_DEFAULTS)
def test_the_default_rules_are_documented_as_they_are_declared(section: str) -> None:
    rule = RULE_DEFAULTS[section]
    least = ", ".join(f"{amount} {currency}" for currency, amount in rule.min_trade.items()) or "0"
    relative = "none" if rule.relative_band is None else rule.relative_band
    row = f"| {section} | {rule.schedule} | {rule.absolute_band} | {relative} | {least} |"
    assert row in text_of("docs/portfolio-file.md").splitlines()


@pytest.mark.parametrize(
    "page", ["README.md", "CHANGELOG.md", "docs/commands.md", "docs/command-line.md", "docs/portfolio-file.md"]
)
def test_every_link_to_a_file_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", text_of(page))
    missing = [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]
    assert not missing


def test_the_example_of_the_portfolio_page_is_sound() -> None:
    example = text_of("docs/portfolio-file.md").split("```yaml\n")[1].split("```")[0]
    portfolio, problems = parse_portfolio(example, "example")
    assert portfolio is not None
    assert [problem for problem in problems if problem.severity == "error"] == []


def test_the_readme_picture_is_small() -> None:
    assert (ROOT / "docs/images/demo.png").stat().st_size < 300 * 1024
