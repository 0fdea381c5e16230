"""A training run: steps until it is told to stop, the state and the weights written on the way."""

import hashlib
import json
import math
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import torch

from models.features.patches import load_patch_features
from models.generator.vqgan import load_vqgan
from models.training.vqgan.batches import batches, first_crops, held_out_batches
from models.training.vqgan.measure import measure
from models.training.vqgan.output import read_checkpoint, write_checkpoint, write_weights
from models.training.vqgan.pack import Pack
from models.training.vqgan.recipe import Recipe
from models.training.vqgan.steps import StepLosses, Training

STEPS_A_LINE = 50


@dataclass(frozen=True)
class Span:
    """How long a run goes on, and how often it writes.

    Attributes:
        steps: ends after this step of the run; None: none does.
        minutes: ends after so long in this process; None: never.
        save_minutes: from one writing to the next.
    """

    steps: int | None = None
    minutes: float | None = None
    save_minutes: float = 10.0


class StopSignal:
    """Notes SIGTERM and SIGINT, so that the step in hand is finished and the state written."""

    def __init__(self) -> None:
        self.came = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "StopSignal":
        for number in (signal.SIGTERM, signal.SIGINT):
            self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)

    def _note(self, *_: int | FrameType | None) -> None:
        self.came = True


class Run:
    """One run in a folder; `go` may be called once.

    Attributes:
        training: the state.
        card: what is told of the weights beside their measures.
    """

    def __init__(
        self,
        recipe: Recipe,
        pack: Pack,
        out: Path,
        device: torch.device,
        *,
        init: Path | None = None,
        resume: bool = False,
    ):
        """Begins anew, from the weights in `init`, or where the checkpoint in `out` stands.

        Raises:
            ValueError: the checkpoint is of another recipe, of other data or of other weights to
                start from, or there is none.
            RuntimeError: no weights in `init`.
        """
        self.pack, self.out, self.device = pack, out, device
        self.card = {
            "recipe": recipe.as_dict(),
            "data_sha256": pack.digest,
            "init_sha256": weights_digest(init) if init else None,
            "device": device.type,
            "torch": torch.__version__,
        }
        start = load_vqgan(init) if init else None
        crops = None
        if recipe.linear_crops and not (init or resume):
            crops = first_crops(pack.squares, recipe.linear_crops, seed=recipe.seed)
        self.training = Training(recipe, load_patch_features(), device, start, crops)
        self.held_out = held_out_batches(pack.held_out, device)
        self.seconds_before = 0.0
        if resume:
            self._resume(recipe, read_checkpoint(out))

    def _resume(self, recipe: Recipe, state: dict[str, Any]) -> None:
        recipe.check_same(state["recipe"])
        for key in ("data_sha256", "init_sha256"):
            if state[key] != self.card[key]:
                raise ValueError(
                    f"a run is resumed as it began: {key} was {state[key]}, is {self.card[key]}"
                )
        self.training.load_state(state["training"])
        self.seconds_before = state["seconds"]

    def go(self, span: Span, *, num_workers: int = 0) -> dict[str, Any]:
        """Trains, and writes checkpoint, weights and card at the end at the latest; the card."""
        recipe, training = self.recipe, self.training
        crops = batches(
            self.pack.squares,
            self.device,
            seed=recipe.seed,
            batch_size=recipe.batch_size,
            first=training.number,
            num_workers=num_workers,
        )
        start = saved = time.monotonic()
        length_s = math.inf if span.minutes is None else 60 * span.minutes
        last_step = math.inf if span.steps is None else span.steps
        with StopSignal() as stop:
            lines = _Lines(start, recipe.batch_size)
            while training.number < last_step and not stop.came:
                if time.monotonic() - start >= length_s:
                    break
                lines.add(training.number + 1, training.step(next(crops)))
                if time.monotonic() - saved > 60 * span.save_minutes:
                    self._save(time.monotonic() - start)
                    saved = time.monotonic()
            return self._save(time.monotonic() - start)

    @property
    def recipe(self) -> Recipe:
        """What decides the weights."""
        return self.training.recipe

    def _save(self, seconds: float) -> dict[str, Any]:
        training, seconds = self.training, self.seconds_before + seconds
        state = {
            "recipe": self.recipe.as_dict(),
            "data_sha256": self.card["data_sha256"],
            "init_sha256": self.card["init_sha256"],
            "seconds": seconds,
            "training": training.state(),
        }
        write_checkpoint(self.out, state)
        model = training.average.model
        card = {
            "steps": training.number,
            "crops": training.number * self.recipe.batch_size,
            "minutes": round(seconds / 60, 1),
            **measure(model, training.features, self.held_out),
            **self.card,
        }
        write_weights(self.out, model, card)
        print(json.dumps(card), flush=True)
        return card


class _Lines:
    """Tells how it goes every STEPS_A_LINE steps: the device is waited for no more often."""

    def __init__(self, start: float, batch_size: int):
        self.last, self.batch_size = start, batch_size
        self.kept: list[StepLosses] = []

    def add(self, number: int, losses: StepLosses) -> None:
        self.kept.append(losses)
        if number % STEPS_A_LINE:
            return
        loss, mse, factor = (
            float(torch.stack(each).mean()) for each in zip(*self.kept, strict=True)
        )
        now = time.monotonic()
        rate = len(self.kept) * self.batch_size / (now - self.last)
        self.last, self.kept = now, []
        adversarial = f" adversarial factor {factor:.3g}" if factor else ""
        print(
            f"step {number} loss {loss:.4f} psnr {-10 * math.log10(max(mse, 1e-10)):.2f} dB"
            f"{adversarial} {rate:.1f} crops/s",
            flush=True,
        )


def weights_digest(folder: Path) -> str:
    """SHA-256 of the weights' files in the folder, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
