"""`.env.example` and the settings never part ways."""

from itertools import pairwise
from pathlib import Path

from app.settings import Settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def test_the_example_lists_every_field_with_its_default():
    lines = [line for line in EXAMPLE.read_text().splitlines() if line.startswith("GOODMANY_")]
    listed = dict(line.removeprefix("GOODMANY_").split("=", 1) for line in lines)
    assert list(listed) == [name.upper() for name in Settings.model_fields]
    read = Settings.model_validate({name.lower(): value for name, value in listed.items()})
    assert read == Settings.model_construct(
        **{n: f.default for n, f in Settings.model_fields.items()}
    )


def test_every_field_has_its_line_of_why():
    lines = EXAMPLE.read_text().splitlines()
    for before, line in pairwise(lines):
        assert not line.startswith("GOODMANY_") or before.startswith("# ")


def test_the_storage_lies_in_the_data_folder_unless_it_is_named(tmp_path: Path):
    assert Settings(data_dir=tmp_path).storage_address == str(tmp_path / "files")
    assert Settings(storage_url="s3://bucket/x").storage_address == "s3://bucket/x"
