"""The docs' table of formats is what the format grid says today."""

import sys

import pytest

from benchmarks import formats
from tests.docs.pages import ROOT


def test_the_table_of_formats_is_what_the_grid_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", ["formats"])
    formats.main()
    table = capsys.readouterr().out.split("\n\n")[0]
    assert table in (ROOT / "docs" / "api.md").read_text()
    assert "WRONG" not in table
