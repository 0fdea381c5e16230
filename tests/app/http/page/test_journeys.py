"""What people do at the page, in a real browser against a real service."""

import json
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import FileChooser, expect

from app.access.api_keys import ApiKeys
from app.base.redis_connection import connect
from app.jobs.model import JobState
from tests.app.http.page.conftest import OpenPage, Service, violations
from tests.app.http.page.driving import (
    ask,
    cancel,
    expect_done,
    heading,
    progress,
    send,
)
from tests.conftest import wait_until
from tests.workers.generation.quick_pipeline import FAILING

pytestmark = pytest.mark.browser


def test_a_whole_job(open_page: OpenPage, service: Service, good_files: list[Path]):
    page = open_page()
    ask(page, good_files, "metal nut", 4)
    expect(page.locator(".inputs canvas")).to_have_count(2)
    expect(page.locator(".words")).to_contain_text("screw thread")
    send(page)
    expect_done(page)
    assert heading(page) == "metal nut"
    assert page.evaluate("document.activeElement.tagName") == "H1"
    new = page.get_by_role("button", name="New image")
    expect(new).to_have_count(4)
    expect(page.locator(".rejected")).to_have_count(2)
    expect(page.locator(".rejected .mark")).to_have_count(1)
    page.get_by_text("Why these may differ").click()
    expect(page.locator("main")).to_contain_text("Yes: moved. It lies elsewhere in each image.")
    expect(page.locator("main")).to_contain_text("In 35 % of the images: any angle. It may")
    expect(page.locator("main")).to_contain_text("No: larger or smaller. It is always")
    # Every picture is there.
    for image in page.locator(".tile img").all():
        image.scroll_into_view_if_needed()
        expect(image).not_to_have_class("loading")
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    page.get_by_role("checkbox", name="Image 2: keep it").uncheck()
    page.get_by_role("checkbox", name="Image 4: keep it").uncheck()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download ZIP without 2 images").click()
    assert download.value.suggested_filename.endswith("-without-2.zip")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        names = [name for name in archive.namelist() if name.endswith(".png")]
        assert names == ["metal_nut/train/good/000.png", "metal_nut/train/good/002.png"]
        assert json.loads(archive.read("manifest.json"))["num_images"] == 2


def test_the_large_view_by_keys(open_page: OpenPage, service: Service):
    page = open_page(f"#/jobs/{service.finish('nut')}")
    opener = page.get_by_role("button", name="New image 2, large")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Large view")
    expect(dialog).to_contain_text("New image 2 of 4")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    expect(dialog).to_contain_text("New image 3 of 4")
    expect(dialog.get_by_role("checkbox")).not_to_be_checked()
    slider = dialog.get_by_role("slider")
    slider.focus()
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "100 %")
    clips = dialog.locator(".stage img:nth-child(2)")
    expect(clips).to_have_css("clip-path", "inset(0px 0% 0px 0px)")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()
    expect(page.get_by_role("button", name="Download ZIP without 1 image")).to_be_visible()


def test_a_reload_in_the_middle_goes_on(open_page: OpenPage, service: Service):
    page = open_page(f"#/jobs/{service.submit('nut', 1000)}")
    wait_until(lambda: progress(page) > 2)
    before = progress(page)
    page.reload()
    wait_until(lambda: progress(page) > before)
    expect(page.locator("[aria-current=step]")).to_have_text("Making images")
    cancel(page)


def test_two_tabs_see_one_job_and_one_of_them_cancels_it(open_page: OpenPage, service: Service):
    first_job = service.submit("nut", 400)
    waiting = service.submit("bolt", 400)
    page = open_page(f"#/jobs/{waiting}")
    expect(page.locator("main")).to_contain_text("Next in the queue.")
    other = page.context.new_page()
    other.goto(page.url)
    page.get_by_role("button", name="Cancel").click()
    for tab in (page, other):
        expect(tab.locator("main")).to_contain_text("Canceled")
    other.goto(f"{service.address}#/jobs/{first_job}")
    cancel(other)


