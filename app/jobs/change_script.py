"""The one way in which a job's record changes, as a script that Redis runs without a break.

Each change has an id, which stays on the record: when the answer got lost and the client asks
again, nothing is done a second time.
"""

from app.jobs.metrics import NOTE_TRANSITION
from app.jobs.model import JobState

MAX_EVENTS = 1000
# Where each change is told as "<job id> <state>"; `news.py` listens.
NEWS_CHANNEL = "goodmany:news"

# KEYS: record, events, expiry, outbox. ARGV: allowed states (JSON list), attempt that must hold the
# job or "", fields to set (JSON object of strings), job id, its next time in the expiry set or "",
# the change's id. Returns the state before, "" when there is no record, and whether the fields were
# set. Of a change that was made already, the state before is the state after. A state that is not
# known here, another version's, counts as `read_state` has it.
CHANGE = (
    NOTE_TRANSITION
    + """
if redis.call('EXISTS', KEYS[1]) == 0 then return {'', 0} end
local before = redis.call('HGET', KEYS[1], 'state')
if not ({$STATES})[before or ''] then
  local ended_at = redis.call('HGET', KEYS[1], 'ended_at')
  before = ended_at and ended_at ~= '' and 'failed' or 'running'
end
if redis.call('HGET', KEYS[1], 'change') == ARGV[6] then return {before, 1} end
local allowed = false
for _, state in ipairs(cjson.decode(ARGV[1])) do
  if state == before then allowed = true end
end
if ARGV[2] ~= '' and redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[2] then allowed = false end
if not allowed then return {before, 0} end
local fields = cjson.decode(ARGV[3])
for field, value in pairs(fields) do redis.call('HSET', KEYS[1], field, value) end
redis.call('HSET', KEYS[1], 'change', ARGV[6])
note_transition(KEYS[1], ARGV[4], before)
local names = {'state', 'stage', 'percent', 'prompt', 'num_images'}
local event = {}
for i, value in ipairs(redis.call('HMGET', KEYS[1], unpack(names))) do
  table.insert(event, names[i])
  table.insert(event, value or '')
end
if ARGV[5] ~= '' then redis.call('ZADD', KEYS[3], ARGV[5], ARGV[4]) end
if fields['ended_at'] then
  if redis.call('HEXISTS', KEYS[1], 'callback_url') == 1 then
    redis.call('RPUSH', KEYS[4], ARGV[4])
  end
  local owner = redis.call('HGET', KEYS[1], 'owner') or ''
  local unfinished = 'goodmany:unfinished'
  if owner ~= '' then unfinished = unfinished .. ':' .. owner end
  redis.call('SREM', unfinished, ARGV[4])
end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', '%d', '*', unpack(event))
redis.call('PUBLISH', '$NEWS', ARGV[4] .. ' ' .. redis.call('HGET', KEYS[1], 'state'))
return {before, 1}
""".replace("%d", str(MAX_EVENTS))
    .replace("$NEWS", NEWS_CHANNEL)
    .replace("$STATES", ", ".join(f"{state} = true" for state in JobState))
)

# KEYS: RQ's record of the job and its results, the queues. ARGV: job id. Whoever takes the id out
# of a list owns the job: no worker will ever see it. To be called again does no harm.
DEQUEUE = """
for n = 3, #KEYS do
  if redis.call('LREM', KEYS[n], 0, ARGV[1]) > 0 then redis.call('DEL', KEYS[1], KEYS[2]) end
end
"""
