"""The words around an object's name and the candidate prompts made of them, without images."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

EXAMPLE: dict[str, Any] = {
    "object_name": "metal nut",
    "looked_up": "nut",
    "senses": [
        {
            "name": "nut.n.03",
            "gloss": "a small (usually square or hexagonal) metal block with internal screw thread "
            "to be fitted onto a bolt",
            "points": 7.5,
            "reason": "a made thing; called nut before any other name; metal: hardware; its "
            "definition speaks of metal",
            "words": {"state": ["flawless", "intact"], "hyponym": ["wing nut"]},
            "candidates": [
                {"text": "a metal nut", "word": "", "relation": "object"},
                {"text": "a flawless metal nut", "word": "flawless", "relation": "state"},
                {
                    "text": "a metal nut such as a wing nut",
                    "word": "wing nut",
                    "relation": "hyponym",
                },
            ],
        }
    ],
}


class PromptCandidate(BaseModel):
    """A text that may become the prompt."""

    text: str
    word: Annotated[str, Field(description="The word in it; empty for the bare object.")]
    relation: Annotated[str, Field(description="How the word is related to the object.")]


class PromptSense(BaseModel):
    """One meaning of the name; between those of equal points the images of a job decide."""

    name: Annotated[str | None, Field(description="WordNet's name of it; null when unknown.")]
    gloss: str | None
    points: Annotated[
        float | None, Field(description="How likely it is by the name; null when unknown.")
    ]
    reason: Annotated[str | None, Field(description="What the points are for, in words.")]
    words: Annotated[dict[str, list[str]], Field(description="Relation to words.")]
    candidates: list[PromptCandidate]


class PromptWords(BaseModel):
    """What the prompt generator makes of an object's name."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    object_name: Annotated[str, Field(description="The name as prompts write it.")]
    looked_up: Annotated[
        str | None, Field(description="The word that WordNet knows; null for an unknown name.")
    ]
    senses: Annotated[
        list[PromptSense], Field(min_length=1, description="The likeliest by the name first.")
    ]