def test_a_job_that_fails_says_why_and_can_be_repeated(open_page: OpenPage, service: Service):
    page = open_page(f"#/jobs/{service.finish(FAILING, seed='7')}")
    expect(page.get_by_role("alert")).to_contain_text("0 of 4 images passed")
    page.get_by_role("link", name="Try again with changes").click()
    expect(page.locator(".inputs canvas")).to_have_count(2)
    expect(page.get_by_label("What do they show?")).to_have_value(FAILING)
    page.get_by_text("More", exact=True).click()
    expect(page.get_by_role("spinbutton", name="Seed")).to_have_value("7")


def test_what_is_not_there_is_said(open_page: OpenPage, service: Service):
    page = open_page(f"#/jobs/{'0' * 32}")
    expect(page.get_by_role("alert")).to_contain_text("There is no job")
    page.goto(f"{service.address}#/nowhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")


def test_past_jobs_are_found_repeated_and_deleted(open_page: OpenPage, service: Service):
    service.finish("washer")
    service.finish("gasket")
    page = open_page("#/jobs")
    expect(page.get_by_role("link", name="gasket", exact=True)).to_be_visible()
    page.get_by_label("Whole name").fill("washer")
    page.keyboard.press("Enter")
    tiles = page.locator(".jobs .tile")
    expect(tiles).to_have_count(1)
    expect(tiles.locator("img")).not_to_have_class("loading")
    page.get_by_label("State").select_option("Failed")
    expect(page.get_by_text("No job is like that.")).to_be_visible()
    page.get_by_label("State").select_option("Done")
    page.get_by_role("button", name="Delete washer").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    expect(tiles).to_have_count(1)
    page.get_by_role("button", name="Delete washer").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(tiles).to_have_count(0)
    found = service.http.get("/v1/jobs?object_name=washer").json()["items"]
    assert [job["state"] for job in found] == [JobState.expired]


def test_a_key_is_asked_for_and_kept_for_the_tab_alone(
    open_page: OpenPage, service: Service, good_files: list[Path]
):
    with connect(service.settings.redis_url) as connection:
        _, text = ApiKeys(connection).create("line 3")
    with service.other(require_api_key="always") as address:
        page = open_page("#/jobs", address)
        dialog = page.get_by_role("dialog", name="An API key, please")
        dialog.get_by_role("button", name="Without").click()
        expect(page.get_by_role("alert")).to_contain_text("Send an API key")
        page.reload()
        page.locator("#api-key").fill("gm_wrong")
        page.keyboard.press("Enter")
        expect(dialog).to_contain_text("That key is not known here.")
        assert list(violations(page)) == []
        page.locator("#api-key").fill(text)
        page.keyboard.press("Enter")
        expect(page.get_by_text("No job is like that.")).to_be_visible()
        page.get_by_role("link", name="New set", exact=True).click()
        ask(page, good_files, "nut")
        send(page)
        expect_done(page)
        for name, end in (("Download ZIP", ".zip"), ("Download report", "-report.html")):
            with page.expect_download() as download:
                page.get_by_role("button", name=name).click()
            assert download.value.suggested_filename.endswith(end)
        page.reload()
        expect_done(page)
        assert page.evaluate("localStorage.length + document.cookie.length") == 0
        other = page.context.new_page()
        other.goto(page.url)
        expect(other.get_by_role("dialog")).to_be_visible()
        page.get_by_role("button", name="Forget the key").click()
        expect(dialog).to_be_visible()


def test_everything_by_keyboard(open_page: OpenPage, service: Service, good_files: list[Path]):
    page = open_page()
    choosers: list[FileChooser] = []
    # From the beginning: the browser is told of it while the test goes on.
    page.on("filechooser", lambda chooser: choosers.append(chooser))  # noqa: PLW0108, it needs a function
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Choose images")).to_be_focused()
    page.keyboard.press("Enter")
    # What is asked of the page lets its events in.
    wait_until(lambda: bool(page.title() and choosers))
    choosers[0].set_files(good_files)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "object-name":
            break
    page.keyboard.type("nut")
    page.keyboard.press("Enter")
    expect_done(page)


def test_below_a_path_of_a_proxy(open_page: OpenPage, service: Service):
    with service.other(root_path="/plant") as address:
        page = open_page(f"plant/#/jobs/{service.finish('nut')}", f"{address}/")
        expect_done(page)
        page.get_by_role("link", name="Past jobs").click()
        expect(page.get_by_role("link", name="nut", exact=True).first).to_be_visible()
