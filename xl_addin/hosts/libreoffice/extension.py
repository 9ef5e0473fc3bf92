"""The extension for LibreOffice (.oxt), written from the functions, always the same bytes; and its installation.

Inside LibreOffice the functions have other names: UNO identifiers have no underscores, and files name the service.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from engine.errors import InputError, error
from engine.phrase import Phrase, phrase
from engine.words import LANGUAGES, Lang, say
from rebalancer.office import environment
from templates.spec import sheet
from xl_addin.functions import all_functions
from xl_addin.functions.cells import NA, NUM, VALUE
from xl_addin.functions.declaring import CATEGORY, Argument, Function
from xl_addin.hosts.excel import ribbon

#: The UNO service, which is also the first half of a function's name in a file.
SERVICE = "Rebal"
INTERFACE = "org.rebalancer.XRebal"
IDENTIFIER = "org.rebalancer.functions"
#: The component behind the buttons, and what their addresses begin with.
BUTTONS, PROTOCOL = "org.rebalancer.Buttons", "org.rebalancer.command:"
#: The buttons of the toolbar; the menu has all of them.
TOOLBAR = ("refresh", "propose", "record", "undo", "import", "sync", "share")
_NAME = re.compile(r"\b(REBAL_[A-Z_]+)\(")
_STAMP = (2020, 1, 1, 0, 0, 0)
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_OOR = 'xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
#: LibreOffice's numbers of the errors that cells show.
ERRORS = {NA: 32767, VALUE: 519, NUM: 503}
#: Where LibreOffice puts its package tool when it is not on the path.
_PLACES = (
    "/Applications/LibreOffice.app/Contents/MacOS/unopkg",
    r"C:\Program Files\LibreOffice\program\unopkg.com",
    "/usr/lib/libreoffice/program/unopkg",
)
_PATIENCE = 120


def method(function: Function) -> str:
    """Return the UNO method: REBAL_CORREL_ALERTS is correlAlerts."""
    first, *rest = function.name.removeprefix("REBAL_").lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def parameter(argument: Argument) -> str:
    """Return the UNO parameter; a prefix keeps it from meaning something else."""
    return f"the{argument.name.capitalize()}"


def in_file(formula: str) -> str:
    """Return a formula with the functions named as LibreOffice finds them in a file: REBAL.TRADES(…)."""
    names = {function.name: f"{SERVICE.upper()}.{method(function).upper()}" for function in all_functions()}
    return _NAME.sub(lambda match: f"{names.get(match[1], match[1])}(", formula)


def build_oxt(interpreter: str) -> bytes:
    """Return the extension, whose answers come from this Python interpreter."""
    parts = {
        "META-INF/manifest.xml": _manifest(),
        "XRebal.idl": idl(),
        "CalcAddIn.xcu": xcu(),
        "ProtocolHandler.xcu": _handler(),
        "Addons.xcu": menus(),
        "description.xml": _description(),
        "rebalancer_addin.py": resources.files(__package__).joinpath("addin.py").read_text(encoding="utf-8"),
        "rebalancer.json": json.dumps(_settings(interpreter), ensure_ascii=False, indent=1, sort_keys=True),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _STAMP), text.encode())
    return buffer.getvalue()


def idl() -> str:
    """Return the interface: every argument of any type, after the document for functions that may read it."""
    lines = []
    for function in all_functions():
        caller = ["[in] com::sun::star::beans::XPropertySet theCaller"] if function.hidden else []
        arguments = caller + [f"[in] any {parameter(argument)}" for argument in function.arguments]
        answer = "sequence< sequence<any> >" if function.columns is not None else "any"
        lines.append(f"    {answer} {method(function)}({', '.join(arguments)});")
    opening = "".join(f"module {name} {{ " for name in INTERFACE.split(".")[:-1])
    closing = "}; " * INTERFACE.count(".")
    name, body = INTERFACE.rpartition(".")[2], "\n".join(lines)
    return f"{opening}\ninterface {name}: com::sun::star::uno::XInterface {{\n{body}\n}};\n{closing}\n"


def xcu() -> str:
    """Return what the function wizard shows, in every language."""
    functions = "\n".join(_described(function) for function in all_functions())
    return (
        f'{_HEAD}<oor:component-data {_OOR} oor:name="CalcAddIns" oor:package="org.openoffice.Office">\n'
        f'<node oor:name="AddInInfo"><node oor:name="{SERVICE}" oor:op="replace"><node oor:name="AddInFunctions">\n'
        f"{functions}\n</node></node></node></oor:component-data>\n"
    )


def _described(function: Function) -> str:
    parameters = "".join(
        _node(
            parameter(argument),
            _texts("DisplayName", dict.fromkeys(LANGUAGES, argument.name))
            + _texts("Description", {lang: argument.help(lang) for lang in LANGUAGES}),
        )
        for argument in function.arguments
    )
    name, caller = dict.fromkeys(LANGUAGES, function.name), dict.fromkeys(LANGUAGES, "(document)")
    if function.hidden:
        parameters = _node("theCaller", _texts("DisplayName", caller) + _texts("Description", caller)) + parameters
    return _node(
        method(function),
        _texts("DisplayName", name)
        + _texts("Description", {lang: function.help(lang) for lang in LANGUAGES})
        + '<prop oor:name="Category"><value>Add-In</value></prop>'
        + _texts("CompatibilityName", name)
        + f'<node oor:name="Parameters">{parameters}</node>',
    )


def menus() -> str:
    """Return the menu with every button of the ribbon, and the toolbar with those of every day."""
    menu = (_entry(f"m{at:02}", item) for at, item in enumerate(_items()))
    listed = {button.command: button for button in ribbon.buttons()}
    bar = (_entry(f"t{at:02}", listed[command]) for at, command in enumerate(TOOLBAR))
    title = _texts("Title", dict.fromkeys(LANGUAGES, CATEGORY))
    top = _node(IDENTIFIER, f'{title}{_CONTEXT}<node oor:name="Submenu">{"".join(menu)}</node>')
    return (
        f'{_HEAD}<oor:component-data {_OOR} oor:name="Addons" oor:package="org.openoffice.Office">\n'
        f'<node oor:name="AddonUI"><node oor:name="OfficeMenuBar">{top}</node>\n'
        f'<node oor:name="OfficeToolBar">{_node(IDENTIFIER, "".join(bar))}</node></node></oor:component-data>\n'
    )


def _items() -> Iterator[ribbon.Button | ribbon.Menu | None]:
    """Yield the ribbon's buttons and menus, None between two groups."""
    for at, group in enumerate(ribbon.GROUPS):
        if at:
            yield None
        yield from group.items


