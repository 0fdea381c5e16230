"""Measures what generated images are worth to an anomaly detector.

`python -m models.evaluation DATA` or `goodmany evaluate DATA` runs it.
"""
