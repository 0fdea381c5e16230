"""The lines by which a job is repeated, as the page shows them."""

from pathlib import Path

import pytest

from tests.app.http.page.conftest import OpenPage, Service
from tests.app.http.page.driving import expect_done
from tests.conftest import encode, texture

pytestmark = pytest.mark.browser


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
