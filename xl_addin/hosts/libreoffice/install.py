"""Give LibreOffice the functions: the extension for this Python, added by LibreOffice's own package tool."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from engine.errors import InputError, Problem
from engine.text import Bilingual
from xl_addin.hosts.libreoffice.package import build_oxt

#: Where LibreOffice puts its package tool when it is not on the path.
_PLACES = (
    "/Applications/LibreOffice.app/Contents/MacOS/unopkg",
    r"C:\Program Files\LibreOffice\program\unopkg.com",
    "/usr/lib/libreoffice/program/unopkg",
)
_PATIENCE = 120


def unopkg_command() -> str | None:
    """Return LibreOffice's package tool, or None where there is no LibreOffice."""
    return shutil.which("unopkg") or next((place for place in _PLACES if Path(place).is_file()), None)


def install(*, dry_run: bool = False, profile: Path | None = None, prefix: Sequence[str] = ()) -> Bilingual:
    """Add the functions to LibreOffice and return what was done, as a sentence.

    `dry_run` only says what would be done; `profile` is another LibreOffice profile than the person's, `prefix` a
    command to run the tool with. Raises InputError with the repair where it cannot be done.
    """
    tool = unopkg_command()
    if tool is None:
        raise _refusal(
            "LibreOffice is not installed, or its unopkg is not on the path: install it and try again",
            "LibreOffice가 없거나 unopkg를 찾을 수 없습니다: 설치하고 다시 해 보세요",
        )
    if os.name == "posix" and os.geteuid() == 0 and not prefix and not dry_run:
        raise _refusal(
            "LibreOffice takes no extension from root: run this as the person who will use it",
            "LibreOffice는 root로 확장을 넣을 수 없습니다: 실제로 쓸 사용자로 실행하세요",
        )
    if dry_run:
        return Bilingual(
            f"would add the functions to LibreOffice with {tool}, answered by {sys.executable}",
            f"LibreOffice에 함수를 넣게 됩니다. 도구 {tool}, 응답 {sys.executable}",
        )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # `prefix` may run the tool as somebody else
        extension = Path(folder) / "rebalancer.oxt"
        extension.write_bytes(build_oxt(sys.executable))
        place = [f"-env:UserInstallation={profile.as_uri()}"] if profile else []
        command = [*prefix, tool, "add", "-s", "-f", *place, str(extension)]
        _run(command)
    return Bilingual(
        f"LibreOffice has the functions, answered by {sys.executable}; start it again if it is open",
        f"LibreOffice에 함수를 넣었습니다. 응답 {sys.executable}. 열려 있으면 다시 시작하세요",
    )


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"unopkg could not be run ({error}): close LibreOffice and try again"
        ko = f"unopkg를 실행할 수 없습니다({error}): LibreOffice를 닫고 다시 해 보세요"
        raise _refusal(message, ko) from None
    if done.returncode:
        reason = " ".join((done.stderr or done.stdout).split()) or f"status {done.returncode}"
        ko = f"unopkg가 거절했습니다({reason}): LibreOffice를 닫고 다시 해 보세요"
        raise _refusal(f"unopkg refused ({reason}): close LibreOffice and try again", ko)


def _refusal(message: str, ko: str) -> InputError:
    return InputError([Problem("error", "libreoffice", "LibreOffice", message, ko)])
