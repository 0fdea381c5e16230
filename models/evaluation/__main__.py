"""Runs the evaluation: `python -m models.evaluation DATA`."""

import os

import typer

from models.evaluation.command import evaluate

# Waiting threads sleep, as in the command line: torch reads this when it is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
typer.run(evaluate)
