"""LibreOffice for the tests: an independent second spreadsheet, started once, with our functions in its cells."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

_PYTHON = "/usr/bin/python3"  # the one that LibreOffice's own module is installed for
_PATIENCE = 240  # seconds, less than a test may take
#: Formulas are computed anew in every file that is opened.
_CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">
<value>0</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="ODFRecalcMode" oor:op="fuse">
<value>0</value></prop></item>
</oor:items>
"""
_AGES = ("FRESH_OPEN", "FRESH_EXTENDED", "FRESH_FX", "STALE_OPEN", "STALE_FX", "FACTS_FOR", "UNKNOWN_FOR")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
#: Nothing that is stored ages, and nobody answers on the network.
ENVIRONMENT = {
    **dict.fromkeys((f"REBALANCER_{name}" for name in _AGES), "900000000"),
    **dict.fromkeys(_PROXIES, "http://127.0.0.1:9"),
    "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    "LC_ALL": "C.UTF-8",
}


class Office:
    """LibreOffice that takes one task after the other; see `office_host`."""

    def __init__(self, profile: Path, environment: dict[str, str]) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        self._process = subprocess.Popen(
            [_PYTHON, str(Path(__file__).with_name("office_host.py")), str(profile)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**own, **environment},
            cwd=profile,
        )

    def ask(self, do: str, **task: Any) -> Any:
        """Return what a task gives; fails the test where it cannot be done."""
        assert self._process.stdin
        assert self._process.stdout
        late = threading.Timer(_PATIENCE, self._process.kill)
        late.start()
        self._process.stdin.write(json.dumps({"do": do, **task}).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        late.cancel()
        if not line:
            self._errors.seek(0)
            pytest.fail(f"LibreOffice has gone: {self._errors.read().decode()}")
        found = json.loads(line)
        assert "error" not in found, found["error"]
        return found["answer"]

    def convert(self, files: Sequence[Path], extension: str, out: Path) -> dict[str, Path]:
        """Save files anew, recalculated, as .xlsx or .ods in a folder; returns each result by the file's stem."""
        out.mkdir(exist_ok=True)
        self.ask("convert", files=list(map(str, files)), extension=extension, out=str(out))
        return {file.stem: out / f"{file.stem}.{extension}" for file in files}

    def close(self) -> None:
        """Let it end, if it can."""
        try:
            self._process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._errors.close()


@pytest.fixture(scope="session")
def market_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a process whose price store and log are these tests' own."""
    folder = tmp_path_factory.mktemp("market")
    return {**ENVIRONMENT, "REBALANCER_CACHE_DIR": str(folder), "REBALANCER_LOG_DIR": str(folder / "log")}


@pytest.fixture(scope="session")
def office(market_environment: dict[str, str]) -> Iterator[Office]:
    """Return LibreOffice with the extension in it, one for the whole run."""
    from xl_addin.hosts.libreoffice.extension import install

    need_office()
    # A folder of its own, which whoever LibreOffice runs as may enter.
    profile = Path(tempfile.mkdtemp(prefix="rebalancer-office-"))
    try:
        (profile / "user").mkdir()
        (profile / "user" / "registrymodifications.xcu").write_text(_CONFIG, encoding="utf-8")
        install(profile=profile, prefix=_as_nobody(profile))
        running = Office(profile, market_environment)
        yield running
        running.close()
    finally:
        shutil.rmtree(profile, ignore_errors=True)


def _as_nobody(profile: Path) -> tuple[str, ...]:
    """Return what a command begins with so that it is not run by root, from whom LibreOffice takes no extension."""
    if os.geteuid() != 0:
        return ()
    for path in (profile, *profile.rglob("*")):
        os.chown(path, 65534, 65534)
    profile.chmod(0o755)
    return ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", f"HOME={profile}")


def need_office() -> None:
    """Skip where LibreOffice or its Python is not installed, but never in continuous integration."""
    works = shutil.which("soffice") and shutil.which("unopkg") and Path(_PYTHON).exists()
    if works:
        works = subprocess.run([_PYTHON, "-c", "import uno"], capture_output=True, check=False).returncode == 0
    if not works:
        if os.environ.get("CI"):
            pytest.fail("LibreOffice with python3-uno is needed in continuous integration")
        pytest.skip("LibreOffice with python3-uno is not installed")
