"""Writes the report of a job from its archive and its evidence: one file, no script, no network."""

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any
from zipfile import ZipFile

from jinja2 import ChainableUndefined, Environment, PackageLoader
from markupsafe import Markup

from app.jobs.evidence import INDEX_FILE, Evidence, EvidenceKind, Place, picture_name

PACKAGE = "app.http.report"
# The side of a picture in the report's own units.
UNITS = 100
# Pieces of the template that go out at once.
BUFFERED = 64
VIEWS = {
    "rotate": "turned to any angle",
    "rotate_90": "turned by quarters",
    "half_turn": "the whole picture turned by half",
    "flip_horizontal": "left and right exchanged",
    "flip_vertical": "top and bottom exchanged",
    "shift": "moved on its ground",
    "scale": "larger or smaller",
    "brightness": "brighter or darker",
    "lighting": "under uneven light",
}
REASONS = {
    "anomalous": "shows something that the real images do not",
    "near_copy": "is nearly the same as an image that is there already",
}


def write_report(archive: ZipFile, evidence: ZipFile) -> Iterator[str]:
    """The HTML in parts; both files must be open until the last one is taken.

    Args:
        archive: the job's ZIP.
        evidence: what there are pictures of, `workers/archive/evidence.py`.
    """
    manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    index = Evidence.model_validate_json(evidence.read(INDEX_FILE))
    width, height = manifest["width_px"], manifest["height_px"]
    unit = UNITS / max(width, height)
    width, height = round(width * unit, 2), round(height * unit, 2)

    def source(kind: str, number: int) -> str:
        content = evidence.read(picture_name(EvidenceKind(kind), number))
        return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"

    def box(place: Place) -> Markup:
        left, top = place.left * width - 1, place.top * height - 1
        wide, high = place.width * width + 2, place.height * height + 2
        return Markup(f'x="{left:.2f}" y="{top:.2f}" width="{wide:.2f}" height="{high:.2f}"')

    cosines = [one.get("cosine", 0) for one in manifest.get("prompt", {}).get("candidates", [])]
    apart = (manifest.get("held_out") or {}).get("images", [])
    template = _environment().get_template("report.html.jinja")
    stream = template.stream(
        manifest=manifest,
        evidence=index,
        width=width,
        height=height,
        source=source,
        box=box,
        bar=_bar,
        cosines=cosines,
        missed=[_called(*one) for one in enumerate(apart, 1) if not one[1]["near_new"]],
        plain=_plain,
        percent=lambda share: f"{round(100 * share)} %",
        reasons=REASONS,
        views=VIEWS,
        style=Markup(_style()),
    )
    stream.enable_buffering(BUFFERED)
    return stream


def report_policy() -> str:
    """The content security policy that lets the report be shown, and nothing more."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return "; ".join(
        [
            "default-src 'none'",
            "img-src data:",
            f"style-src 'sha256-{digest}'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(PACKAGE, ""), autoescape=True, undefined=ChainableUndefined
    )


@cache
def _style() -> str:
    return files(PACKAGE).joinpath("report.css").read_text()


def _called(number: int, image: dict[str, Any]) -> str:
    """One of the images kept apart, for people: its place in a ZIP, or its number."""
    _, _, path = image["file"]["field"].partition("/")
    return path or str(number)


def _bar(value: float, values: Sequence[float]) -> Markup:
    """A bar from the least to the largest of the values."""
    least, largest = min(values), max(values)
    share = (value - least) / (largest - least) if largest > least else 1.0
    return Markup(
        '<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="10"/>'
        f'<rect class="bar" width="{2 + 98 * share:.1f}" height="10"/></svg>'
    )


def _plain(value: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """The values of nested objects by their paths; lists of objects are told elsewhere."""
    for name, inner in value.items():
        here = f"{path}{name.replace('_', ' ')}"
        if isinstance(inner, dict):
            yield from _plain(inner, f"{here}: ")
        elif isinstance(inner, list):
            if not any(isinstance(one, dict) for one in inner):
                yield here, ", ".join(map(str, inner)) or "none"
        elif inner is not None:
            yield here, f"{inner:.3g}" if isinstance(inner, float) else str(inner)