def _entry(name: str, item: ribbon.Button | ribbon.Menu | None) -> str:
    if item is None:
        return _node(name, _value("URL", "private:separator"))
    title = _texts("Title", {lang: say(f"ribbon.{item.command}", lang) for lang in LANGUAGES}) + _CONTEXT
    if isinstance(item, ribbon.Menu):
        inside = (_entry(f"{name}{at}", button) for at, button in enumerate(item.buttons))
        return _node(name, f'{title}<node oor:name="Submenu">{"".join(inside)}</node>')
    return _node(name, _value("URL", f"{PROTOCOL}{item.command}") + title + _value("Target", "_self"))


def _value(name: str, text: str) -> str:
    return f'<prop oor:name="{name}" oor:type="xs:string"><value>{escape(text)}</value></prop>'


_CONTEXT = _value("Context", "com.sun.star.sheet.SpreadsheetDocument")


def _handler() -> str:
    """Return what makes LibreOffice ask us about the buttons' addresses."""
    protocols = f'<prop oor:name="Protocols" oor:type="oor:string-list"><value>{PROTOCOL}*</value></prop>'
    return (
        f'{_HEAD}<oor:component-data {_OOR} oor:name="ProtocolHandler" oor:package="org.openoffice.Office">\n'
        f'<node oor:name="HandlerSet">{_node(BUTTONS, protocols)}</node></oor:component-data>\n'
    )


def _node(name: str, inside: str) -> str:
    return f'<node oor:name={quoteattr(name)} oor:op="replace">{inside}</node>'


def _texts(name: str, texts: Mapping[Lang, str]) -> str:
    values = "".join(f'<value xml:lang="{lang}">{escape(text)}</value>' for lang, text in texts.items())
    return f'<prop oor:name="{name}">{values}</prop>'


