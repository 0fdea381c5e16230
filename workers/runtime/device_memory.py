"""Tells, as long as the process lives, how much of its device's memory it takes."""

import logging
import time

import redis
import torch

from app.observability.live_workers import BEAT_EVERY_S, DeviceMemory, LiveWorkers

log = logging.getLogger("goodmany.worker")


def read_device_memory(device: torch.device) -> DeviceMemory:
    """The CUDA device's memory, as torch counts it in this process."""
    return DeviceMemory(
        device=str(device),
        allocated_bytes=torch.cuda.memory_allocated(device),
        reserved_bytes=torch.cuda.memory_reserved(device),
        total_bytes=torch.cuda.get_device_properties(device).total_memory,
    )


def report_device_memory(workers: LiveWorkers, worker_name: str, device: torch.device) -> None:
    """Reports again and again; never returns, and goes on when Redis is away for a while."""
    while True:
        try:
            workers.note_device_memory(worker_name, read_device_memory(device))
        except redis.exceptions.RedisError as error:
            log.debug("device memory is not reported: %s", error)
        time.sleep(BEAT_EVERY_S)
