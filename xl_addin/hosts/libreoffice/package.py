"""The extension file (.oxt), written from the registry: interface, descriptions, the add-in; always the same bytes."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from importlib import resources
from importlib.metadata import version
from xml.sax.saxutils import escape, quoteattr

from engine.words import LANGUAGES
from templates.spec import sheet
from templates.spec.schema import Text
from xl_addin.functions.registry import CATEGORY, FUNCTIONS, NA, NUM, VALUE, Function
from xl_addin.hosts.libreoffice.names import IDENTIFIER, INTERFACE, SERVICE, method, parameter

_STAMP = (2020, 1, 1, 0, 0, 0)
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_OOR = 'xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
#: LibreOffice's numbers of the errors that cells show.
ERRORS = {NA: 32767, VALUE: 519, NUM: 503}


def build_oxt(interpreter: str) -> bytes:
    """Return the extension, whose answers come from this Python interpreter."""
    parts = {
        "META-INF/manifest.xml": _manifest(),
        "XRebal.idl": idl(),
        "CalcAddIn.xcu": xcu(),
        "description.xml": _description(),
        "rebalancer_addin.py": resources.files(__package__).joinpath("addin.py").read_text(encoding="utf-8"),
        "rebalancer.json": json.dumps(_settings(interpreter), ensure_ascii=False, indent=1, sort_keys=True),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _STAMP), text.encode())
    return buffer.getvalue()


def is_table(function: Function) -> bool:
    """Tell whether a function returns rows rather than one value."""
    return bool(function.columns) or function.name in ("REBAL_CORREL", "REBAL_COMPARE")


def idl() -> str:
    """Return the interface: every argument of any type, after the document for functions that may read it."""
    lines = []
    for function in FUNCTIONS:
        caller = ["[in] com::sun::star::beans::XPropertySet theCaller"] if function.hidden else []
        arguments = caller + [f"[in] any {parameter(argument)}" for argument in function.arguments]
        answer = "sequence< sequence<any> >" if is_table(function) else "any"
        lines.append(f"    {answer} {method(function)}({', '.join(arguments)});")
    opening = "".join(f"module {name} {{ " for name in INTERFACE.split(".")[:-1])
    closing = "}; " * INTERFACE.count(".")
    name, body = INTERFACE.rpartition(".")[2], "\n".join(lines)
    return f"{opening}\ninterface {name}: com::sun::star::uno::XInterface {{\n{body}\n}};\n{closing}\n"


def xcu() -> str:
    """Return what the function wizard shows, in every language."""
    functions = "\n".join(_described(function) for function in FUNCTIONS)
    return (
        f'{_HEAD}<oor:component-data {_OOR} oor:name="CalcAddIns" oor:package="org.openoffice.Office">\n'
        f'<node oor:name="AddInInfo"><node oor:name="{SERVICE}" oor:op="replace"><node oor:name="AddInFunctions">\n'
        f"{functions}\n</node></node></node></oor:component-data>\n"
    )


def _described(function: Function) -> str:
    name = Text(function.name, function.name)
    parameters = "".join(
        _node(
            parameter(argument),
            _texts("DisplayName", Text(argument.name, argument.name)) + _texts("Description", argument.help),
        )
        for argument in function.arguments
    )
    caller = Text("(document)", "(document)")
    if function.hidden:
        parameters = _node("theCaller", _texts("DisplayName", caller) + _texts("Description", caller)) + parameters
    return _node(
        method(function),
        _texts("DisplayName", name)
        + _texts("Description", function.help)
        + '<prop oor:name="Category"><value>Add-In</value></prop>'
        + _texts("CompatibilityName", name)
        + f'<node oor:name="Parameters">{parameters}</node>',
    )


def _node(name: str, inside: str) -> str:
    return f'<node oor:name={quoteattr(name)} oor:op="replace">{inside}</node>'


def _texts(name: str, text: Text) -> str:
    values = "".join(f'<value xml:lang="{lang}">{escape(text.of(lang))}</value>' for lang in LANGUAGES)
    return f'<prop oor:name="{name}">{values}</prop>'


def _settings(interpreter: str) -> dict[str, object]:
    return {
        "interpreter": interpreter,
        "errors": ERRORS,
        "functions": {
            method(function): {
                "name": function.name,
                "arguments": len(function.arguments),
                "ranges": [at for at, one in enumerate(function.arguments) if one.name in function.ranges],
                "sheets": list(_titles(function)),
                "near": function.near,
                "table": is_table(function),
            }
            for function in FUNCTIONS
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
