"""Keys take turns: whoever has many jobs in a queue does not keep the others waiting behind them.

A queue is a list of which workers take the first, so that a job changes hands in one step. What is
fair is therefore settled when a job comes in: the n-th job of one key stands before the (n + 1)-th
jobs of all others. A job that is being worked on counts as its key's first. Within one key, and
where nobody has a key, the order is that of coming in.

Jobs that come back (their worker died) stand in front of all, as they always did.
"""

from redis.client import Pipeline
from rq import Queue

from app.jobs.keys import unfinished_key
from app.jobs.metrics import STATES_KEY
from app.jobs.model import JobState

# In a longer queue a new job stays at the end: looking through it would hold up everybody.
MAX_WAITING = 2000
LAST_OPEN = list(JobState).index(JobState.running)

# KEYS: queue, RQ's registry of started jobs, unfinished jobs of the owner, states of all jobs.
# ARGV: job id, owner, score of the last open state, how long a queue is looked through. The job is
# the last in the queue.
TAKE_PLACE = """
local unfinished = redis.call('ZCOUNT', KEYS[4], 0, ARGV[3])
if unfinished == redis.call('SCARD', KEYS[3]) then return end
local length = redis.call('LLEN', KEYS[1])
if length > tonumber(ARGV[4]) then return end
local turns = {}
local function turn_of(job_id)
  local owner = redis.call('HGET', 'goodmany:job:' .. job_id, 'owner') or ''
  turns[owner] = (turns[owner] or 0) + 1
  return turns[owner]
end
for _, entry in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  turn_of(string.match(entry, '^[^:]*'))
end
local waiting = redis.call('LRANGE', KEYS[1], 0, length - 2)
local places = {}
for n, job_id in ipairs(waiting) do places[n] = turn_of(job_id) end
local own = (turns[ARGV[2]] or 0) + 1
for n, turn in ipairs(places) do
  if turn > own then
    redis.call('LREM', KEYS[1], -1, ARGV[1])
    redis.call('LINSERT', KEYS[1], 'BEFORE', waiting[n], ARGV[1])
    return
  end
end
"""


def take_place(pipeline: Pipeline, queue: Queue, job_id: str, owner: str) -> None:
    """Moves a job that has just been queued, in the same transaction, to where its turn is.

    Args:
        pipeline: the transaction; the job's record and its place in the indexes are written before.
        queue: the job is its last.
        job_id: of the job.
        owner: whose it is.
    """
    keys = [queue.key, queue.started_job_registry.key, unfinished_key(owner), STATES_KEY]
    pipeline.eval(TAKE_PLACE, len(keys), *keys, job_id, owner, str(LAST_OPEN), str(MAX_WAITING))
