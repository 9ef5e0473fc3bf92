"""How commands are declared and explained: click's own, with help and faults told from the message catalogues.

A command's help is the message `command.<command>`; an option's is `option.<command>.<option>` or, where several
commands mean the same by it, `option.<option>`; an argument's is `argument.…` in the same way. What is wrong with the
arguments is told by what kind of fault click reports, and all that is wrong at once.
"""

from __future__ import annotations

import importlib
import keyword
import logging
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import click
from click.shell_completion import CompletionItem

from engine.errors import InputError, Problem, error
from engine.phrase import Phrase, phrase, place
from engine.text import nearest
from engine.words import LANGUAGES, Lang, known, say
from xl_addin.show.terminal import default_language, pad, wrap

#: Widest line of a help page, and the widest option that has its explanation beside it.
_PAGE, _TERM = 100, 30
#: The exit statuses of anything but bad input and market data, and of `plan --check` where rebalancing is needed.
EXIT_OTHER, EXIT_NEEDED = 1, 4
#: Whose log --verbose shows.
PACKAGES = ("engine", "templates", "rebalancer", "xl_addin")
#: Where a context keeps what is wrong with its arguments until all of them are read.
_FAULTS = f"{__name__}.faults"


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever reads the answer: a person in a language, or a program that takes JSON."""

    lang: Lang
    as_json: bool = False
    verbose: bool = False

    @classmethod
    def of(cls, arguments: Sequence[str]) -> Reader:
        """Return the reader that arguments are meant for, whatever else is wrong with them."""
        said = (lang for lang in LANGUAGES if f"--lang={lang}" in arguments or ("--lang", lang) in pairwise(arguments))
        lang = next(said, None) or default_language()
        return cls(lang, "--json" in arguments, "-v" in arguments or "--verbose" in arguments)


def reader_language() -> Lang:
    """Return the language of the reader of the command that runs."""
    return _reader(click.get_current_context()).lang


def wants_fine_print() -> bool:
    """Tell whether the reader of the command that runs wants to read everything."""
    return _reader(click.get_current_context()).verbose


class BadValue(click.BadParameter):
    """A value that an argument cannot have; `why` says what it can be."""

    def __init__(self, why: Phrase) -> None:
        self.why = why
        super().__init__(why.key)


class OneOf(click.Choice[str]):
    """A choice of words, refused in the reader's language; `vocabulary` is their kind where people write others too."""

    def __init__(self, choices: Sequence[str], vocabulary: str = "") -> None:
        super().__init__(choices)
        self.vocabulary = vocabulary

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word; raises BadValue where it is none of them."""
        del param, ctx
        if self.vocabulary and value not in self.choices:
            from templates.spec.vocabulary import meant  # for a word of another language only

            value = meant(self.vocabulary, value)
        if value not in self.choices:
            raise BadValue(phrase("wanted.choice", value=value, choices=tuple(self.choices)))
        return value


class _Patient(click.Parameter):
    """A parameter whose fault waits until the others are read."""

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """Read the value; what is wrong with it is kept for `Explained.parse_args`."""
        try:
            return super().handle_parse_result(ctx, opts, args)
        except click.BadParameter as fault:
            ctx.meta.setdefault(_FAULTS, []).append(_fault(fault, ctx))
            return None, args


class ToldOption(_Patient, click.Option):
    """An option whose meaning and faults a catalogue tells."""


class ToldArgument(_Patient, click.Argument):
    """An argument whose meaning and faults a catalogue tells."""


def _listen(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - as click calls it
    """Show the log of our own modules on stderr while the command runs."""
    if not value or ctx.resilient_parsing:
        return
    shown = logging.StreamHandler(sys.stderr)
    shown.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    for name in PACKAGES:
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG)
        logger.addHandler(shown)
        ctx.find_root().call_on_close(partial(logger.removeHandler, shown))


_VERBOSE = ToldOption(["-v", "--verbose"], is_flag=True, is_eager=True, expose_value=False, callback=_listen)


class Explained(click.Command):
    """A command that explains itself, and what is wrong with its arguments, in the reader's language."""

    def get_help_option_names(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - whatever the context says
        """Return what asks for help. click remembers the answer for the first context a command is shown in."""
        return ["-h", "--help"]

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own parameters, --help and --verbose."""
        return [*super().get_params(ctx), _VERBOSE]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read all arguments; raises InputError with everything that is wrong with them."""
        ctx.allow_extra_args = True  # told with the rest
        try:
            rest = super().parse_args(ctx, args)
        except click.UsageError as fault:
            raise InputError([_fault(fault, ctx)]) from None
        faults = list(ctx.meta.pop(_FAULTS, ()))
        if ctx.args and not isinstance(self, click.Group):
            faults.append(_bad(ctx, "extra", given=tuple(ctx.args)))
        if faults and not ctx.resilient_parsing:
            raise InputError(faults)
        return rest

    def get_help(self, ctx: click.Context) -> str:
        """Return the help page in the reader's language, as wide as the terminal is."""
        return "\n".join(self._page(ctx, _reader(ctx).lang))

    def _page(self, ctx: click.Context, lang: Lang) -> list[str]:
        width = min(shutil.get_terminal_size().columns, _PAGE) - 1
        usage = f"{say('help.usage', lang)}: {ctx.command_path} {' '.join(self.collect_usage_pieces(ctx))}"
        about = say(f"command.{self.name}", lang)
        lines = [*wrap(usage, width, "    "), "", *wrap(f"{about[0].upper()}{about[1:]}.", width)]
        params = self.get_params(ctx)
        for caption, kind in (("help.arguments", click.Argument), ("help.options", click.Option)):
            rows = [(spelling(one, ctx), meaning(one, ctx, lang)) for one in params if isinstance(one, kind)]
            lines += _section(say(caption, lang), rows, width)
        return lines


class Program(Explained, click.Group):
    """The whole command line: its commands by name, each imported when it is used and not before."""

    def __init__(self, *, modules: Mapping[str, str], **settings: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(**settings)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order in which they are listed."""
        return [*self._modules, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported now; None where there is none of this name."""
        if cmd_name not in self._modules:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(self._modules[cmd_name])
        made = getattr(module, f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name)
        assert isinstance(made, click.Command)  # noqa: S101 - the table above names nothing else
        return made

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name; raises InputError where there is none."""
        if args[0] not in self.list_commands(ctx) and not ctx.resilient_parsing:
            raise InputError([self.unknown(ctx, args[0])])
        return super().resolve_command(ctx, args)

    def unknown(self, ctx: click.Context, name: str) -> Problem:
        """Return that there is no command of this name, and which was meant perhaps."""
        commands = self.list_commands(ctx)
        near, where = nearest(name, commands), place("command-line")
        if near:
            return error("unknown-command.near", where, name=name, near=near)
        return error("unknown-command", where, name=name, commands=tuple(commands))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and options that begin like this, without importing any command for its help."""
        lang = _reader(ctx).lang
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        own = [CompletionItem(name, help=say(f"command.{name}", lang)) for name in names]
        return [*own, *click.Command.shell_complete(self, ctx, incomplete)]

    def _page(self, ctx: click.Context, lang: Lang) -> list[str]:
        width = min(shutil.get_terminal_size().columns, _PAGE) - 1
        rows = [(name, say(f"command.{name}", lang)) for name in self.list_commands(ctx)]
        closing = say("help.closing", lang, program=ctx.command_path)
        return [
            *super()._page(ctx, lang),
            *_section(say("help.commands", lang), rows, width),
            "",
            *wrap(closing, width),
        ]


command = partial(click.command, cls=Explained)
option = partial(click.option, cls=ToldOption)
argument = partial(click.argument, cls=ToldArgument)


@command("help")
@argument("name", metavar="COMMAND", required=False)
@option("--lang", type=OneOf(LANGUAGES), expose_value=False)
@click.pass_context
def help_command(ctx: click.Context, *, name: str | None) -> None:
    """Print the help of a command, or of all."""
    whole = ctx.parent
    assert whole is not None  # noqa: S101 - it is a command of the program
    assert isinstance(whole.command, Program)  # noqa: S101
    page = whole.get_help()
    if name is not None:
        asked = whole.command.get_command(whole, name)
        if asked is None:
            raise InputError([whole.command.unknown(whole, name)])
        page = asked.get_help(click.Context(asked, parent=whole, info_name=name))
    sys.stdout.write(f"{page}\n")


def spelling(param: click.Parameter, ctx: click.Context) -> str:
    """Return how a parameter is written: `-o, --output FILE`."""
    if not isinstance(param, click.Option):
        return param.make_metavar(ctx)
    value = "" if param.is_flag or param.count else f" {param.make_metavar(ctx)}"
    return ", ".join(param.opts) + value


def meaning(param: click.Parameter, ctx: click.Context, lang: Lang) -> str:
    """Return what a parameter means; raises KeyError where no catalogue says it."""
    name = param.opts[-1].lstrip("-").replace("_", "-")
    own = f"{param.param_type_name}.{ctx.command.name}.{name}"
    default = param.default if isinstance(param.default, str) else ""
    return say(own if known(own) else f"{param.param_type_name}.{name}", lang, default=default)


def _section(title: str, rows: Sequence[tuple[str, str]], width: int) -> list[str]:
    """Return what is explained below a title, in two columns; what is too long has its explanation below it."""
    if not rows:
        return []
    room = min(max(len(term) for term, _ in rows), _TERM)
    lines = ["", f"{title}:"]
    for term, text in rows:
        told = wrap(text, width - room - 4)
        if len(term) > room:
            lines.append(f"  {term}")
            term = ""
        lines += [f"  {pad(start, room)}  {line}" for start, line in zip((term, *[""] * len(told)), told, strict=False)]
    return lines


def _reader(ctx: click.Context) -> Reader:
    return ctx.find_object(Reader) or Reader(default_language())


def _fault(fault: click.UsageError, ctx: click.Context) -> Problem:
    """Return what click found wrong, by the kind of its error."""
    match fault:
        case BadValue(param=click.Parameter() as param):
            return _bad(ctx, "value", argument=_named(param), why=fault.why)
        case click.MissingParameter(param=click.Parameter() as param):
            return _bad(ctx, "missing", argument=_named(param))
        case click.NoSuchOption():
            near = nearest(fault.option_name, _options(ctx))
            if near:
                return _bad(ctx, "no-option-near", option=fault.option_name, near=near)
            return _bad(ctx, "no-option", option=fault.option_name)
        case click.BadOptionUsage():
            flags = {name for one in ctx.command.get_params(ctx) if isinstance(one, click.Option) and one.is_flag
                     for name in one.opts}  # fmt: skip
            kind = "no-value-taken" if fault.option_name in flags else "no-value"
            return _bad(ctx, kind, option=fault.option_name)
    return _bad(ctx, "other", said=fault.format_message())


def _options(ctx: click.Context) -> Iterable[str]:
    return (name for one in ctx.command.get_params(ctx) if isinstance(one, click.Option) for name in one.opts)


def _named(param: click.Parameter) -> str:
    return param.opts[-1] if isinstance(param, click.Option) else param.human_readable_name


def _bad(ctx: click.Context, kind: str, **values: object) -> Problem:
    return error(f"bad-argument.{kind}", place("command-line"), program=ctx.command_path, **values)
