"""The documentation page in a real browser that reaches no other server."""

import shutil
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from app.http.openapi.docs_page import ICON_PATH, SCRIPT_PATH, STYLE_PATH
from tests.conftest import missing_tool

PATIENCE_MS = 60_000
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture
def page() -> Iterator[Page]:
    chromium = shutil.which("chromium")
    if chromium is None:
        missing_tool("chromium is not installed: the page is not looked at")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        yield page
        browser.close()


def test_the_files_of_the_page_are_there_for_everybody(api: httpx2.Client):
    for path, kind in ((SCRIPT_PATH, "javascript"), (STYLE_PATH, "css"), (ICON_PATH, "image/png")):
        answer = api.get(path)
        assert answer.status_code == 200
        assert kind in answer.headers["content-type"]
        assert path in api.get("/docs").text


@pytest.mark.browser
def test_the_page_shows_the_api_and_calls_it_without_any_other_server(
    api: httpx2.Client, page: Page
):
    expect.set_options(timeout=PATIENCE_MS)
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{api.base_url}/docs")
    expect(page.locator("#operations-jobs-create_job")).to_be_visible()
    alive = page.locator("#operations-health-get_liveness")
    alive.click()
    alive.get_by_role("button", name="Try it out").click()
    alive.get_by_role("button", name="Execute").click()
    expect(alive.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    here = str(api.base_url).rstrip("/")
    assert {url for url in asked if not url.startswith((here, "data:"))} == set()
    assert f"{here}/livez" in asked
    assert complaints == []
