import re

from tests.workers.archive.made import archive_bytes, contents, made_request, made_result


def test_card_names_the_paths_and_tells_a_shortfall():
    files = contents(archive_bytes(made_result(3), made_request(num_images=5)))
    card = files["README.md"].decode()
    assert 'root="metal_nut"' in card
    assert "5 were asked for" in card
    assert "\n2 of them are views of a real image as they are" in card
    assert "reference/good" not in card
    for block in re.findall(r"```python\n(.*?)```", card, flags=re.DOTALL):
        compile(block, "README.md", "exec")
    full = contents(archive_bytes(made_result(3), made_request(num_images=3)))["README.md"]
    assert b"were asked for" not in full
