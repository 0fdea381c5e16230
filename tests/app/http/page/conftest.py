"""A browser, and a whole service whose jobs take a moment."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app.settings import Settings
from tests.conftest import encode, missing_tool, served, texture, wait_until
from tests.docs.conftest import QUICK_WORKER
from workers.serve.api_server import ApiServer
from workers.serve.service import EmbeddedService

PATIENCE_MS = 240_000
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
OpenPage = Callable[..., Page]


@dataclass(frozen=True)
class Service:
    """One that is ready.

    Attributes:
        address: of its page.
        settings: of all its parts.
        http: a client of it.
    """

    address: str
    settings: Settings
    http: httpx2.Client

    @contextmanager
    def other(self, **changes: object) -> Iterator[str]:
        """The address of another API of the same service."""
        with served(self.settings.model_copy(update=changes)) as client:
            yield f"{client.base_url}"

    def submit(self, name: str, num_images: int = 4, num_apart: int = 0, **fields: str) -> str:
        """The id of a job of two images, and of others by which it is judged."""
        files = [("images", (f"{n}.png", encode(texture(seed=n)))) for n in range(2)]
        for seed in range(2, 2 + num_apart):
            files.append(("held_out_images", (f"{seed}.png", encode(texture(seed=seed)))))
        answer = self.http.post(
            "/v1/jobs",
            data={"object_name": name, "num_images": str(num_images), **fields},
            files=files,
        )
        return str(answer.raise_for_status().json()["id"])

    def finish(self, name: str, num_images: int = 4, num_apart: int = 0, **fields: str) -> str:
        """The id of a job that is over."""
        job_id = self.submit(name, num_images, num_apart, **fields)
        here = f"/v1/jobs/{job_id}"
        wait_until(lambda: self.http.get(here, headers={"Prefer": "wait=30"}).json()["ended_at"])
        return job_id


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("page") / "data"
    settings = Settings(data_dir=folder, shutdown_grace_s=1)
    with EmbeddedService(settings, QUICK_WORKER) as running:
        server = ApiServer(running.settings, "127.0.0.1", 0, running.fault)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [server.socket]})
        thread.start()
        try:
            wait_until(running.is_ready)
            with httpx2.Client(base_url=server.address, timeout=90) as client:
                wait_until(lambda: client.get("/v1/prompts?object_name=nut").is_success)
                yield Service(f"{server.address}/", running.settings, client)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        missing_tool("chromium is not installed: the page is not looked at")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, service: Service) -> Iterator[OpenPage]:
    """Opens a page that must not complain; what the network tells is no complaint."""
    complaints: list[str] = []
    contexts = []

    def open_page(path: str = "", address: str | None = None, **options: object) -> Page:
        context = browser.new_context(accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"{address or service.address}{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [text for text in complaints if not text.startswith("Failed to load resource")] == []


@pytest.fixture(scope="module")
def good_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("good")
    paths = [folder / f"nut-{number}.png" for number in range(2)]
    for number, path in enumerate(paths):
        path.write_bytes(encode(texture((96, 64), seed=number)))
    return paths


def violations(page: Page) -> Iterator[str]:
    """What axe finds, in a line each."""
    found = Axe().run(page).response
    assert len(found["passes"]) > 5
    for violation in found["violations"]:
        places = ", ".join(str(node["target"]) for node in violation["nodes"])
        yield f"{violation['id']}: {violation['help']}: {places}"
