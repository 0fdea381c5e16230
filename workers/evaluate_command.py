"""The sub-command `goodmany evaluate`."""

from models.evaluation.command import evaluate

__all__ = ["evaluate"]
