"""What is wrong with the arguments of a command, in English and Korean: argparse itself has words for one language."""

from __future__ import annotations

import argparse
import re

#: Stands between the English and the Korean text of one message; neither has it.
_BETWEEN = "\0"
#: (what argparse says, how it is said in Korean).
_SHAPES = (
    (re.compile(r"^argument ([^:]+): expected one argument$"), r"\1: 값을 하나 적으세요"),
    (re.compile(r"^argument ([^:]+): expected at least one argument$"), r"\1: 값을 하나 이상 적으세요"),
    (re.compile(r"^argument ([^:]+): ignored explicit argument (.+)$"), r"\1: 값을 받지 않습니다 (\2)"),
    (re.compile(r"^argument ([^:]+): not allowed with argument (.+)$"), r"\1: \2 인자와 함께 쓸 수 없습니다"),
    (
        re.compile(r"^argument ([^:]+): invalid choice: (.+?) \(choose from (.+)\)$"),
        r"\1: 쓸 수 없는 값 \2. 가능한 값은 \3입니다",
    ),
    (re.compile(r"^argument ([^:]+): invalid \w+ value: (.+)$"), r"\1: 쓸 수 없는 값 \2"),
    (re.compile(r"^the following arguments are required: (.+)$"), r"빠진 인자: \1"),
    (re.compile(r"^unrecognized arguments: (.+)$"), r"모르는 인자: \1"),
    (re.compile(r"^one of the arguments (.+) is required$"), r"다음 중 하나가 필요합니다: \1"),
)


def refused(message: str, ko: str) -> argparse.ArgumentTypeError:
    """Return the error of an argument's type, whose message is told in English and Korean."""
    return argparse.ArgumentTypeError(two(message, ko))


def two(message: str, ko: str) -> str:
    """Return one text that holds both, for `Parser.error`."""
    return f"{message}{_BETWEEN}{ko}"


def both(said: str) -> tuple[str, str]:
    """Return what a parser says, in English and Korean: from `two`, else as argparse's own words are known."""
    english, _, korean = said.partition(_BETWEEN)
    if korean:
        argument = re.match(r"argument ([^:]+): ", english)
        return english, f"{argument[1]}: {korean}" if argument else korean
    for shape, told in _SHAPES:
        if shape.match(english):
            return english, shape.sub(told, english)
    return english, f"잘못된 인자: {english}"
