"""One generation from request to result: the method's parts wired together (TGI-AD, section 4).

`pipeline.py` loads the models, `run.py` goes through the stages: `prepare.py`, `rounds.py`,
`fill.py`, `report.py`. What every stage knows is `generation.py`; what comes in and goes out is
`request.py`.
"""
