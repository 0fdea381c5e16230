"""The archive's `README.md`: what is inside, and the few lines that load it elsewhere.

Its front matter makes the unpacked archive a Hugging Face dataset: only `train` is data.
"""

from models.job.request import GenerationRequest, GenerationResult

CARD = """\
---
configs:
- config_name: default
  data_files:
  - split: train
    path: {slug}/train/**
---

# {num_images} good images of: {object_name}

Made by goodmany from {num_inputs}, for training anomaly detectors. **These images are synthetic.**
Each PNG says so itself, by IPTC's digital source type in its XMP and by a text chunk:
`algorithmicallyEnhanced` is a real image that was turned, moved or lit otherwise,
`compositeWithTrainedAlgorithmicMedia` one that a model varied besides, and
`trainedAlgorithmicMedia` one that a model made.

Prompt: "{prompt}". Size: {width} x {height} px. Seed: {seed}.

{num_views} of them are views of a real image as they are: turned, moved or lit otherwise, as far as
the images said that a good part may be. In the others, if any, a model varied the view besides.
`manifest.json` says which is which: `source_kind` is `view` or `varied`. Look at them before you
train: no guard finds every fault.
{shortfall}
| path | what |
|---|---|
| `{slug}/train/good/` | the generated images |
| `{slug}/train/metadata.csv` | one row an image: where it came from, its scores, its SHA-256 |
{reference_row}| `manifest.json` | the request, the prompt and its candidates, models, rejections |

`metadata.csv`: `file_name` is relative to `{slug}/train/`, `image_path` to `{slug}/`; `label` is
`normal` and `label_index` 0 throughout; `source` is the index of the input image that the image
is a view of; `prompt_cosine` is the cosine of image and prompt, higher is closer; `guard_distance`
is how far its worst patch lies from the real ones, 1 is where the guard begins to reject;
`nearest_distance`, in [0, 1], is the largest local difference to the image most like it, real or
generated, so that no two are alike.

All of this is equal, byte for byte, when the same request runs again with the same seed on the same
device with the same versions; only `run` in `manifest.json` (job id, times) differs.

## anomalib (2.x)

There is no test set here: every image is normal and for training. So both split modes are `none`.

```python
from anomalib.data import Folder
from anomalib.data.utils import TestSplitMode, ValSplitMode

datamodule = Folder(
    name="{slug}",
    root="{slug}",
    normal_dir="train/good",
    test_split_mode=TestSplitMode.NONE,
    val_split_mode=ValSplitMode.NONE,
)
```

```python
from anomalib.engine import Engine
from anomalib.models import Patchcore

engine = Engine(limit_val_batches=0)  # anomalib 2.7 asks for validation images otherwise
engine.fit(model=Patchcore(), datamodule=datamodule)
```

A model fitted without validation images has scores but no threshold: compare `pred_score`, not
`pred_label`.

With test images of your own, give `normal_test_dir` and `abnormal_dir` and set `test_split_mode` to
`TestSplitMode.FROM_DIR`: never split the generated images off as a test set.
`anomalib.data.Tabular.from_file(name="{slug}", file_path="{slug}/train/metadata.csv",
root="{slug}", test_split_mode="none", val_split_mode="none")` reads the table instead.

## Hugging Face datasets

```python
from datasets import load_dataset

dataset = load_dataset("imagefolder", data_dir="{slug}/train", split="train")
```

## FiftyOne

```python
import csv
import fiftyone as fo

dataset = fo.Dataset("{slug}")
with open("{slug}/train/metadata.csv", newline="") as file:
    for row in csv.DictReader(file):
        dataset.add_sample(
            fo.Sample(
                filepath="{slug}/" + row["image_path"],
                tags=[row["split"], "synthetic"],
                ground_truth=fo.Classification(label=row["label"]),
                guard_distance=float(row["guard_distance"]),
            )
        )
```
"""


def write_dataset_card(
    result: GenerationResult, request: GenerationRequest, *, slug: str, include_reference: bool
) -> str:
    """Markdown for the archive's top folder, without a date or any other fact of the run."""
    num_images, num_inputs = len(result.images), len(request.images)
    num_views = sum(image.kind == "view" for image in result.images)
    width, height = result.size
    shortfall = (
        f"\n{request.num_images} were asked for; the others that were made did not pass the "
        "normality guard. `manifest.json` counts the rejections by reason.\n"
        if num_images < request.num_images
        else ""
    )
    return CARD.format(
        slug=slug,
        num_images=num_images,
        num_views=num_views,
        num_inputs="1 real image" if num_inputs == 1 else f"{num_inputs} real images",
        object_name=" ".join(request.object_name.split()),
        prompt=" ".join(result.prompt.split()),
        width=width,
        height=height,
        seed=request.seed,
        shortfall=shortfall,
        reference_row=f"| `{slug}/reference/good/` | the real images, as they were used |\n"
        if include_reference
        else "",
    )
