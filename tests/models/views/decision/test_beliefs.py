"""What is believed: laws that hold whatever the weights are fitted to."""

from dataclasses import replace
from itertools import pairwise

import pytest

from models.views.decision.beliefs import (
    CHOSEN_FROM,
    SHARE_SWUNG,
    SHARE_TRIED,
    SWUNG_FROM,
    TRIED_FROM,
    USUAL,
    WEIGHTS,
    beliefs_of,
    chosen,
    shares,
)
from models.views.decision.evidence import Evidence
from models.views.decision.grain import Grain
from models.views.decision.seen import PROBES
from models.views.view import INVARIANCES


def evidence(**changes: object) -> Evidence:
    """Of a lone part that lies straight and free, or what the changes make of it."""
    known: dict[str, object] = {
        "num_images": 1,
        "lone": 1.0,
        "held": 0.0,
        "at_frame": 0.0,
        "grain": Grain(0.05, 90.0),
        "axis_deg": 0.0,
        "askew": 0.0,
        "axes_apart": 0.0,
        "alike": 0.0,
        "asymmetry": 0.6,
        "elongation": 1.0,
        "to_itself": dict.fromkeys(PROBES, 4.0),
        "to_others": {},
        "one_sided": 0.0,
        "spread": {},
        "light_spread": 0.0,
        "mirrored": {},
    }
    return Evidence(**{**known, **changes})  # type: ignore[arg-type]


def hung(**changes: object) -> Evidence:
    """A part that hangs on something at the frame."""
    return evidence(**{"held": 1.0, "at_frame": 1.0, **changes})


def surface(**changes: object) -> Evidence:
    return evidence(**{"lone": 0.0, "axis_deg": None, **changes})


def several(num_images: int, ratio: float, **spread: float) -> Evidence:
    return evidence(num_images=num_images, to_others=dict.fromkeys(PROBES, ratio), spread=spread)


def laid(axes_apart: float) -> Evidence:
    """Five parts that lie askew, each its own way or not; the pictures tell nothing else."""
    alike = dict.fromkeys(PROBES, 1.1)
    return evidence(num_images=5, to_others=alike, askew=1.0, axes_apart=axes_apart)


def made(told: Evidence) -> frozenset[str]:
    return chosen(beliefs_of(told), told)


def believed(name: str, told: Evidence) -> float:
    return beliefs_of(told)[name].belief


def test_every_family_has_a_belief_and_a_reason_in_one_sentence():
    assert tuple(WEIGHTS) == INVARIANCES
    for told in (evidence(), surface(), several(5, 1.0, shift=0.1), evidence(held=1.0)):
        for found in beliefs_of(told).values():
            assert 0 <= found.belief <= 1
            assert found.reason[0].isupper()
            assert found.reason.endswith(".")
            assert found.reason.count(". ") == 0


@pytest.mark.parametrize("name", ["rotate", "rotate_90"])
def test_a_turn_is_believed_the_more_the_less_it_shows(name: str):
    beliefs = [
        believed(name, evidence(to_itself=dict.fromkeys(PROBES, ratio)))
        for ratio in (1.5, 2.0, 3.0, 4.0)
    ]
    assert all(more > less for more, less in pairwise(beliefs))


def test_a_part_that_lies_askew_turns_and_one_that_lies_straight_does_not():
    assert {"rotate", "rotate_90"} <= made(evidence(askew=1.0))
    assert not {"rotate", "rotate_90"} & made(evidence())


def test_several_parts_that_lie_askew_all_one_way_are_held_so():
    beliefs = [believed("rotate", laid(apart)) for apart in (0.0, 0.05, 0.1, 0.9)]
    assert beliefs[0] < beliefs[1] < beliefs[2] == beliefs[3]
    assert {"rotate", "rotate_90"} <= made(laid(0.6))
    assert not {"rotate", "rotate_90"} & made(laid(0.0))
    reasons = [beliefs_of(laid(apart))["rotate"].reason for apart in (0.0, 0.6)]
    assert "the same way" in reasons[0]
    assert "at random" in reasons[1]


def test_parts_that_lie_alike_are_not_turned_whatever_else_is_seen():
    alike = replace(laid(0.6), alike=0.75)
    assert not {"rotate", "rotate_90"} & made(alike)
    assert shares(beliefs_of(alike), alike) == {}
    assert beliefs_of(alike)["rotate"].reason == "The parts lie all the same way, as in a fixture."
    assert {"rotate", "rotate_90"} <= made(replace(laid(0.6), alike=0.5))


