"""What the courier does for `GET /v1/prompts`: the prompt generator's words, without images.

The function is named by the API as a string (`app.jobs.queues.enqueue.FIND_WORDS`).
"""

from app.http.prompt_words import PromptCandidate, PromptSense, PromptWords
from models.prompt.texts import candidate_texts
from models.prompt.wordnet import load_wordnet
from models.prompt.words import ObjectWordFinder, ObjectWords, Sense

_warm: list[ObjectWordFinder] = []


def load_words() -> None:
    """Loads WordNet into this process; called once, before the first question.

    Raises:
        RuntimeError: WordNet is nowhere, or its cache folder cannot be written.
    """
    _warm[:] = [ObjectWordFinder(load_wordnet())]


def find_words(object_name: str) -> dict[str, object]:
    """`PromptWords` of the name, as JSON has it."""
    (finder,) = _warm
    return to_prompt_words(finder.find(object_name)).model_dump(mode="json")


def to_prompt_words(found: ObjectWords) -> PromptWords:
    """The words with the candidate texts that they make; an unknown name has our states alone."""
    senses = [_to_prompt_sense(found, sense) for sense in found.senses or (None,)]
    return PromptWords(object_name=found.object_name, looked_up=found.looked_up, senses=senses)


def _to_prompt_sense(found: ObjectWords, sense: Sense | None) -> PromptSense:
    words = {**(sense.words if sense else {}), "state": found.states}
    countable = sense.countable if sense else found.countable
    candidates = [
        PromptCandidate(text=text, word=word, relation=relation)
        for text, word, relation in candidate_texts(found.object_name, words, countable)
    ]
    return PromptSense(
        name=sense.name if sense else None,
        gloss=sense.gloss if sense else None,
        points=sense.points if sense else None,
        reason=sense.reason if sense else None,
        words={relation: list(texts) for relation, texts in words.items() if texts},
        candidates=candidates,
    )
