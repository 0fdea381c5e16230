"""Measures what generated images are worth to an anomaly detector.

`python -m models.evaluation DATA` or `goodmany evaluate DATA` runs it: `command.py` reads the
options, `session.py` wires what they want, `table.py` or `trials.py` measures it. A `cell` is one
training set measured by one detector; `experiment.py` makes them.

| folder | holds |
|---|---|
| `data/` | categories in the MVTec layout, and their test images as the detector sees them |
| `rows/` | what a detector is trained on: the real images alone, augmented, with generated ones |
| `detector/` | PatchCore, the networks it looks through, image AUROC, pixel AUROC, PRO |
| `fidelity/` | whether images look like what the line makes: precision, coverage, contact sheets |
| `guard_trial/` | the normality guard on planted defects |
| `study/` | the paper's correlation study |
| `report/` | summaries and plots |
"""
