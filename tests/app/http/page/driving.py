"""What several tests do at the page."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.app.http.page.conftest import Service

CHOOSER = "input[multiple]:not([webkitdirectory])"


def heading(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def ask(page: Page, files: list[Path], name: str, num_images: int = 4) -> None:
    """Fills in what a job needs."""
    page.set_input_files(CHOOSER, files)
    page.get_by_label("What do they show?").fill(name)
    page.get_by_label("New images").fill(str(num_images))


def send(page: Page) -> None:
    page.get_by_role("button", name="Make images").click()


def expect_done(page: Page) -> None:
    expect(page.get_by_role("button", name="Download ZIP")).to_be_visible()


def request_of(page: Page, service: Service) -> dict[str, Any]:
    """What the job that is shown was asked for."""
    job_id = page.url.rpartition("/")[2]
    request: dict[str, Any] = service.http.get(f"/v1/jobs/{job_id}").json()["request"]
    return request


def progress(page: Page) -> float:
    """How far the job that is shown is, in percent."""
    return float(page.get_by_role("progressbar").evaluate("bar => bar.value"))


def cancel(page: Page) -> None:
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("main")).to_contain_text("Canceled")
