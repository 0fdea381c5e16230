import json
import math

import numpy as np
import pytest
import torch

from models.encoder.protocol import load_encoder
from models.prompt.choice import PAPER_THRESHOLD, PromptGenerator, keep
from models.prompt.texts import MAX_CANDIDATES, candidate_texts
from models.prompt.words import STATES
from tests.models.encoder.test_protocol import picture

PARTS = (
    "bottle", "hazelnut", "metal_nut", "screw", "transistor", "cable", "zipper", "toothbrush",
    "pill", "leather", "wood", "carpet", "tile", "grid", "capsule", "cookie", "fryum", "pcb",
    "gear", "bearing",
)  # fmt: skip


@pytest.fixture(scope="module")
def encoder():
    return load_encoder("embedded")


@pytest.fixture(scope="module")
def generator(encoder, wordnet):
    return PromptGenerator(encoder, wordnet)


@pytest.fixture(scope="module")
def images():
    """A cup of coffee seen three times: k = 3, (3, 3, 224, 224)."""
    cup = torch.nn.functional.interpolate(picture("coffee.png"), (224, 224), mode="area")
    return torch.cat([cup, cup.flip(-1), 0.8 * cup])


@pytest.fixture(scope="module")
def choice(generator, images):
    return generator.choose("cup", images)


def test_choice_follows_the_formula(choice, encoder, images):
    texts = [candidate.text for candidate in choice.candidates]
    g, f = encoder.embed_text(texts), encoder.embed_image(images)
    for candidate, embedding in zip(choice.candidates, g, strict=True):
        distances = [float((feature - embedding).norm()) for feature in f]
        cosines = [float(feature @ embedding) for feature in f]
        assert candidate.distance == pytest.approx(sum(distances) / 3, abs=1e-4)
        assert candidate.cosine == pytest.approx(sum(cosines) / 3, abs=1e-4)
        assert candidate.kept == (candidate.distance <= choice.threshold)
    kept = [candidate for candidate in choice.candidates if candidate.kept]
    assert choice.text == max(kept, key=lambda candidate: candidate.cosine).text


def test_the_meaning_that_is_asked_for_gives_the_words(generator, images):
    for sense, others in (("nut.n.01", "nut.n.03"), ("nut.n.03", "nut.n.01")):
        choice = generator.choose("nut", images, sense=sense)
        assert choice.sense == sense
        assert choice.sense_reason.startswith("as asked for: ")
        assert others in [score.name for score in choice.senses]
        (meant,) = [s for s in generator.words("nut").senses if s.name == sense]
        assert choice.words["hyponym"] == meant.words["hyponym"]
    for name, listed in (("nut", r"it has: nut\.n\.03, nut\.n\.01"), ("qwrtz", "it has: none")):
        with pytest.raises(ValueError, match=listed):
            generator.choose(name, images, sense="seed.n.01")


def test_distance_and_cosine_of_one_image_are_one_thing(generator, images):
    # Unit vectors: d^2 = 2 - 2 cos.
    for candidate in generator.choose("cup", images[:1]).candidates:
        assert candidate.distance == pytest.approx(math.sqrt(2 - 2 * candidate.cosine), abs=1e-3)


def test_order_of_the_images_does_not_matter(generator, images, choice):
    turned = generator.choose("cup", images[[2, 0, 1]])
    assert (turned.text, turned.sense) == (choice.text, choice.sense)
    assert [c.text for c in turned.candidates] == [c.text for c in choice.candidates]


def test_an_image_twice_is_that_image(generator, images):
    once = generator.choose("cup", images[:1])
    twice = generator.choose("cup", images[[0, 0]])
    assert twice.text == once.text
    assert twice.candidates[3].cosine == pytest.approx(once.candidates[3].cosine, abs=1e-5)


def test_the_name_chooses_the_meaning(choice):
    # "cup" is also a trophy, a golf hole and a punch.
    assert choice.sense == choice.senses[0].name == "cup.n.01"
    assert choice.sense_reason.startswith("by the name: a container")
    points = [sense.points for sense in choice.senses]
    assert points == sorted(points, reverse=True)


def test_the_images_choose_between_equals_only(generator, images):
    choice = generator.choose("jack", images)
    best = max(sense.points for sense in choice.senses)
    equal = [sense for sense in choice.senses if sense.points == best]
    assert 1 < len(equal) < len(choice.senses)
    assert choice.sense == max(equal, key=lambda sense: sense.cosine).name
    assert choice.sense_reason.startswith(f"of {len(equal)} equally likely, by the images: ")


def test_an_unknown_name_says_why_it_has_no_meaning(generator, images):
    choice = generator.choose("fryum", images)
    assert (choice.sense, choice.senses) == (None, ())
    assert "bare name" in choice.sense_reason


def hex_nut(angle: float, size: int = 224) -> torch.Tensor:
    """A grey hexagon with a threaded hole on a light ground, (3, size, size) in [0, 1]."""
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    turn, radius = np.arctan2(y, x) + angle, np.hypot(x, y)
    side = 0.38 * np.cos(np.pi / 6) / np.cos(turn % (np.pi / 3) - np.pi / 6)
    shine = 0.6 + 0.2 * np.cos(2 * turn) * np.exp(-(((radius - 0.27) / 0.08) ** 2))
    grey = np.where((radius < side) & (radius > 0.18), shine, 0.95)
    grey[np.abs(radius - 0.18) < 0.012] = 0.25
    return torch.from_numpy(grey).clamp(0, 1).float().expand(3, -1, -1)


