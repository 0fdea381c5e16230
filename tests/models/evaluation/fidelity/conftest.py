"""A category with enough good images for two halves, and the networks."""

import pytest

from models.evaluation.data.dataset import Category, read_dataset
from models.evaluation.detector.networks import Network, load_networks
from tests.models.evaluation.conftest import paint_category


@pytest.fixture(scope="session")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Category:
    folder = paint_category(tmp_path_factory.mktemp("many") / "tile", num_train=15)
    return read_dataset(str(folder))[0]


@pytest.fixture(scope="session")
def networks() -> list[Network]:
    return load_networks()
