"""What people do at the page, in a real browser against a real service."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FileChooser, Page, expect

from app.access.api_keys import ApiKeys
from app.base.redis_connection import connect
from app.jobs.model import Invariance, JobState
from tests.app.http.page.conftest import OpenPage, Service, violations
from tests.conftest import encode, texture, wait_until
from tests.workers.generation.quick_pipeline import FAILING

pytestmark = pytest.mark.browser

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


def test_another_meaning_of_the_name_is_chosen_sent_and_repeated(
    open_page: OpenPage, service: Service, good_files: list[Path]
):
    page = open_page()
    ask(page, good_files, "nut", 1)
    page.get_by_text("Is something else meant?").click()
    page.get_by_role("radio", name="seed").check()
    expect(page.locator(".words")).to_contain_text("Words in use: kernel")
    send(page)
    expect_done(page)
    assert request_of(page, service)["sense"] == "nut.n.01"
    page.get_by_role("link", name="Repeat with changes").click()
    expect(page.locator(".words")).to_contain_text("Words in use: kernel")
    page.get_by_text("Is something else meant?").click()
    expect(page.get_by_role("radio", name="seed")).to_be_checked()
    # Another name has other meanings.
    page.get_by_label("What do they show?").fill("screw")
    expect(page.locator(".words")).not_to_contain_text("kernel")
    send(page)
    expect_done(page)
    assert request_of(page, service)["sense"] is None


def test_what_may_differ_is_asked_and_sent(
    open_page: OpenPage, service: Service, good_files: list[Path]
):
    page = open_page()
    ask(page, good_files, "nut", 1)
    families = page.locator(".family")
    expect(families).to_have_count(len(Invariance))
    expect(page.locator(".inputs")).to_contain_text("96 × 64 px, 8 bit, colour")
    for picture in families.locator("img").all():
        assert picture.evaluate("image => image.naturalWidth") > 0
    boxes = families.get_by_role("checkbox")
    send(page)
    expect_done(page)
    # Nobody has answered: the images decide.
    assert request_of(page, service)["invariances"] is None
    page.get_by_role("link", name="Repeat with changes").click()
    expect(families).to_have_count(len(Invariance))
    for box in boxes.all():
        box.check()
        box.uncheck()
    send(page)
    expect_done(page)
    assert request_of(page, service)["invariances"] == []
    page.get_by_role("link", name="Repeat with changes").click()
    expect(families).to_have_count(len(Invariance))
    # As the job was asked for, not as the images say.
    assert not any(box.is_checked() for box in boxes.all())
    page.get_by_role("checkbox", name="Turned by quarters").check()
    send(page)
    expect_done(page)
    assert request_of(page, service)["invariances"] == ["rotate_90"]


def test_what_cannot_be_shown_yet_is_shown_once_it_can(open_page: OpenPage, good_files: list[Path]):
    page = open_page()
    problem = '{"title": "Not ready", "status": 503, "detail": "No viewer is running."}'
    page.route(
        "**/v1/views",
        lambda route: route.fulfill(status=503, headers={"Retry-After": "1"}, body=problem),
        times=2,
    )
    ask(page, good_files, "nut", 1)
    expect(page.get_by_text("No viewer is running.")).to_be_visible()
    expect(page.locator(".family")).to_have_count(len(Invariance))


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


def test_what_is_wrong_is_said_where_it_is(
    open_page: OpenPage, service: Service, good_files: list[Path], tmp_path: Path
):
    page = open_page()
    alert = page.get_by_role("alert")
    send(page)
    expect(alert).to_contain_text("Add at least one image")
    page.set_input_files(CHOOSER, good_files)
    send(page)
    expect(page.get_by_label("What do they show?")).to_be_focused()
    broken, small = tmp_path / "broken.png", tmp_path / "small.png"
    broken.write_bytes(b"no picture")
    small.write_bytes(encode(texture((8, 8))))
    page.get_by_label("What do they show?").fill("nut")
    for path, fault in ((broken, "not"), (small, "8 x 8 px")):
        page.set_input_files(CHOOSER, path)
        send(page)
        expect(alert).to_contain_text(fault)
        expect(page.locator(".bad")).to_contain_text(path.name)
        page.get_by_role("button", name=f"Remove image 3, {path.name}").click()
    page.get_by_label("New images").fill("5000")
    send(page)
    expect(alert).to_contain_text("num_images")
    page.get_by_label("New images").fill("2")
    page.context.set_offline(True)
    send(page)
    expect(alert).to_contain_text("cannot be reached")
    page.context.set_offline(False)
    send(page)
    expect_done(page)


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


def test_a_zip_is_taken_and_its_images_are_told(
    open_page: OpenPage, service: Service, good_files: list[Path], tmp_path: Path
):
    packed, broken = tmp_path / "parts.zip", tmp_path / "broken.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in good_files:
            archive.write(file, f"line 3/{file.name}")
        archive.write(good_files[0], "line 3/again.png")
    broken.write_bytes(packed.read_bytes()[:-9])
    page = open_page()
    ask(page, [good_files[1], packed], "nut", 2)
    tiles = page.locator(".inputs .tile")
    expect(tiles).to_have_count(2)
    expect(tiles.nth(1)).to_contain_text("Look: line 3/nut-0.png: The same pixels as line 3/again")
    tiles.nth(1).get_by_text("3 images").click()
    expect(tiles.nth(1)).to_contain_text("line 3/nut-1.png: 96 × 64 px, 8 bit, colour")
    assert list(violations(page)) == []
    page.set_input_files(CHOOSER, [broken])
    expect(tiles.nth(2)).to_contain_text("The ZIP is broken")
    page.get_by_role("button", name="Remove image 3, broken.zip").click()
    expect(tiles.nth(1)).to_contain_text("3 images")
    send(page)
    expect_done(page)
    job_id = page.url.rpartition("/")[2]
    inputs = service.http.get(f"/v1/jobs/{job_id}").json()["inputs"]
    assert [image["field"] for image in inputs] == [
        "images[0]",
        *(f"images[1]/line 3/{name}.png" for name in ("again", "nut-0", "nut-1")),
    ]


def test_images_kept_apart_judge_the_set(open_page: OpenPage, service: Service, tmp_path: Path):
    files = [tmp_path / f"nut-{number}.png" for number in range(8)]
    for number, file in enumerate(files):
        file.write_bytes(encode(texture((96, 64), seed=number)))
    page = open_page()
    ask(page, files[:6], "nut", 2)
    apart = page.get_by_role("checkbox", name="Keep apart")
    expect(apart).to_have_count(0)
    page.set_input_files(CHOOSER, files[6:])
    expect(apart).to_have_count(8)
    page.get_by_role("button", name="Keep every second one apart").click()
    expect(page.locator(".inputs .apart")).to_have_count(4)
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("at least 6 are needed")
    for number in (1, 5):
        page.get_by_role("checkbox", name=f"Keep apart image {number}").check()
    expect(page.locator(".inputs .apart")).to_have_count(6)
    assert page.evaluate("document.activeElement.type") == "checkbox"
    assert list(violations(page)) == []
    send(page)
    expect_done(page)
    judged = page.locator("section", has=page.get_by_role("heading", name="Judged by images"))
    expect(judged).to_contain_text("6 good images of yours")
    expect(judged.get_by_role("row", name="New images")).to_contain_text("%")
    judged.locator("summary").click()
    for image in judged.locator("img").all():
        image.scroll_into_view_if_needed()
        expect(image).not_to_have_class("loading")
    assert judged.locator("img").count() == 6
    assert list(violations(page)) == []
    job = service.http.get(f"/v1/jobs/{page.url.rpartition('/')[2]}").json()
    assert (len(job["inputs"]), len(job["held_out"])) == (2, 6)
    manifest = service.http.get(f"{job['links']['self']}/manifest").json()
    assert manifest["held_out"]["num_images"] == 6
    assert "Judged by images kept apart" in service.http.get(f"{job['links']['self']}/report").text
    (curl, python, cli) = page.locator("pre").all_text_contents()
    assert curl.count("-F images=@") == 2
    assert curl.count("-F held_out_images=@") == cli.count("--held-out") == 6
    compile(python, "lines", "exec")
    assert 'held_out=["apart-1.png"' in python
    page.get_by_role("link", name="Repeat with changes").click()
    expect(page.locator(".inputs .tile")).to_have_count(8)
    expect(page.locator(".inputs .apart")).to_have_count(6)
    page.get_by_role("button", name="Use them all").click()
    expect(page.locator(".inputs .apart")).to_have_count(0)


def test_images_come_by_drop_and_from_the_clipboard(open_page: OpenPage):
    page = open_page()
    give = """([kind, names]) => {
        const data = new DataTransfer();
        for (const name of names) data.items.add(new File(["x"], name, {type: "image/png"}));
        const event = kind === "drop" ? new DragEvent("drop", {dataTransfer: data, bubbles: true})
            : new ClipboardEvent("paste", {clipboardData: data, bubbles: true});
        document.querySelector(".drop").dispatchEvent(event);
    }"""
    page.evaluate(give, ["drop", ["a.png", "b.tif"]])
    page.evaluate(give, ["paste", ["c.png"]])
    expect(page.locator(".inputs .tile")).to_have_count(3)
    # What the browser cannot read is no reason to leave it out.
    expect(page.locator(".inputs")).to_contain_text("No preview of TIF files here")


def test_a_phone_has_its_camera(open_page: OpenPage):
    page = open_page(has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740})
    expect(page.get_by_role("button", name="Take a photo")).to_be_visible()
    expect(page.locator("input[capture]")).to_have_attribute("capture", "environment")


def test_the_lines_repeat_the_job(open_page: OpenPage, service: Service):
    asked = {"seed": "3", "effort": "draft", "invariances": "shift,scale"}
    page = open_page(f"#/jobs/{service.finish('hex nut', 5, **asked)}")
    expect_done(page)
    lines = page.locator("pre").all_inner_texts()
    page.locator("summary").first.click()
    (curl, python, cli) = page.locator("pre").all_text_contents()
    assert len(lines) == 3
    assert f"curl -sf {service.address}v1/jobs" in curl
    for field in ("num_images=5", "seed=3", "effort=draft", "invariances=shift,scale"):
        assert f"-F {field}" in curl
    assert "-F 'object_name=hex nut'" in curl
    compile(python, "lines", "exec")
    assert 'invariances=["shift","scale"]' in python
    assert "--object-name 'hex nut'" in cli
    assert "--invariance shift" in cli


def test_below_a_path_of_a_proxy(open_page: OpenPage, service: Service):
    with service.other(root_path="/plant") as address:
        page = open_page(f"plant/#/jobs/{service.finish('nut')}", f"{address}/")
        expect_done(page)
        page.get_by_role("link", name="Past jobs").click()
        expect(page.get_by_role("link", name="nut", exact=True).first).to_be_visible()


def test_the_python_lines_do_the_same_job(
    open_page: OpenPage, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked = {"prompt": 'a "flawless" nut', "seed": "7", "strict": "true", "invariances": "shift"}
    job_id = service.finish("metal nut", 2, **asked)
    page = open_page(f"#/jobs/{job_id}")
    expect_done(page)
    page.locator("summary", has_text="Python").click()
    lines = page.locator("details", has=page.locator("summary", has_text="Python")).locator("pre")
    for number in range(2):
        (tmp_path / f"image-{number + 1}.png").write_bytes(encode(texture(seed=number)))
    monkeypatch.chdir(tmp_path)
    exec(compile(lines.inner_text(), "lines", "exec"), {})
    assert len(list((tmp_path / "images" / "metal_nut").rglob("*.png"))) == 2
    jobs = service.http.get("/v1/jobs?limit=2").json()["items"]
    assert jobs[0]["request"] == jobs[1]["request"]
    assert jobs[1]["id"] == job_id