@pytest.mark.parametrize("name", ["nut", "metal_nut"])
def test_a_hardware_nut_is_no_food(generator, name):
    nuts = torch.stack([hex_nut(angle) for angle in (0.0, 0.2, 0.5)])
    for images in (nuts, 1 - nuts):
        assert generator.choose(name, images).sense == "nut.n.03"


@pytest.mark.parametrize(
    ("name", "sense"),
    [("hazelnut", "hazelnut.n.02"), ("cashew", "cashew.n.02"), ("roasted nuts", "nut.n.01")],
)
def test_a_nut_to_eat_is_neither_tree_nor_hardware(generator, name, sense):
    nuts = torch.stack([hex_nut(angle) for angle in (0.0, 0.2, 0.5)])
    assert generator.choose(name, nuts).sense == sense


def test_all_is_recorded_and_json_able(choice):
    record = json.loads(json.dumps(choice.as_dict()))
    assert record["text"] == choice.text
    assert len(record["candidates"]) == len(choice.candidates)
    assert set(record["candidates"][0]) == {
        "text", "word", "relation", "distance", "cosine", "kept",
    }  # fmt: skip
    assert record["outlier_rule"] == "mad"
    assert record["sense_reason"]
    assert set(record["senses"][0]) == {"name", "gloss", "points", "reason", "cosine"}
    assert record["words"]["state"] == list(STATES)


def test_a_users_prompt_is_not_altered(generator, images):
    prompt = "  A Broken cup, really? "
    given = generator.choose("cup", images, prompt=prompt)
    assert given.text == prompt
    assert [candidate.text for candidate in given.candidates] == [prompt]
    assert given.outlier_rule == "none"
    assert given.threshold is None


def test_robust_rule_keeps_what_lies_within_three_deviations():
    distances = torch.tensor([1.0, 1.1, 1.2, 1.3, 1.4, 3.0])
    kept, threshold = keep(distances, "mad")
    median, mad = 1.2, 0.1  # torch's median of an even number is the lower one
    assert threshold == pytest.approx(median + 3 * 1.4826 * mad, rel=1e-5)
    assert kept.tolist() == [True] * 5 + [False]


def test_robust_rule_does_not_depend_on_the_encoders_scale():
    distances = torch.rand(50, generator=torch.Generator().manual_seed(0))
    distances[7] = 9
    assert torch.equal(keep(distances, "mad")[0], keep(0.1 * distances + 1, "mad")[0])


def test_papers_rule_keeps_what_lies_beyond_one_half():
    kept, threshold = keep(torch.tensor([0.4, 0.5, 0.6]), "paper")
    assert threshold == PAPER_THRESHOLD == 0.5
    assert kept.tolist() == [False, False, True]


class WrittenImages:
    """Images that say in words what they show: f(I) is the embedding of a text."""

    def __init__(self, encoder, text: str):
        self.encoder, self.text = encoder, text

    def to(self, device):
        return self

    def embed_text(self, texts):
        return self.encoder.embed_text(texts)

    def embed_image(self, x):
        return self.encoder.embed_text([self.text]).expand(len(x), -1)


def test_papers_rule_leaves_out_the_nearest_of_real_candidates(generator, encoder, images):
    written = PromptGenerator(WrittenImages(encoder, "a flawless cup"), generator.finder.wordnet)
    choice = written.choose("cup", images, outlier_rule="paper")
    distances = {c.text: c.distance for c in choice.candidates}
    # Some lie within one half and some beyond, or the rule would have nothing to tell apart.
    assert min(distances.values()) < 0.5 < max(distances.values())
    assert all(c.kept == (c.distance > 0.5) for c in choice.candidates)
    assert distances["a flawless cup"] < 0.5 < distances[choice.text]
    assert distances[choice.text] == min(d for d in distances.values() if d > 0.5)
    assert (choice.outlier_rule, choice.threshold) == ("paper", 0.5)


@pytest.mark.parametrize("rule", ["mad", "paper"])
def test_some_candidate_is_always_kept(rule):
    for distances in (torch.tensor([0.1]), torch.full((4,), 0.2), torch.rand(9)):
        assert keep(distances, rule)[0].any()


@pytest.mark.parametrize("name", PARTS)
def test_no_word_means_damage(generator, name):
    found = generator.words(name)
    own = frozenset(found.object_name.split())
    for sense in found.senses:
        for words in sense.words.values():
            assert not [word for word in words if generator.finder.means_damage(word, own)]


@pytest.mark.parametrize("name", PARTS)
def test_candidates_are_distinct_bounded_and_name_the_object(generator, name):
    found = generator.words(name)
    for words in [{"state": found.states}, *(s.words for s in found.senses)]:
        texts = [text for text, _, _ in candidate_texts(found.object_name, words)]
        assert len(set(texts)) == len(texts) <= MAX_CANDIDATES
        assert all(found.object_name in text for text in texts)


def test_words_are_the_same_every_time(generator):
    assert generator.words("screw") == generator.words("screw")
    hyponyms = generator.words("screw").senses[0].words["hyponym"]
    assert "cap screw" in hyponyms
