import pytest

from tests.models.job.conftest import generation_of


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": []}, "at least one"),
        ({"effort": "heroic"}, "draft, standard, high"),
        ({"invariances": frozenset({"melt"})}, "melt"),
    ],
)
def test_a_wrong_request_is_a_value_error(pipeline, changes, message):
    with pytest.raises(ValueError, match=message):
        generation_of(pipeline.models, **changes)
