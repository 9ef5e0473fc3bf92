"""Classes of assets as a document says them: their tree, and what of an instrument is in which.

`classes` is a tree: a mapping of a class to what is in it (a name, a list, or a mapping again). An exposure is a
mapping of classes to parts, or the same in one line (`US equity 62%, Emerging 11%`), as a cell has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from engine.data.fields import Fields, Path, Report, plain, to_text
from engine.goals import ClassTree
from engine.market.catalogue import class_form
from engine.money import ZERO
from engine.phrase import phrase
from engine.settings import WEIGHT_TOLERANCE
from engine.text import fold, is_one_line, nearest, percent

#: Keys of a row that say what classes its instrument is in.
CLASSING = ("class", "exposure")
#: What an instrument's `asset_class` says of the whole of it.
ASSET_CLASSES = ("equity", "bond", "commodity", "cash", "mixed")
#: Longest name of a class.
_LONGEST = 60
#: How like a known class an unknown one has to be, to be a slip of the hand.
_SLIP = 0.85
_PART = re.compile(r"(.+?)[\s:=]+([0-9.]+\s*%?)")


def read_classes(portfolio: Fields) -> ClassTree:
    """Return the classes of a document beside the catalogue's; reports circles and classes in two places."""
    known = ClassTree()
    said: dict[str, tuple[str, Path]] = {}
    tops: dict[str, Path] = {}
    for parent, child, path in _branches(portfolio.values.get("classes"), portfolio.at("classes"), portfolio.report):
        name, wider = _spelled(child, said, known), _spelled(parent, said, known) if parent else ""
        if not wider:
            tops.setdefault(name, path)
        elif said.setdefault(name, (wider, path))[0] != wider:
            portfolio.report.error(path, "class-in-two", name=name, one=said[name][0], other=wider)
    own = {name: wider for name, (wider, _) in said.items()}
    # What the catalogue has inside another class stays there, where the document only says what is in it.
    own |= {name: "" for name in tops if name not in own and known.named(name) == name and not known.knows(name)}
    tree = ClassTree(own)
    told: set[str] = set()
    for name, (_, path) in said.items():
        circle = tree.circle(name)
        if circle and not told.intersection(circle):
            told.update(circle)
            portfolio.report.error(path, "class-circle", chain=" → ".join((*circle, name)), name=name)
    return tree


def _branches(value: object, path: Path, report: Report, parent: str = "") -> Iterator[tuple[str, str, Path]]:
    """Yield (wider class, class, path) of a tree of mappings, lists and names."""
    value = plain(value)
    if value is None:
        return
    if isinstance(value, Mapping):
        for name, inner in value.items():
            here = (*path, str(name))
            if _is_name(name, here, report):
                yield parent, to_text(name), here
                yield from _branches(inner, here, report, to_text(name))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _branches(item, (*path, number), report, parent)
    elif _is_name(value, path, report):
        yield parent, to_text(value), path


def _is_name(value: object, path: Path, report: Report) -> bool:
    text = "" if value is None else to_text(value)
    if text and len(text) <= _LONGEST and is_one_line(text) and not isinstance(value, bool):
        return True
    report.error(path, "class-name", value=text[:_LONGEST], most=_LONGEST)
    return False


def _spelled(text: str, said: Mapping[str, object], known: ClassTree) -> str:
    """Return a class as it was written first, or as the catalogue has it."""
    return next((name for name in said if class_form(name) == class_form(text)), known.named(text))


def read_class(value: object, path: Path, report: Report, tree: ClassTree) -> str | None:
    """Return the class that a value names; one that nobody knows is a new one."""
    if isinstance(value, Mapping | list | tuple):
        report.error(path, "wrong-type.text", field=path[-1])
        return None
    if not _is_name(value, path, report):
        return None
    return tree.named(to_text(value))


def slip_of(name: str, tree: ClassTree) -> str | None:
    """Return the class that one that nobody knows is a slip of the hand for; None where it is none."""
    if tree.knows(name):
        return None
    words = {class_form(one): one for one in tree.names}
    near = nearest(class_form(name), words, _SLIP)
    return words[near] if near else None


def names_class(row: Fields, tree: ClassTree) -> bool:
    """Tell whether `asset_class` names a class of the tree, not one of the few words that it was made for."""
    value = row.values.get("asset_class")
    return isinstance(value, str) and fold(value) not in ASSET_CLASSES and tree.knows(value)


def read_exposure(row: Fields, tree: ClassTree) -> dict[str, Decimal] | None:
    """Return what of a row's instrument is in which class, as the row says it; None where it says nothing."""
    key = "class" if row.given("class") else "asset_class"
    if row.given("class") or (not row.given("exposure") and names_class(row, tree)):
        if row.given("exposure"):
            row.error("exposure", "exposure-and-class")
        name = read_class(row.values[key], row.at(key), row.report, tree)
        return None if name is None else {name: Decimal(1)}
    if not row.given("exposure"):
        return None
    value = row.values["exposure"]
    parts = _in_line(value, row) if isinstance(value, str) else dict(value) if isinstance(value, Mapping) else None
    if parts is None:
        row.error("exposure", "exposure-form")
        return None
    shares = Fields(parts, row.at("exposure"), row.report, tuple(map(str, parts)))
    found: dict[str, Decimal] = {}
    for word in map(str, parts):
        name, share = read_class(word, shares.at(word), row.report, tree), shares.fraction(word)
        if name in found:
            row.report.error(shares.at(word), "duplicate-key", name=name)
        if name is not None and share:
            found[name] = share
    total = sum(found.values(), ZERO)
    if total > 1 + WEIGHT_TOLERANCE:
        row.error("exposure", "exposure-above-one", total=percent(total), excess=percent(total - 1))
    return found


def _in_line(text: str, row: Fields) -> dict[str, str] | None:
    """Return the parts that one line says: classes with a number or percentage each, a lone class all of it."""
    pieces = [piece.strip() for piece in re.split(r"[,;|]", text) if piece.strip()]
    found: dict[str, str] = {}
    for piece in pieces:
        match = _PART.fullmatch(piece)
        if match is None and (len(pieces) > 1 or any(sign.isdigit() for sign in piece)):
            row.error("exposure", "exposure-form")
            return {}
        name, share = (match[1].strip(), match[2]) if match else (piece, "1")
        if name in found:
            row.error("exposure", "duplicate-key", name=name)
        found[name] = share
    return found


def coarse_of(exposure: Mapping[str, Decimal], tree: ClassTree) -> str | None:
    """Return the one of equity, bond, commodity and cash that all of an exposure is in; None where it is not known."""
    coarse = {tree.coarse(name) for name in exposure}
    whole = sum(exposure.values(), ZERO) >= 1 - WEIGHT_TOLERANCE
    return coarse.pop() if whole and len(coarse) == 1 else None


def repaired_place(text: str, known: tuple[str, ...]) -> object:
    """Return what to write in place of an account's name or type that there is not."""
    near = nearest(text, known)
    return phrase("repair.near", word=near) if near else phrase("repair.places", known=known)
