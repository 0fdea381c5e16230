"""The real pipeline, whose guard hardly enlarges small images: most of a small job's time."""

from app.settings import Settings
from workers.generation.tasks import load_models

SIDE_PX = 128


def load(settings: Settings) -> None:
    from models.guard import normality  # noqa: PLC0415

    normality.LEAST_SIDE_PX = SIDE_PX
    load_models(settings)