def test_the_axis_of_one_part_without_a_clear_shape_may_be_chance():
    odd = [evidence(askew=1.0, asymmetry=asymmetry) for asymmetry in (0.6, 0.35, 0.1)]
    beliefs = [believed("rotate", told) for told in odd]
    assert believed("rotate", evidence()) < beliefs[0] < beliefs[1] < beliefs[2]
    assert believed("rotate", evidence(askew=1.0, elongation=3.0)) == beliefs[2]


def test_quarter_turns_of_a_part_are_believed_as_any_turn_is():
    """By its patches alone, a box of three by five is one of five by three."""
    ratios = {**dict.fromkeys(PROBES, 3.0), "rotate_90": 1.2}
    for told in (evidence(to_itself=ratios), replace(several(5, 1.5), to_itself=ratios)):
        assert believed("rotate_90", told) == believed("rotate", told)
    told = surface(to_itself=ratios)
    assert believed("rotate_90", told) > believed("rotate", told)


def share_of(told: Evidence) -> float:
    return shares(beliefs_of(told), told).get("rotate", 0.0)


def test_a_turn_that_may_be_good_is_tried_in_a_few_images_the_more_the_likelier_it_is():
    told = [evidence(to_itself=dict.fromkeys(PROBES, ratio)) for ratio in (6.0, 4.0)]
    likely, likelier = (believed("rotate", each) for each in told)
    assert 0 < share_of(told[0]) < share_of(told[1]) < 0.5
    assert likely < likelier < CHOSEN_FROM


def test_what_hangs_swings_in_some_images_even_if_it_is_not_turned():
    assert share_of(hung(askew=1.0)) == SHARE_SWUNG
    assert SWUNG_FROM < believed("rotate", hung(askew=1.0)) < TRIED_FROM
    assert share_of(hung()) == 0.0


def test_what_has_something_else_beside_it_is_never_turned_by_decision():
    beside = evidence(held=1.0, askew=1.0)
    assert not {"rotate", "rotate_90"} & made(beside)
    assert share_of(beside) == 0.0 < share_of(hung(askew=1.0))
    reasons = [beliefs_of(told)["rotate"].reason for told in (beside, hung(askew=1.0))]
    assert "no image is turned" in reasons[0]
    assert "no more than a few" in reasons[1]


def test_a_long_part_that_lies_straight_is_held_so():
    shares = [believed("rotate", evidence(elongation=times)) for times in (1.0, 1.4, 2.0, 4.0)]
    assert shares[0] > shares[1] > shares[2] == shares[3]
    assert share_of(evidence(elongation=3.0)) == 0.0 < share_of(evidence(elongation=1.4))
    reasons = [beliefs_of(evidence(elongation=n))["rotate"].reason for n in (1.0, 3.0)]
    assert "chance" in reasons[0]
    assert "seldom" in reasons[1]
    for times in (1.0, 3.0):
        assert {"rotate", "rotate_90"} <= made(evidence(askew=1.0, elongation=times))


def test_a_part_with_a_clear_mirror_axis_that_lies_straight_is_held_so():
    told = [evidence(asymmetry=asymmetry) for asymmetry in (0.8, 0.5, 0.35, 0.2, 0.0)]
    beliefs = [believed("rotate", each) for each in told]
    assert beliefs[0] == beliefs[1] > beliefs[2] > beliefs[3] == beliefs[4]
    assert share_of(told[3]) == 0.0
    assert "clear mirror axis" in beliefs_of(told[3])["rotate"].reason
    assert {"rotate", "rotate_90"} <= made(evidence(askew=1.0, asymmetry=0.1))


@pytest.mark.parametrize("shape", [{"elongation": 3.0}, {"asymmetry": 0.1}])
def test_the_shape_of_a_part_that_is_not_free_says_nothing(shape: dict[str, float]):
    shaped, other = (beliefs_of(evidence(held=1.0, **told))["rotate"] for told in (shape, {}))
    assert shaped == other


def test_one_image_of_a_part_never_has_it_turned_in_all():
    told = evidence(askew=1.0)
    assert {"rotate", "rotate_90"} <= made(told)
    assert believed("rotate", told) > 0.8
    assert shares(beliefs_of(told), told) == dict.fromkeys(
        ("rotate", "rotate_90"), pytest.approx(SHARE_TRIED * believed("rotate", told), abs=0.001)
    )


@pytest.mark.parametrize(
    "told",
    [
        several(5, 1.0),  # all of them turn
        evidence(to_itself=dict.fromkeys(PROBES, 1.8)),  # round
        surface(),
        several(5, 4.0),  # the others never lie so
        evidence(at_frame=1.0, held=1.0),
    ],
)
def test_a_turn_is_not_tried_where_it_is_made_anyhow_or_unlikely(told: Evidence):
    assert shares(beliefs_of(told), told) == {}


