"""What people give and answer before a job, in a real browser against a real service."""

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from app.jobs.model import Invariance
from tests.app.http.page.conftest import OpenPage, Service, violations
from tests.app.http.page.driving import (
    CHOOSER,
    ask,
    expect_done,
    request_of,
    send,
)
from tests.conftest import encode, texture

pytestmark = pytest.mark.browser


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
