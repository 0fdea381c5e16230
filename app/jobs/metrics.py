"""What is counted of jobs, wherever they are worked on, and how a scrape reads it from Redis.

goodmany:metrics   hash: see `app/observability/shared_metrics.py`
goodmany:states    sorted set of all job ids, the score being the state's place in `JobState`
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

import redis
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.client import Pipeline

from app.jobs.deliveries import DELIVERIES
from app.jobs.model import JobState
from app.observability.live_workers import DeviceMemory, LiveWorkers
from app.observability.shared_metrics import (
    ABOVE,
    BUCKETS_S,
    METRICS_KEY,
    SUM,
    SharedCounter,
    SharedHistogram,
    read_values,
)

STATES_KEY = "goodmany:states"
BEFORE_THE_FIRST = "none"

TRANSITIONS = SharedCounter(
    "goodmany_job_transitions",
    "Changes of a job's state.",
    ("from_state", "to_state"),
    from_zero=(
        (BEFORE_THE_FIRST, JobState.queued),
        (JobState.queued, JobState.running),
        (JobState.queued, JobState.canceled),
        (JobState.running, JobState.queued),
        *((JobState.running, end) for end in (JobState.succeeded, JobState.failed)),
        (JobState.running, JobState.canceled),
    ),
)
STATE_DURATIONS = SharedHistogram(
    "goodmany_job_state_duration_seconds",
    "How long jobs were in a state before the next one: queued is waiting, running is working.",
    ("state", "next_state"),
)
STAGE_DURATIONS = SharedHistogram(
    "goodmany_stage_duration_seconds", "How long a stage took in jobs that succeeded.", ("stage",)
)
IMAGES_MADE = SharedCounter(
    "goodmany_images_made", "Images in the archives of jobs.", (), from_zero=((),)
)
IMAGES_REJECTED = SharedCounter(
    "goodmany_images_rejected", "Images that the normality guard kept out of archives.", ("reason",)
)
SHARED = (
    TRANSITIONS,
    STATE_DURATIONS,
    STAGE_DURATIONS,
    IMAGES_MADE,
    IMAGES_REJECTED,
    DELIVERIES,
)

# A Lua function for the script that changes a record: to be called when its fields are set.
NOTE_TRANSITION = (
    """
local function note_transition(record, job_id, before)
  local after = redis.call('HGET', record, 'state')
  if after == before then return end
  local time = redis.call('TIME')
  local now = time[1] + time[2] / 1000000
  local since = tonumber(redis.call('HGET', record, 'state_since') or now) or now
  local seconds = math.max(0, now - since)
  redis.call('HSET', record, 'state_since', string.format('%.6f', now))
  redis.call('ZADD', '$STATES', ({$PLACES})[after], job_id)
  local function add(...)
    redis.call('HINCRBY', '$METRICS', cjson.encode({...}), 1)
  end
  add('$TRANSITIONS', before, after)
  local bucket = '$ABOVE'
  for _, bound in ipairs({$BUCKETS}) do
    if seconds <= tonumber(bound) then
      bucket = bound
      break
    end
  end
  add('$DURATIONS', before, after, bucket)
  local sum = cjson.encode({'$DURATIONS', before, after, '$SUM'})
  redis.call('HINCRBYFLOAT', '$METRICS', sum, string.format('%.6f', seconds))
end
""".replace("$STATES", STATES_KEY)
    .replace("$PLACES", ", ".join(f"{state} = {n}" for n, state in enumerate(JobState)))
    .replace("$METRICS", METRICS_KEY)
    .replace("$TRANSITIONS", TRANSITIONS.name)
    .replace("$DURATIONS", STATE_DURATIONS.name)
    .replace("$BUCKETS", ", ".join(f"'{bound}'" for bound in BUCKETS_S))
    .replace("$ABOVE", ABOVE)
    .replace("$SUM", SUM)
)


def note_creation(pipeline: Pipeline, job_id: str) -> None:
    """Counts a new job; its record needs `state_since`, a time in seconds."""
    pipeline.zadd(STATES_KEY, {job_id: 0})
    TRANSITIONS.count(pipeline, BEFORE_THE_FIRST, JobState.queued)


class JobCollector(Collector):
    """Reads everything in two round trips, however many jobs there are.

    Args:
        connection: to Redis.
        queue_keys: where each queue lies, by its name.
        workers: which workers live.
    """

    def __init__(
        self, connection: redis.Redis, queue_keys: Mapping[str, str], workers: LiveWorkers
    ):
        self.connection, self.queue_keys, self.workers = connection, queue_keys, workers

    def collect(self) -> Iterator[Metric]:
        """The metrics of this moment; without Redis only that it is away."""
        redis_up = GaugeMetricFamily("goodmany_redis_up", "Whether Redis answers.")
        try:
            found = list(self._read())
        except redis.exceptions.RedisError:
            found = []
        redis_up.add_metric([], 1 if found else 0)
        yield redis_up
        yield from found

    def _read(self) -> Iterator[Metric]:
        with self.connection.pipeline(transaction=False) as pipeline:
            for key in self.queue_keys.values():
                pipeline.llen(key)
            for place, _ in enumerate(JobState):
                pipeline.zcount(STATES_KEY, place, place)
            pipeline.hgetall(METRICS_KEY)
            *counts, raw = pipeline.execute()
        num_queues = len(self.queue_keys)
        yield _gauge(
            "goodmany_queue_jobs",
            "Jobs that wait in a queue.",
            "queue",
            zip(self.queue_keys, counts[:num_queues], strict=True),
        )
        yield _gauge(
            "goodmany_jobs",
            "Jobs whose record is kept.",
            "state",
            zip(JobState, counts[num_queues:], strict=True),
        )
        memory = self.workers.device_memory()
        live = GaugeMetricFamily("goodmany_workers", "Live workers with their models loaded.")
        live.add_metric([], len(memory))
        yield live
        yield from _memory_gauges(memory)
        values = read_values(cast(dict[bytes, bytes], raw))
        for metric in SHARED:
            yield metric.family(values)


def _gauge(
    name: str, description: str, label: str, values: Iterable[tuple[str, float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, description, labels=[label])
    for value, number in values:
        family.add_metric([value], number)
    return family


def _memory_gauges(memory: Mapping[str, DeviceMemory | None]) -> Iterator[GaugeMetricFamily]:
    """Of the workers that have a device with memory of its own."""
    for kind, description in (
        ("allocated", "Device memory in tensors."),
        ("reserved", "Device memory held by the process, in tensors or not."),
        ("total", "Memory of the device."),
    ):
        family = GaugeMetricFamily(
            f"goodmany_device_memory_{kind}_bytes", description, labels=["worker", "device"]
        )
        for worker, amounts in memory.items():
            if amounts is not None:
                family.add_metric([worker, amounts.device], getattr(amounts, f"{kind}_bytes"))
        yield family
