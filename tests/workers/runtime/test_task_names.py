"""The names that may stand in a queue."""

from pkgutil import resolve_name

from app.jobs.queues.enqueue import DELIVER, FIND_WORDS
from app.jobs.store import TASK
from workers.runtime.task_names import (
    FORMER_NAMES,
    GENERATION_TASKS,
    WEBHOOK_TASKS,
    WORDS_TASKS,
)


def test_each_queue_has_one_task_under_its_names_of_today_and_before():
    for task, names in (
        (TASK, GENERATION_TASKS),
        (FIND_WORDS, WORDS_TASKS),
        (DELIVER, WEBHOOK_TASKS),
    ):
        assert set(names.values()) == {task}
        assert set(names) - {task} == {old for old, new in FORMER_NAMES.items() if new == task}
        assert len(names) == 2


def test_every_task_is_a_function_that_is_there():
    for task in FORMER_NAMES.values():
        module, _, function = task.rpartition(".")
        assert callable(resolve_name(f"{module}:{function}"))
