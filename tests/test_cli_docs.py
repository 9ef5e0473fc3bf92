"""The README and docs say what the code does."""

from __future__ import annotations

import re
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pytest

from docs.reference import READMES, command_pages, contexts, with_commands
from engine.data import document, holdings, instruments, prices, sections
from engine.data.document import parse_portfolio
from engine.settings import RULE_DEFAULTS, Settings
from engine.words import LANGUAGES, say
from xl_addin.cli import COMMANDS as VERBS
from xl_addin.cli import main
from xl_addin.cli.frame import meaning

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    str(path.relative_to(ROOT)).replace("\\", "/") for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md"))
)
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
    for readme in READMES:
        assert text_of(readme) == with_commands(text_of(readme), readme), stale


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


def heading_anchor(heading: str) -> str:
    """Return the anchor that a heading of a page has."""
    return re.sub(r"[^\w\- ]", "", heading.strip().casefold()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(page: str) -> None:
    here, wrong = ROOT / page, []
    for link in re.findall(r"\]\((?!https?://)([^)]+)\)", text_of(page)):
        path, _, anchor = link.partition("#")
        target = here.parent / path if path else here
        headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        if not target.exists() or (anchor and anchor not in map(heading_anchor, headings)):
            wrong.append(link)
    assert not wrong


def test_the_index_of_the_documents_names_every_page() -> None:
    index = text_of("docs/README.md")
    missing = [page for page in PAGES if page.startswith("docs/") and f"({page.removeprefix('docs/')})" not in index]
    assert missing == ["docs/README.md"]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_line_in_the_pages_is_one_that_there_is(page: str) -> None:
    options = {one.info_name: {o for p in one.command.get_params(one) for o in p.opts} for one in contexts()}
    options["help"] = set()
    wrong = []
    for line in re.findall(r"(?:^|`)(?:python -m uv run )?(rebalancer [a-z][^`\n]*)", text_of(page), re.MULTILINE):
        name, *rest = line.split()[1:]
        given = {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
        if name not in options or not given <= options[name] | {"--help"}:
            wrong.append(line)
    assert not wrong


@pytest.mark.parametrize("readme", READMES)
def test_the_portfolio_of_the_readme_plans_as_it_shows(
    readme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (document,) = re.findall(r"```yaml\n(.*?)```", text_of(readme), re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", text_of(readme), re.DOTALL)
    (tmp_path / "mine.yaml").write_text(document, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    arguments = ["--prices", str(ROOT / "docs/practice/prices.csv"), "--offline", "--as-of", "2026-11-20", "--brief"]
    assert main(["plan", "mine.yaml", *arguments, "--lang", READMES[readme][0]]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert [line for line in shown.splitlines() if " ".join(line.split()) not in printed] == [], printed


def test_the_example_of_the_portfolio_page_is_sound() -> None:
    example = text_of("docs/portfolio-file.md").split("```yaml\n")[1].split("```")[0]
    portfolio, problems = parse_portfolio(example, "example")
    assert portfolio is not None
    assert [problem for problem in problems if problem.severity == "error"] == []


def test_the_readme_picture_is_small() -> None:
    assert (ROOT / "docs/images/demo.png").stat().st_size < 300 * 1024
