"""Recordings killed at any point, and several at once, by the system itself."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"), reason="ptrace is Linux's"
    ),
]


def test_whatever_is_killed_is_finished_or_never_happened_and_none_of_several_is_lost(tmp_path: Path) -> None:
    script = Path(__file__).with_name("killing.py")
    ran = subprocess.run([sys.executable, str(script), str(tmp_path / "in")], capture_output=True, check=False)
    if ran.returncode == 77:
        pytest.skip("this system lets no process trace another")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert set(told) == {"record", "events", "import", "undo", "together"}
    for name, found in told.items():
        assert found["wrong"] == [], name
        assert found["points"] > 10, name
        assert found["done"] > 0, name
