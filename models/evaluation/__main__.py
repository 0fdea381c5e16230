"""Runs the evaluation: `python -m models.evaluation DATA`."""

import typer

from models.evaluation.command import evaluate

typer.run(evaluate)