def test_a_round_part_is_turned_on_a_users_word_alone():
    """Nothing but the light turns on it: a good part, and none that the line could have made."""
    round_one = dict.fromkeys(PROBES, 1.8)
    for told in (
        evidence(to_itself=round_one),
        replace(several(2, 1.5), to_itself=round_one),
        replace(several(5, 1.5), to_itself=round_one),
    ):
        assert not {"rotate", "rotate_90"} & made(told)
        assert beliefs_of(told)["rotate"].belief > 0.5
        assert "only on your word" in beliefs_of(told)["rotate"].reason


ROUND = dict.fromkeys(PROBES, 1.8)


def test_a_free_part_is_turned_by_half_with_its_light_unless_the_images_show_otherwise():
    assert "half_turn" in made(evidence(to_itself=ROUND))
    lit = [replace(several(5, 1.0), to_itself=ROUND, one_sided=r) for r in (-0.1, 0.1, 0.4)]
    beliefs = [believed("half_turn", told) for told in lit]
    assert all(more > less for more, less in pairwise(beliefs))
    assert ["half_turn" in made(told) for told in lit] == [True, True, False]
    reasons = [beliefs_of(told)["half_turn"].reason for told in lit]
    assert reasons[0] == reasons[1] != reasons[2]


def test_as_likely_as_not_several_pictures_are_turned_by_half_and_a_single_one_is_not():
    unsure = replace(several(5, 1.0), to_itself=ROUND, one_sided=0.32)
    assert 0.4 < believed("half_turn", unsure) < 0.65
    assert "half_turn" in made(unsure)
    assert "which may be chance" in beliefs_of(unsure)["half_turn"].reason
    assert "half_turn" not in made(replace(unsure, num_images=1, lone=0.1))


@pytest.mark.parametrize(
    "told",
    [
        evidence(askew=1.0),  # it turns on its ground, and one image shows one light
        replace(laid(0.6), one_sided=0.4),
        several(5, 4.0),  # the others never lie turned
        replace(laid(0.6), alike=0.75),
        evidence(to_itself=ROUND, held=1.0),
        surface(to_itself=ROUND),
    ],
)
def test_no_other_picture_is_turned_by_half_without_the_users_word(told: Evidence):
    assert "half_turn" not in made(told)


def test_what_other_images_never_show_is_believed_the_less_the_more_there_are():
    beliefs = [believed("rotate", several(k, 2.0)) for k in (2, 3, 5)]
    assert all(more > less for more, less in pairwise([believed("rotate", evidence()), *beliefs]))


@pytest.mark.parametrize("held", [{"held": 1.0}, {"held": 1.0, "at_frame": 1.0}])
def test_of_a_part_that_does_not_lie_free_few_are_turned_without_the_users_word(
    held: dict[str, float],
):
    askew = evidence(askew=1.0, **held)
    assert not {"rotate", "rotate_90"} & made(askew)
    assert "without your word" in beliefs_of(askew)["rotate"].reason
    assert believed("rotate", evidence(askew=1.0, held=1.0, at_frame=1.0)) < CHOSEN_FROM


@pytest.mark.parametrize("ratio", [1.3, 4.0])
def test_a_lone_part_is_never_mirrored_without_the_users_word(ratio: float):
    told = replace(several(5, 1.0), to_itself=dict.fromkeys(PROBES, ratio))
    assert not {"flip_horizontal", "flip_vertical"} & made(told)


def test_a_grain_is_neither_turned_nor_tilted():
    along, oblique = (
        surface(grain=Grain(0.45, angle), to_itself=dict.fromkeys(PROBES, 1.7))
        for angle in (90.0, 45.0)
    )
    assert made(along) == {"flip_horizontal", "flip_vertical"}
    assert made(oblique) == frozenset()


@pytest.mark.parametrize("name", ["shift", "scale", "brightness"])
def test_what_several_images_show_to_differ_is_believed_and_what_they_do_not_is_not(name: str):
    assert name not in made(evidence())
    widths = [USUAL[name] * factor for factor in (0.3, 1.0, 3.0)]
    beliefs = [believed(name, several(5, 1.0, **{name: width})) for width in widths]
    assert all(less < more for less, more in pairwise(beliefs))
    assert beliefs[0] < 0.2
    # Parts that lie elsewhere or are larger show it themselves.
    is_made = name == "brightness"
    assert (name in made(several(5, 1.0, **{name: widths[-1]}))) is is_made


def test_one_image_shows_one_light_and_a_part_its_shape_and_none_is_made_unasked():
    assert believed("lighting", surface()) < 0.5
    uneven = surface(num_images=3, light_spread=0.2)
    assert believed("lighting", uneven) > 0.8
    assert "lighting" not in made(uneven)
    assert believed("lighting", evidence()) < 0.2
