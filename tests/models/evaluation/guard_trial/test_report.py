import pytest

from models.evaluation.guard_trial.report import (
    BANDS,
    curve,
    factor_at,
    in_band,
    share_rejected,
    write_guard_page,
)
from models.evaluation.guard_trial.trial import Judgement


def judgement(base: str, ratio: float, visibility: float = 0.0) -> Judgement:
    kind = "spot" if visibility else "none"
    return Judgement(
        category="nut",
        shots=1,
        seed=0,
        base=base,
        ratio=ratio,
        kind=kind,
        visibility=visibility,
    )


GOOD = [judgement("held-back", ratio) for ratio in (0.5, 0.6, 0.7, 1.2)]
BAD = [judgement("real", ratio, 9.0) for ratio in (0.9, 1.5, 2.0)]


def test_shares_rejected_by_hand():
    assert share_rejected(GOOD) == 0.25
    assert share_rejected(BAD) == pytest.approx(2 / 3)
    assert share_rejected(BAD, factor=0.8) == 1.0
    assert share_rejected([]) is None


def test_every_defect_lies_in_one_band():
    planted = [judgement("real", 1.0, v) for v in (0.1, 1.5, 3.9, 4.0, 50.0)]
    assert sorted(j.visibility for band in BANDS for j in in_band(planted, band)) == sorted(
        j.visibility for j in planted
    )
    assert in_band(GOOD, "hardly") == []


def test_the_curve_rises_from_nothing_to_everything():
    good, bad = curve([*GOOD, *BAD], BAD)
    assert (good[0], bad[0], good[-1], bad[-1]) == (0.0, 0.0, 1.0, 1.0)
    assert good == sorted(good)
    assert bad == sorted(bad)
    assert (0.25, pytest.approx(2 / 3)) in list(zip(good, bad, strict=True))


def test_the_factor_rejects_the_wanted_share_of_good_images():
    good = [judgement("held-back", i / 100) for i in range(101)]
    assert share_rejected(good, factor_at(good, 0.05)) == pytest.approx(0.05, abs=0.01)


def test_the_page_shows_the_shares_and_the_curve(tmp_path):
    page = write_guard_page(tmp_path, [*GOOD, *BAD])
    assert "| nut | 66.7% (3) |  |  | 25.0% (4) |" in page.read_text()
    assert (tmp_path / "guard-1.png").exists()