def _settings(interpreter: str) -> dict[str, object]:
    return {
        "interpreter": interpreter,
        "protocol": PROTOCOL,
        "buttons": BUTTONS,
        "silent": "\n".join(say("libreoffice-silent", lang) for lang in LANGUAGES),
        "errors": ERRORS,
        "functions": {
            method(function): {
                "name": function.name,
                "arguments": len(function.arguments),
                "ranges": [at for at, one in enumerate(function.arguments) if one.name in function.ranges],
                "sheets": list(_titles(function)),
                "near": function.near,
                "table": function.columns is not None,
            }
            for function in all_functions()
        },
    }


def _titles(function: Function) -> Iterator[str]:
    for key in function.sheets:
        yield from dict.fromkeys((key, *sheet(key).titles))


def _manifest() -> str:
    kinds = {
        "XRebal.idl": "application/vnd.sun.star.uno-typelibrary;type=RDB",
        "rebalancer_addin.py": "application/vnd.sun.star.uno-component;type=Python",
        "CalcAddIn.xcu": "application/vnd.sun.star.configuration-data",
        "ProtocolHandler.xcu": "application/vnd.sun.star.configuration-data",
        "Addons.xcu": "application/vnd.sun.star.configuration-data",
    }
    entries = "\n".join(
        f'  <manifest:file-entry manifest:media-type="{kind}" manifest:full-path="{path}"/>'
        for path, kind in kinds.items()
    )
    return f'{_HEAD}<manifest:manifest xmlns:manifest="http://openoffice.org/2001/manifest">\n{entries}\n</manifest:manifest>\n'


def _description() -> str:
    return (
        f'{_HEAD}<description xmlns="http://openoffice.org/extensions/description/2006"'
        ' xmlns:xlink="http://www.w3.org/1999/xlink">\n'
        f'  <identifier value="{IDENTIFIER}"/><version value="{version("rebalancer")}"/>\n'
        f'  <display-name><name lang="en">{CATEGORY} functions</name></display-name>\n</description>\n'
    )


# --- installation -------------------------------------------------------------------------------------------------
def unopkg_command() -> str | None:
    """Return LibreOffice's package tool, or None where there is no LibreOffice."""
    return shutil.which("unopkg") or next((place for place in _PLACES if Path(place).is_file()), None)


def install(*, dry_run: bool = False, profile: Path | None = None, prefix: Sequence[str] = ()) -> Phrase:
    """Add the functions to LibreOffice and return what was done.

    `dry_run` only says what would be done; `profile` is another LibreOffice profile than the person's, `prefix` a
    command to run the tool with. Raises InputError with the repair where it cannot be done.
    """
    tool = unopkg_command()
    if tool is None:
        raise _refusal("missing")
    if os.name == "posix" and os.geteuid() == 0 and not prefix and not dry_run:
        raise _refusal("root")
    if dry_run:
        return phrase("libreoffice-would", tool=tool, python=sys.executable)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # `prefix` may run the tool as somebody else
        extension = Path(folder) / "rebalancer.oxt"
        extension.write_bytes(build_oxt(sys.executable))
        place = [f"-env:UserInstallation={profile.as_uri()}"] if profile else []
        command = [*prefix, tool, "add", "-s", "-f", *place, str(extension)]
        _run(command, Path(folder))
    return phrase("libreoffice-done", python=sys.executable)


def remove(*, profile: Path | None = None, prefix: Sequence[str] = ()) -> Phrase:
    """Take the functions and buttons out of LibreOffice, and return what was done; raises InputError, as `install`."""
    tool = unopkg_command()
    if tool is None:
        raise _refusal("missing")
    place = [f"-env:UserInstallation={profile.as_uri()}"] if profile else []
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        _run([*prefix, tool, "remove", *place, IDENTIFIER], Path(folder))
    return phrase("libreoffice-removed")


def _run(command: Sequence[str], folder: Path) -> None:
    try:
        # In a folder of its own: whoever runs the tool may not be let into this process's.
        done = subprocess.run(  # noqa: S603 - LibreOffice's tool, with our own arguments
            command, capture_output=True, text=True, timeout=_PATIENCE, check=False, cwd=folder, env=environment()
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise _refusal("not-run", str(fault)) from None
    if done.returncode:
        raise _refusal("refused", " ".join((done.stderr or done.stdout).split()) or f"status {done.returncode}")


def _refusal(variant: str, reason: str = "") -> InputError:
    return InputError([error(f"libreoffice.{variant}", "LibreOffice", reason=reason)])
