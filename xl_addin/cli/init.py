"""`rebalancer init`: five questions, then a portfolio's file and its first plan. Nothing that was answered is lost."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import click

from engine.errors import InputError, MarketDataError
from engine.money import MINOR_DIGITS
from engine.plan import Plan
from engine.portfolio import Portfolio
from engine.quote import Quote
from engine.words import Lang, say
from rebalancer.first import (
    FirstAnswers,
    TypedHolding,
    checked_export,
    first_portfolio,
    fresh,
    like,
    named_instrument,
    read_line,
    typed_number,
    unpriced,
    write_first,
)
from xl_addin.cli.frame import command, option
from xl_addin.cli.options import (
    FILE,
    accept_option,
    as_of_option,
    force_option,
    lang_option,
    prices_option,
    stale_option,
)
from xl_addin.show.terminal import clean, invocation

#: Where answers wait, in the folder one is in, while not all are given.
DRAFT = Path(".rebalancer-init.json")
#: What goes back to the question before.
_BACK = "<"
_RESIDENCES = ("KR", "US", "none")
_CURRENCIES = {"KR": "KRW", "US": "USD", "none": "EUR"}
#: The accounts that people have where they pay taxes.
_ACCOUNTS = {
    "KR": ("taxable", "isa", "pension", "irp"),
    "US": ("taxable", "ira", "roth", "401k"),
    "none": ("taxable",),
}
#: What a month's saving may be, as an example.
_SAVINGS = {"KRW": "200000"}
#: The model that is offered first, elsewhere the simplest.
_USUAL_MODELS = {"KR": "stable-growth"}
_INTERRUPTED, _NO_MARKET_DATA = 1, 3


class _GoBack(Exception):
    """The wish to answer the question before once more."""


@command("init")
@option("-o", "--output", type=FILE, metavar="FILE")
@force_option
@prices_option
@option("--offline", is_flag=True)
@stale_option
@accept_option
@as_of_option
@lang_option
def init(
    *,
    output: Path | None,
    force: bool,
    prices: Path | None,
    offline: bool,
    allow_stale: bool,
    accept: tuple[tuple[str, Decimal], ...],
    as_of: dt.date | None,
    lang: Lang,
) -> int:
    """Ask, write the portfolio, plan, and say what to do next."""
    from rebalancer.clock import today
    from rebalancer.files import free_name, output_problems
    from rebalancer.quoting import quotes_in
    from rebalancer.saving import SUFFIXES

    path = output or free_name(Path(), say("init.file", lang), ".xlsx")
    yaml = path.suffix.lower() in SUFFIXES
    given, problems = quotes_in(prices)
    problems += output_problems(path, path.suffix.lower() if yaml else ".xlsx", force=force)
    if any(problem.severity == "error" for problem in problems):
        raise InputError(problems)
    try:
        answers = _answered(_begun(lang), lang)
        portfolio, exported = _portfolio(answers, lang)
    except (click.Abort, KeyboardInterrupt):
        kept = DRAFT.exists()
        _tell(f"\n{say('init.kept' if kept else 'init.stopped', lang, command=f'{invocation()} init')}")
        return _INTERRUPTED
    write_first(portfolio, path, lang)
    DRAFT.unlink(missing_ok=True)
    _tell(say("init.written", lang, path=path))
    try:
        day = as_of or today()
        quotes = _priced(portfolio, given, fresh(exported, day), lang, offline=offline, accept=dict(accept))
    except (click.Abort, KeyboardInterrupt, _GoBack):
        quotes = None
    if quotes is None:
        _tell(say("init.plan-later", lang, command=f"{invocation()} plan {path}"))
        return _NO_MARKET_DATA
    try:
        made = _planned(portfolio, quotes, day, path, lang, allow_stale=allow_stale)
    except (MarketDataError, InputError):
        _tell(say("init.plan-later", lang, command=f"{invocation()} plan {path}"))
        raise
    _show(made, path, lang)
    return 0


def _begun(lang: Lang) -> FirstAnswers:
    """Return the answers of a draft that the person wants to go on with, else none yet."""
    with contextlib.suppress(OSError):
        draft = FirstAnswers.from_draft(DRAFT.read_text(encoding="utf-8"))
        if draft and click.confirm(say("init.continue", lang), default=True, err=True):
            return draft
        DRAFT.unlink(missing_ok=True)
    return FirstAnswers()


def _answered(answers: FirstAnswers, lang: Lang) -> FirstAnswers:
    """Ask what is not answered yet, one question after the other, back and forth; keep every answer in the draft."""
    _tell(say("init.welcome", lang, back=_BACK))
    at = _first_open(answers)
    while at < len(_QUESTIONS):
        name, ask = _QUESTIONS[at]
        _tell(f"\n{at + 1}/{len(_QUESTIONS)}  {say(f'init.{name}', lang)}")
        try:
            answers = ask(answers, lang)
            at += 1
        except _GoBack:
            at = max(at - 1, 0)
        with contextlib.suppress(InputError):  # a draft is a comfort: where none can be kept, one goes on
            _keep(answers)
    return answers


def _keep(answers: FirstAnswers) -> None:
    from rebalancer.files import write_whole

    write_whole(DRAFT, answers.to_draft().encode())


def _first_open(answers: FirstAnswers) -> int:
    """Return the number of the first question that a draft has no answer to."""
    done = (answers.residence, answers.currency, answers.accounts, answers.model or answers.targets)
    return next((number for number, answer in enumerate(done) if not answer), len(done))


def _residence(answers: FirstAnswers, lang: Lang) -> FirstAnswers:
    name = _ask(say("init.ask-name", lang), answers.name or say("init.name", lang))
    usual = answers.residence or ("KR" if lang == "ko" else "US")
    chosen = _choose([say(f"init.residence-{one}", lang) for one in _RESIDENCES], _RESIDENCES.index(usual), lang)
    return replace(answers, name=name, residence=_RESIDENCES[chosen])


def _currency(answers: FirstAnswers, lang: Lang) -> FirstAnswers:
    while True:
        code = _ask(say("init.ask-currency", lang), answers.currency or _CURRENCIES[answers.residence]).upper()
        if code in MINOR_DIGITS:
            return replace(answers, currency=code)
        _tell(say("init.no-currency", lang, value=code))


def _accounts(answers: FirstAnswers, lang: Lang) -> FirstAnswers:
    kinds = _ACCOUNTS[answers.residence]
    names = [say(f"init.account-{kind}", lang) for kind in kinds]
    _list(names)
    while True:
        text = _ask(say("init.ask-accounts", lang), "1")
        numbers = [part for part in text.replace(",", " ").split() if part]
        if numbers and all(part.isdecimal() and 0 < int(part) <= len(kinds) for part in numbers):
            chosen = sorted({int(part) - 1 for part in numbers})
            return replace(answers, accounts={names[n]: kinds[n] for n in chosen})
        _tell(say("init.no-choice", lang, value=text, most=len(kinds)))


def _targets(answers: FirstAnswers, lang: Lang) -> FirstAnswers:
    from templates.models import load_all

    models = [model for model in load_all() if any(True for _ in model.portfolio.targets())]
    rows = [f"{model.facts.title(lang)} - {model.facts.summary(lang)}" for model in models]
    usual = _USUAL_MODELS.get(answers.residence, "three-fund")
    at = next(number for number, model in enumerate(models) if model.facts.key == usual)
    chosen = _choose([*rows, say("init.own-targets", lang)], at, lang)
    if chosen < len(models):
        return replace(answers, model=models[chosen].facts.key, targets={})
    return replace(answers, model="", targets=_own_targets(lang))


def _own_targets(lang: Lang) -> Mapping[str, str]:
    """Return the weights in per cent that a person types, a line each, of at most 100 together."""
    _tell(say("init.type-targets", lang))
    found: dict[str, Decimal] = {}
    while True:
        line = _ask(say("init.target", lang, left=100 - sum(found.values(), Decimal(0))))
        if not line and found:
            return {symbol: f"{weight:f}" for symbol, weight in found.items()}
        if line and (read := _instrument(line, 1, lang)):
            symbol, (weight,) = read
            others = sum((w for s, w in found.items() if s != symbol), Decimal(0))
            if weight <= 0 or weight + others > 100:
                _tell(say("init.too-much", lang, weight=weight, left=100 - others))
            else:
                found[symbol] = weight


def _holdings(answers: FirstAnswers, lang: Lang) -> FirstAnswers:
    ways: tuple[Callable[[FirstAnswers, Lang], FirstAnswers], ...] = (_exports, _typed, _only_cash)
    chosen = _choose([say(f"init.{way}", lang) for way in ("from-file", "typed", "cash-only")], 0, lang)
    blank = replace(answers, files={}, holdings=(), cash={})
    return ways[chosen](blank, lang)


def _exports(answers: FirstAnswers, lang: Lang) -> FirstAnswers:
    files: dict[str, str] = {}
    while True:
        path = _ask(say("init.ask-file" if not files else "init.ask-more-files", lang)).strip("'\" ")
        if not path and files:
            return _with_cash(replace(answers, files=files), lang)
        if not path:
            continue
        try:
            symbols = checked_export(path, answers.currency)
        except InputError as fault:
            _problems(fault, lang)
            continue
        _tell(say("init.file-read", lang, count=len(symbols), symbols=tuple(symbols)))
        files[path] = _which_account(answers, lang)


def _typed(answers: FirstAnswers, lang: Lang) -> FirstAnswers:
    _tell(say("init.type-holdings", lang))
    found: list[TypedHolding] = []
    while line := _ask(say("init.holding", lang)):
        if read := _instrument(line, 2, lang):
            symbol, numbers = read
            quantity, cost = (*(f"{number:f}" for number in numbers), "")[:2]
            found.append(TypedHolding(symbol, quantity, cost, _which_account(answers, lang)))
    return _with_cash(replace(answers, holdings=tuple(found)), lang)


def _only_cash(answers: FirstAnswers, lang: Lang) -> FirstAnswers:
    return _with_cash(answers, lang)


def _with_cash(answers: FirstAnswers, lang: Lang) -> FirstAnswers:
    cash: dict[str, str] = {}
    for account in answers.accounts:
        while True:
            text = _ask(say("init.ask-cash", lang, account=account, currency=answers.currency), "0")
            if amount := typed_number(text):
                cash[account] = amount
                break
            _tell(say("init.no-number", lang, value=text))
    held = answers.files or any(Decimal(one.quantity) for one in answers.holdings)
    if not held and not any(map(Decimal, cash.values())):
        _tell(say("init.nothing", lang))
        return _with_cash(answers, lang)
    return replace(answers, cash=cash)


#: Each question's name in the catalogues, and what asks it.
_QUESTIONS: tuple[tuple[str, Callable[[FirstAnswers, Lang], FirstAnswers]], ...] = (
    ("residence", _residence),
    ("currency", _currency),
    ("accounts", _accounts),
    ("targets", _targets),
    ("holdings", _holdings),
)


def _instrument(line: str, numbers: int, lang: Lang) -> tuple[str, tuple[Decimal, ...]] | None:
    """Return the symbol and the numbers of a line, or say what is wrong with it."""
    read = read_line(line, numbers)
    if read is None:
        _tell(say("init.no-line", lang, value=line))
        return None
    symbol = named_instrument(read[0])
    if not symbol:
        near = like(read[0])
        _tell(say("init.unknown-like" if near else "init.unknown", lang, value=read[0], near=near))
        return None
    return symbol, read[1]


def _which_account(answers: FirstAnswers, lang: Lang) -> str:
    names = list(answers.accounts)
    if len(names) == 1:
        return names[0]
    _tell(say("init.which-account", lang))
    return names[_choose(names, 0, lang)]


def _portfolio(answers: FirstAnswers, lang: Lang) -> tuple[Portfolio, Mapping[str, Quote]]:
    """Return the portfolio of the answers; where it cannot be used, say why and ask the last question again."""
    while True:
        try:
            return first_portfolio(answers)
        except InputError as fault:
            _problems(fault, lang)
            answers = _answered(replace(answers, model="", targets={}), lang)


def _priced(
    portfolio: Portfolio,
    given: Mapping[str, Quote],
    exported: Mapping[str, Quote],
    lang: Lang,
    *,
    offline: bool,
    accept: Mapping[str, Decimal],
) -> Mapping[str, Quote] | None:
    """Return a price for all that is needed: fetched, of the exports, else typed; None where a person has none."""
    from rebalancer.quoting import quotes_for
    from xl_addin.cli.doing import doing

    with doing("prices", lang):
        quotes, _ = quotes_for(portfolio, given, offline=offline, accept=accept)
    quotes = {**exported, **quotes}
    missing = unpriced(portfolio, quotes)
    if missing:
        _tell(say("init.no-prices", lang))
    doubtful = {symbol: quote.doubt for symbol, quote in quotes.items() if quote.doubt is not None}
    for doubt in doubtful.values():
        _tell(doubt.told(lang))
    for symbol in (*missing, *doubtful):
        pair = symbol not in portfolio.instruments
        currency = symbol[3:] if pair else portfolio.instruments[symbol].currency
        name = symbol if pair else f"{portfolio.instruments[symbol].called(lang)} ({symbol})"
        price = typed_number(_ask(say("init.ask-price", lang, name=name, currency=currency)))
        if not price or not Decimal(price):
            return None
        quotes[symbol] = Quote(symbol, Decimal(price), currency, None, "manual")
    return quotes


def _planned(
    portfolio: Portfolio, quotes: Mapping[str, Quote], day: dt.date, path: Path, lang: Lang, *, allow_stale: bool
) -> Plan:
    """Return the first plan, kept beside the file, and in it where it is a workbook."""
    from rebalancer.books import write_plan_book
    from rebalancer.files import write_whole
    from rebalancer.planning import in_force, planned
    from rebalancer.saving import SUFFIXES
    from rebalancer.storing import plan_file
    from xl_addin.cli.doing import doing
    from xl_addin.cli.plan import document

    portfolio, bands = in_force(portfolio, day, offline=True)
    with doing("plan", lang) as watch:
        made = planned(portfolio, quotes, day, bands, allow_stale=allow_stale, watch=watch)
    if path.suffix.lower() not in SUFFIXES:
        write_plan_book(made, path, lang)
    write_whole(plan_file(path), document(made).encode())
    return made


def _show(made: Plan, path: Path, lang: Lang) -> None:
    """Print the verdict and the orders, and what to do with them."""
    from rebalancer.storing import plan_file
    from xl_addin.show.terminal import paint_for, problem_lines, wrap
    from xl_addin.show.text import report

    paint = paint_for(sys.stdout)
    warnings = tuple(one for one in made.problems if one.severity == "warning")
    calm = replace(made, problems=tuple(one for one in made.problems if one not in warnings))
    sys.stdout.write("\n" + report(calm, lang, paint, brief=True) + "\n")
    sys.stdout.writelines(f"{line}\n" for line in problem_lines(warnings, lang, paint))
    steps = ("orders", "record", "again") if made.trades else ("again",)
    sys.stdout.write(paint(say("init.next", lang), "bold") + "\n")
    names = {"path": _quoted(path), "kept": _quoted(plan_file(path)), "program": invocation()}
    names["saving"] = _SAVINGS.get(made.base_currency, "500")
    for number, step in enumerate(steps, 1):
        text = say(f"init.next-{step}", lang, **names)
        sys.stdout.writelines(f"{line}\n" for line in wrap(f"{number}. {text}", paint.sentence, "   "))


def _quoted(path: Path) -> str:
    return f'"{path}"' if " " in str(path) else str(path)


def _ask(text: str, default: str = "") -> str:
    answer = clean(click.prompt(text, default=default, show_default=bool(default), err=True)).strip()
    if answer == _BACK:
        raise _GoBack
    return answer


def _choose(rows: Sequence[str], default: int, lang: Lang) -> int:
    """Return the place of the row that is chosen by its number."""
    _list(rows)
    while True:
        text = _ask(say("init.choose", lang), str(default + 1))
        if text.isdecimal() and 0 < int(text) <= len(rows):
            return int(text) - 1
        _tell(say("init.no-choice", lang, value=text, most=len(rows)))


def _list(rows: Sequence[str]) -> None:
    from xl_addin.show.terminal import paint_for, wrap

    width = paint_for(sys.stderr).sentence
    for number, row in enumerate(rows, 1):
        for line in wrap(f"{number}  {row}", width - 3, "   "):
            _tell(f"   {line}")


def _problems(fault: InputError, lang: Lang) -> None:
    from xl_addin.show.terminal import paint_for, problem_lines

    for line in problem_lines(fault.problems, lang, paint_for(sys.stderr), notes=False):
        _tell(line)


def _tell(text: str) -> None:
    click.echo(text, err=True)
