"""LibreOffice as an independent second spreadsheet: converts files in one call, recalculating every formula."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

_CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">
<value>0</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="ODFRecalcMode" oor:op="fuse">
<value>0</value></prop></item>
</oor:items>
"""


def need_office() -> str:
    """Return the program; skip the test where it is not installed, but never in continuous integration."""
    found = shutil.which("soffice") or shutil.which("libreoffice")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("LibreOffice is needed in continuous integration")
        pytest.skip("LibreOffice is not installed")
    return found


def convert(files: Sequence[Path], extension: str, out: Path, profile: Path) -> dict[str, Path]:
    """Convert all files in one call of LibreOffice, recalculated; returns each result by the file's stem."""
    program = need_office()
    user = profile / "user"
    user.mkdir(parents=True, exist_ok=True)
    settings = user / "registrymodifications.xcu"
    if not settings.exists():
        settings.write_text(_CONFIG, encoding="utf-8")
    command = [program, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--convert-to"]
    command += [extension, "--outdir", str(out), *map(str, files)]
    done = subprocess.run(command, capture_output=True, timeout=280, check=False)
    made = {file.stem: out / f"{file.stem}.{extension.partition(':')[0]}" for file in files}
    missing = [stem for stem, path in made.items() if not path.exists()]
    assert not missing, f"LibreOffice made no {missing}: {done.stdout.decode()} {done.stderr.decode()}"
    return made
