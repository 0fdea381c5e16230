"""A worker as `goodmany worker` runs it, without models; a process of its own."""

from app.redis_connection import connect
from app.settings import Settings
from workers.worker import WarmWorker

if __name__ == "__main__":
    settings = Settings()
    loader = "tests.workers.job_functions:load_nothing"
    WarmWorker(settings, connect(settings.redis_url), loader=loader).work()
