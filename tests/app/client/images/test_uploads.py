"""Whatever form images come in, what is sent has their pixels."""

import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from goodmany.images.array_png import encode_array
from goodmany.images.uploads import Upload, gather
from tests.conftest import encode, texture


def content(upload: Upload) -> bytes:
    with upload.open() as file:
        return file.read()


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [(), (1,), (2,), (3,), (4,)])
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (2, 300)])
def test_an_array_is_its_png(dtype: str, channels: tuple[int, ...], size: tuple[int, int]):
    pixels = np.random.default_rng(0).integers(0, 2**16, (*size, *channels)).astype(dtype)
    decoded = imagecodecs.png_decode(encode_array(pixels))
    assert decoded.dtype == pixels.dtype
    assert (decoded.reshape(pixels.shape) == pixels).all()


def test_an_array_that_is_not_in_one_piece_is_sent_as_it_is_seen():
    pixels = np.arange(2 * 6 * 3, dtype=np.uint16).reshape(2, 6, 3)
    for seen in (pixels[::-1, ::2], pixels.transpose(1, 0, 2), pixels.astype(">u2")):
        assert (imagecodecs.png_decode(encode_array(seen)) == seen).all()


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4), np.int64),
        np.zeros((4, 4, 5), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((), np.uint8),
    ],
)
def test_an_array_that_is_no_image_is_told_what_it_is(pixels: np.ndarray):
    with pytest.raises(ValueError, match=f"{pixels.dtype}, is no image"):
        encode_array(pixels)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_a_picture_keeps_its_pixels(mode: str):
    picture = texture().convert(mode) if mode != "I;16" else Image.new(mode, (8, 8), 4095)
    (upload,) = gather(picture)
    again = Image.open(io.BytesIO(content(upload)))
    assert again.size == picture.size
    assert again.convert("RGBA").tobytes() == picture.convert("RGBA").tobytes()


def test_a_picture_keeps_how_it_is_turned():
    picture = texture((64, 32))
    picture.getexif()[0x0112] = 6
    (upload,) = gather(picture)
    assert Image.open(io.BytesIO(content(upload))).getexif()[0x0112] == 6


@pytest.mark.parametrize("mode", ["I", "F"])
def test_a_picture_without_a_white_is_refused(mode: str):
    with pytest.raises(ValueError, match=f"mode {mode}"):
        gather(Image.new(mode, (8, 8)))


def test_all_kinds_side_by_side(tmp_path: Path):
    files = {tmp_path / name: encode(texture(seed=n)) for n, name in enumerate(("a.png", "b.png"))}
    for path, data in files.items():
        path.write_bytes(data)
    first, second = files
    with first.open("rb") as opened:
        given = [
            str(first),
            second,
            files[first],
            bytearray(files[first]),
            opened,
            texture(),
            np.zeros((8, 8), np.uint8),
            np.zeros((2, 8, 8, 3), np.uint8),
        ]
        uploads = gather(given)
    names = [upload.name for upload in uploads]
    assert names == ["a.png", "b.png", "image", "image", "image", *["image.png"] * 4]
    assert [content(upload) for upload in uploads[:5]] == [*files.values(), *[files[first]] * 3]


def test_a_folder_a_pattern_and_a_file_name_each_file_once(tmp_path: Path):
    for name in ("b.PNG", "a.tif", ".hidden.png", "notes.txt"):
        (tmp_path / name).write_bytes(name.encode())
    folder = [upload.name for upload in gather(tmp_path)]
    assert folder == ["a.tif", "b.PNG"]
    twice = gather([tmp_path / "b.PNG", str(tmp_path), str(tmp_path / "*.t[ix][ft]")])
    assert [upload.name for upload in twice] == ["b.PNG", "a.tif", "notes.txt"]


def test_a_zip_is_sent_as_it_is(tmp_path: Path):
    path = tmp_path / "parts.zip"
    path.write_bytes(b"PK whatever")
    (upload,) = gather(path)
    assert (upload.name, content(upload)) == ("parts.zip", b"PK whatever")


def test_a_generator_is_as_good_as_a_list():
    assert len(gather(texture(seed=seed) for seed in range(3))) == 3


@pytest.mark.parametrize("none", [[], (), [[]], iter([])])
def test_no_image_is_told(none: object):
    with pytest.raises(ValueError, match="at least one image"):
        gather(none)


def test_what_is_no_image_is_told(tmp_path: Path):
    with pytest.raises(TypeError, match="float is no image"):
        gather([1.5])
    with pytest.raises(FileNotFoundError, match=r"There is no file nowhere\.png\."):
        gather("nowhere.png")
    with pytest.raises(FileNotFoundError, match="holds no image"):
        gather(tmp_path)
    with pytest.raises(FileNotFoundError, match="No file matches"):
        gather(tmp_path / "*.png")


def test_an_upload_can_be_sent_again(tmp_path: Path):
    path = tmp_path / "a.png"
    path.write_bytes(b"content")
    for upload in gather([path, b"content"]):
        assert content(upload) == content(upload) == b"content"
