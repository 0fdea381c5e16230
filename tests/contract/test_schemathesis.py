"""Schemathesis finds no answer that the OpenAPI document does not announce, and no 5xx."""

from pathlib import Path

import pytest

from benchmarks.contract import check

ALWAYS_THE_SAME = ("--generation-deterministic", "--seed", "1", "--max-examples", "5")


@pytest.mark.slow
def test_the_service_keeps_its_contract(address: str, tmp_path: Path):
    outcome = check(address, tmp_path, *ALWAYS_THE_SAME)
    assert outcome.passed, outcome.report
    # It got through to a job and its files, and was refused in several ways.
    assert outcome.answers.keys() >= {200, 202, 204, 404, 405, 409, 422}
