"""Time and memory of one piece of work in this process."""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch

Clock = Callable[[], float]
CLOCKS: dict[str, Clock] = {"wall": time.perf_counter, "cpu": time.process_time}
STATUS, RESET_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass
class Cost:
    """Of a block of code, when it has ended.

    Attributes:
        seconds: by the clock.
        peak_bytes: largest resident size of the process meanwhile, all that it held before too.
        device_peak_bytes: most memory that tensors took on the device; 0 on the CPU.
    """

    seconds: float = 0.0
    peak_bytes: int = 0
    device_peak_bytes: int = 0


@contextmanager
def measured(device: torch.device, clock: Clock) -> Iterator[Cost]:
    """Measures the block."""
    cost = Cost()
    # Where the kernel forgets no peak, it is the largest since the process began.
    with suppress(OSError):
        RESET_PEAK.write_text("5")
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    finish(device)
    start = clock()
    yield cost
    finish(device)
    cost.seconds = clock() - start
    cost.peak_bytes = peak_bytes()
    if device.type == "cuda":
        cost.device_peak_bytes = torch.cuda.max_memory_allocated(device)


def finish(device: torch.device) -> None:
    """Waits for what the device is still to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_bytes() -> int:
    """Largest resident size of this process since the peak was reset."""
    with suppress(OSError):
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
