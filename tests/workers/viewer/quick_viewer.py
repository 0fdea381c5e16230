"""A viewer as the service starts it, whose answers are made up at once: it needs no torch.

python -m tests.workers.viewer.quick_viewer
"""

import base64
import io

from PIL import Image

from app.base.redis_connection import connect
from app.files.storage import Storage
from app.http.view_families import ViewFamily
from app.jobs.model import Invariance
from app.jobs.queues.enqueue import SHOW_VIEWS, VIEWS_QUEUE
from app.settings import Settings
from workers.runtime.light_worker import LightWorker


def main() -> None:
    connection = connect(Settings().redis_url, patience_s=60)
    LightWorker(VIEWS_QUEUE, {SHOW_VIEWS: f"{__spec__.name}.show_views"}, connection, 60).work()


def show_views(question_id: str, bits: list[int], image_size: int | None) -> list[object]:
    storage = Storage(Settings().storage_address)
    assert len(storage.names(question_id, "inputs")) == len(bits)
    file = io.BytesIO()
    Image.new("RGB", (min(192, image_size or 192),) * 2).save(file, "JPEG")
    url = f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
    return [
        ViewFamily(
            name=name, title="Other", belief=0.5, chosen=False, reason="So it is.", images=[url]
        ).model_dump(mode="json")
        for name in Invariance
    ]


if __name__ == "__main__":
    main()
