"""The tasks that a worker may be asked for, by the names that stand in a queue.

An entry of a queue names its function as a string, and whoever can write to Redis can write any. No
name is imported that is not one of these. An entry that has waited since an older version names its
task as that version did, and is worked on all the same.
"""

from collections.abc import Mapping
from types import MappingProxyType

from app.jobs.queues.enqueue import DELIVER, FIND_WORDS, SHOW_VIEWS
from app.jobs.store import TASK

# Names of 0.1; they are known until 0.3.
FORMER_NAMES = MappingProxyType(
    {
        "workers.tasks.run_job": TASK,
        "workers.prompt_words.find_words": FIND_WORDS,
        "workers.webhook_delivery.deliver": DELIVER,
    }
)


def tasks_by_name(*tasks: str) -> Mapping[str, str]:
    """The function of each name that one of these tasks has, or had."""
    former = {name: task for name, task in FORMER_NAMES.items() if task in tasks}
    return MappingProxyType({**{task: task for task in tasks}, **former})


GENERATION_TASKS = tasks_by_name(TASK)
WORDS_TASKS = tasks_by_name(FIND_WORDS)
WEBHOOK_TASKS = tasks_by_name(DELIVER)
VIEWS_TASKS = tasks_by_name(SHOW_VIEWS)
