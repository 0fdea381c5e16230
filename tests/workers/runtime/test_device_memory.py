"""What a worker tells of its device's memory."""

import pytest
import torch

from workers.runtime.device_memory import read_device_memory


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_tensor_shows():
    device = torch.device("cuda")
    before = read_device_memory(device)
    tensor = torch.zeros(2**22, dtype=torch.uint8, device=device)
    after = read_device_memory(device)
    assert after.allocated_bytes - before.allocated_bytes == tensor.nbytes
    assert after.allocated_bytes <= after.reserved_bytes <= after.total_bytes
    assert after.device == "cuda"
