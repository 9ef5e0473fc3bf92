"""The wheel alone is the whole library: in a fresh environment every line of its page is true."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = """
import doctest, sys
import rebalancer
assert "site-packages" in rebalancer.__file__, rebalancer.__file__
done = doctest.testfile(sys.argv[1], module_relative=False, encoding="utf-8", optionflags=doctest.ELLIPSIS)
assert done.attempted and not done.failed, done
"""


def run(*command: object, folder: Path) -> None:
    done = subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.soak
def test_a_developer_installs_the_wheel_and_works_through_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)  # packages are fetched
    uv = (sys.executable, "-m", "uv") if shutil.which("uv") is None else ("uv",)
    run(*uv, "build", "--wheel", "-q", "-o", tmp_path, ROOT, folder=tmp_path)
    run(*uv, "venv", "-q", tmp_path / "fresh", folder=tmp_path)
    python = next((tmp_path / "fresh").glob("[Sb][ci][rn]*/python*"))
    (wheel,) = tmp_path.glob("*.whl")
    run(*uv, "pip", "install", "-q", "--python", python, wheel, folder=tmp_path)
    run(python, "-c", PAGE, ROOT / "docs" / "library.md", folder=tmp_path)
