"""The method, after Lee & Choi (TGI-AD), CVPR 2024, arXiv 2403.06247, and its weights.

Lee & Choi, "Text-Guided Variational Image Generation for Industrial Anomaly Detection and
Segmentation". With the paper in hand:

| the paper | here |
|---|---|
| 4.1.1 keyword-to-prompt generator | `prompt/` |
| W_t, words around the name W^o | `prompt/words.py` |
| S_t, candidate texts | `prompt/texts.py` |
| d(S, I^o), and the prompt P | `prompt/choice.py` |
| f(I), G(S) | `encoder/` |
| 4.1.2 variance-aware image generator | `generator/` |
| I_1..I_N, the augmented inputs | `views/`, drawn in `views/draws.py` |
| E(I) = N(mu, sigma^2), q, D | `generator/vqgan.py` |
| sigma, where it comes from | `generator/variance.py` |
| eps | `generator/noise.py` |
| z = mu + sigma * eps, I+ = D(q(z)) | `generator/sampling.py` |
| D, fitted to the views | `generator/adaptation.py` |
| 4.2 text-guided knowledge integrator | `integrator/` |
| cos(z^v, z^t) | `integrator/cosine.py` |
| the rounds, and the update between two | `integrator/rounds.py`, `integrator/update.py` |
| all of it in order | `job/run.py` |

Not in the paper: which views leave a good part good (`views/decision/`), the
colours of a change (`generator/colour.py`), the normality guard (`guard/`), the choice among more
images than are wanted (`integrator/selection.py`).
"""
