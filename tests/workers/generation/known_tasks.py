"""What the tests' workers may be asked for: the real task, and the jobs that go wrong."""

from tests.workers.generation import job_functions
from workers.runtime.task_names import GENERATION_TASKS, tasks_by_name

FUNCTIONS = [f"{job_functions.__name__}.{name}" for name in vars(job_functions)]
TASKS = {**GENERATION_TASKS, **tasks_by_name("tests.contract.small_job.run", *FUNCTIONS)}
