"""The sample workbook, open in no Excel, with the sample's prices."""

from __future__ import annotations

from pathlib import Path

import pytest

from rebalancer.samples import sample_quotes
from tests.commands_fake_book import FakeBook
from xl_addin.functions import plan
from xl_addin.hosts.excel.package import sample_workbook


@pytest.fixture(scope="session")
def data() -> bytes:
    return sample_workbook()


@pytest.fixture
def book(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBook:
    quotes, day, _ = sample_quotes()
    monkeypatch.setenv("REBALANCER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(plan, "quotes_for", lambda *_, **__: (quotes, ()))
    monkeypatch.setattr(plan, "today", lambda: day)
    plan.forget()
    return FakeBook(data, str(tmp_path / "mine.xlsm"))
