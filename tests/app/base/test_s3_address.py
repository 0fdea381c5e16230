"""Addresses in buckets, and which of them lie below which."""

import pytest

from app.base.s3_address import S3Address, parse_places


@pytest.mark.parametrize(
    ("text", "path", "is_folder"),
    [
        ("s3://line-3/good/a.png", "line-3/good/a.png", False),
        ("s3://line-3/good/", "line-3/good", True),
        ("s3://line-3/", "line-3", True),
        ("s3://line-3", "line-3", True),
        ("s3://line.3/%2e%2e/a b?#.png", "line.3/%2e%2e/a b?#.png", False),
    ],
)
def test_an_address_is_taken_as_it_stands(text: str, path: str, is_folder: bool):
    address = S3Address.parse(text)
    assert (address.path, address.is_folder) == (path, is_folder)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s3:",
        "s3://",
        "s3:///a",
        "S3://line/a",
        "s3://line@10.0.0.1/a",
        "s3://10.0.0.1:9000/a",
        "s3://LINE/a",
        "s3://l/a",
        "s3://line//a",
        "s3://line/a//",
        "s3://line/../a",
        "s3://line/a/..",
        "s3://line/a/./b",
        "s3://line/a\nb",
        "s3://line/a\0",
        " s3://line/a",
        "s3a://line/a",
        "http://line/a",
        "file:///etc/passwd",
        "/etc/passwd",
        "line/a",
    ],
)
def test_what_is_none_is_refused(text: str):
    with pytest.raises(ValueError, match="no address"):
        S3Address.parse(text)


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        ("s3://line/good/a.png", "s3://line/good/", True),
        ("s3://line/good/a.png", "s3://line/good", True),
        ("s3://line/good/", "s3://line/good", True),
        ("s3://line/good", "s3://line/good/", True),
        ("s3://line/good/a.png", "s3://line", True),
        ("s3://line/goods/a.png", "s3://line/good", False),
        ("s3://line/goo", "s3://line/good", False),
        ("s3://line", "s3://line/good", False),
        ("s3://line2/good/a", "s3://line", False),
        ("s3://line/%67ood/a", "s3://line/good", False),
        ("s3://line/GOOD/a", "s3://line/good", False),
    ],
)
def test_below_is_by_whole_names(inner: str, outer: str, expected: bool):
    assert S3Address.parse(inner).is_within(S3Address.parse(outer)) is expected


def test_places_are_a_list():
    assert parse_places("") == parse_places(" , ") == ()
    assert [one.path for one in parse_places("s3://aaa/b, s3://ccc/")] == ["aaa/b", "ccc"]
