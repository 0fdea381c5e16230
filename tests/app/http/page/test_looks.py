"""How the page looks, and whether everybody can use it; its pictures go to `build/screenshots`."""

from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, expect

from app.http.page.page import FILES, FOLDER, INDEX, PAGE_PATHS
from tests.app.http.page.conftest import OpenPage, Service, violations
from tests.app.http.page.driving import CHOOSER, cancel, progress
from tests.app.http.test_zip_uploads import zipped
from tests.conftest import encode, texture, wait_until
from tests.workers.generation.quick_pipeline import FAILING

SHOTS = Path(__file__).parents[4] / "build" / "screenshots"
MAX_BYTES = 100_000


@pytest.fixture(scope="module")
def jobs(service: Service) -> dict[str, str]:
    """A job that is done, one that failed."""
    return {"done": service.finish("steel nut", num_apart=7), "failed": service.finish(FAILING)}


def show_new(page: Page, _: dict[str, str]) -> None:
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def show_filled(page: Page, _: dict[str, str]) -> None:
    files = [
        {"name": f"nut-{n}.png", "mimeType": "image/png", "buffer": encode(texture((96, 64), n))}
        for n in range(2)
    ]
    page.set_input_files(CHOOSER, files)
    page.get_by_label("What do they show?").fill("nut")
    expect(page.locator(".words")).to_contain_text("screw thread")
    expect(page.locator(".family").first).to_be_visible()
    for closed in page.locator("summary").all():
        closed.click()


def show_apart(page: Page, _: dict[str, str]) -> None:
    files = [
        {"name": f"nut-{n}.png", "mimeType": "image/png", "buffer": encode(texture((96, 64), n))}
        for n in range(7)
    ]
    packed = zipped(line_3__a=encode(texture((96, 64), 8)), line_3__b=encode(texture((96, 64), 1)))
    files.append({"name": "more.zip", "mimeType": "application/zip", "buffer": packed})
    page.set_input_files(CHOOSER, files)
    page.get_by_role("button", name="Keep every second one apart").click()
    page.get_by_role("checkbox", name="Keep apart image 8").uncheck()
    page.get_by_text("2 images").click()
    expect(page.locator(".inputs .apart")).to_have_count(3)


def show_fault(page: Page, _: dict[str, str]) -> None:
    page.get_by_role("button", name="Make images").click()
    expect(page.get_by_role("alert")).to_be_visible()


def see_all(page: Page) -> None:
    """An image is loaded when it comes into sight."""
    for image in page.locator(".tile img").all():
        image.scroll_into_view_if_needed()
        expect(image).not_to_have_class("loading")


def show_done(page: Page, jobs: dict[str, str]) -> None:
    page.evaluate(f"location.hash = '#/jobs/{jobs['done']}'")
    expect(page.get_by_role("button", name="Download ZIP")).to_be_visible()
    page.get_by_text("kept apart that no new image").click()
    page.get_by_text("Why these may differ").click()
    see_all(page)


def show_large(page: Page, jobs: dict[str, str]) -> None:
    show_done(page, jobs)
    page.get_by_role("button", name="New image 2, large").click()
    page.get_by_role("slider").fill("40")
    expect(page.locator(".stage img").first).not_to_have_class("loading")


def show_failed(page: Page, jobs: dict[str, str]) -> None:
    page.evaluate(f"location.hash = '#/jobs/{jobs['failed']}'")
    expect(page.get_by_role("alert")).to_be_visible()
    see_all(page)


def show_past(page: Page, _: dict[str, str]) -> None:
    page.evaluate("location.hash = '#/jobs'")
    expect(page.get_by_role("link", name="steel nut", exact=True)).to_be_visible()
    see_all(page)


def show_question(page: Page, _: dict[str, str]) -> None:
    show_past(page, _)
    page.get_by_role("button", name="Delete steel nut").click()


def show_report(page: Page, jobs: dict[str, str]) -> None:
    page.goto(f"{page.url}v1/jobs/{jobs['done']}/report")
    expect(page.get_by_role("img", name="Rejected image 1")).to_be_visible()


VIEWS: dict[str, Callable[[Page, dict[str, str]], None]] = {
    "new": show_new,
    "filled": show_filled,
    "apart": show_apart,
    "fault": show_fault,
    "done": show_done,
    "large": show_large,
    "failed": show_failed,
    "past": show_past,
    "question": show_question,
    "report": show_report,
}


@pytest.mark.browser
# What is cut off depends on the width alone, contrast on the colours alone.
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    width: int, scheme: str, open_page: OpenPage, service: Service, jobs: dict[str, str]
):
    SHOTS.mkdir(parents=True, exist_ok=True)
    viewport = {"width": width, "height": 800}
    page = open_page(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    found = []
    for name, show in VIEWS.items():
        page.goto("about:blank")
        page.goto(service.address)
        show(page, jobs)
        page.screenshot(path=SHOTS / f"{name}-{width}-{scheme}.png", full_page=name != "large")
        found += [f"{name}: {line}" for line in violations(page)]
        cut = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found += [f"{name}: {cut} px beyond the window"] if cut > 0 else []
    assert found == []


@pytest.mark.browser
def test_at_twice_the_size_nothing_is_cut_off(
    open_page: OpenPage, service: Service, jobs: dict[str, str]
):
    # A window of 1280 px at 200 % has room for 640.
    page = open_page(viewport={"width": 640, "height": 400}, device_scale_factor=2)
    for show in (show_filled, show_done, show_large):
        page.goto("about:blank")
        page.goto(service.address)
        show(page, jobs)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.browser
def test_progress_is_told_to_screen_readers(open_page: OpenPage, service: Service):
    page = open_page(f"#/jobs/{service.submit('nut', 1000)}")
    wait_until(lambda: progress(page) > 1)
    expect(page.get_by_role("status")).to_contain_text("percent")
    page.screenshot(path=SHOTS / "run-1280-light.png", full_page=True)
    assert list(violations(page)) == []
    cancel(page)


@pytest.mark.browser
def test_it_asks_no_other_server_and_is_light(open_page: OpenPage, service: Service):
    page = open_page()
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert all(url.startswith(service.address) for url in urls)
    sizes = {url: len(service.http.get(url).content) for url in urls}
    assert sum(sizes.values()) < MAX_BYTES
    # Nothing is loaded that is loaded by something that is loaded: one round after the HTML.
    scripts = {path.name for path in FOLDER.glob("*.js")}
    assert {url.rpartition("/")[2] for url in sizes if url.endswith(".js")} == scripts
    html = (FOLDER / INDEX).read_text()
    assert all(f'"page/{name}"' in html for name in scripts)


def test_the_files_are_there_for_everybody_and_no_others(api: httpx2.Client):
    assert {path.name for path in FOLDER.iterdir()} == {INDEX, *FILES}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MAX_BYTES
    for path in PAGE_PATHS:
        answer = api.get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-cache"
        again = api.get(path, headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == (200 if path == "/" else 304)
    for path in ("/page/", "/page/page.py", "/page/../page.py", "/page/%2e%2e/page.py"):
        assert api.get(path).status_code == 404


def test_the_policy_lets_it_run_its_own_scripts_and_no_others(api: httpx2.Client):
    policy = api.get("/").headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert not any("unsafe" in part or "//" in part for part in policy)
