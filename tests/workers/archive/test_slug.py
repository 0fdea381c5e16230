import re
from pathlib import Path

import pytest

from tests.app.http.hostile_requests import ODD_NAMES
from tests.workers.archive.made import archive_bytes, contents, made_request, made_result
from workers.archive.write import slugify


@pytest.mark.parametrize(
    ("object_name", "slug"),
    [
        ("bottle", "bottle"),
        ("Metal Nut", "metal_nut"),
        ("  ..metal--nut!! ", "metal_nut"),
        ("Größe M8", "grosse_m8"),
        ("ＦＵＬＬ", "full"),
        ("../../etc/passwd", "etc_passwd"),
        ("C:\\temp\\x", "c_temp_x"),
        ("a\0b\nc", "a_b_c"),
        ("CON", "con_object"),
        ("com1", "com1_object"),
        ("lpt¹", "lpt1_object"),
        ("console", "console"),
        ("x" * 200, "x" * 64),
        ("x" * 63 + " y", "x" * 63),
    ],
)
def test_slug(object_name, slug):
    assert slugify(object_name) == slug


@pytest.mark.parametrize("object_name", ["螺丝", "...", "", "   ", "🔩", "гайка"])
def test_a_name_without_ascii_letters_gets_a_slug_of_its_own(object_name):
    slug = slugify(object_name)
    assert re.fullmatch(r"object_[0-9a-f]{8}", slug)
    assert slug != slugify("螺母")


@pytest.mark.parametrize("object_name", ["/abs", "a/b", "NUL", "ｃｏｎ", "..", *ODD_NAMES])
def test_no_name_leaves_the_archives_root(object_name, tmp_path):
    files = contents(archive_bytes(made_result(1), made_request(object_name=object_name)))
    for path in files:
        assert (tmp_path / path).resolve().is_relative_to(tmp_path)
        assert Path(path).parts[0] in {slugify(object_name), "manifest.json", "README.md"}
        assert re.fullmatch(r"[A-Za-z0-9_./]+", path)
