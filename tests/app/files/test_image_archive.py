"""A ZIP of images is read within its limits, and one that misleads is refused."""

import contextlib
import io
import random
import stat
import struct
import zipfile
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import pytest

from app.files.image_archive import MAX_DIRECTORY_BYTES, SUFFIXES, ImageArchive, is_archive
from app.files.image_room import ImageRoom
from app.problems import (
    ImageTooLarge,
    NoImages,
    Problem,
    TooManyImages,
    UnusableArchive,
    UploadTooLarge,
)
from goodmany.images import files
from tests.conftest import encode, texture

PNG = encode(texture())


def zipped(*files: tuple[str | ZipInfo, bytes], kind: int = ZIP_DEFLATED) -> io.BytesIO:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", kind) as archive:
        for name, content in files:
            archive.writestr(name, content)
    buffer.seek(0)
    return buffer


def room(num_images: int = 9, num_bytes: int = 10**7, image_bytes: int = 10**6) -> ImageRoom:
    return ImageRoom(num_images, num_bytes, image_bytes)


def test_a_zip_is_known_by_its_content():
    assert is_archive(zipped(("a.png", PNG)))
    assert is_archive(zipped())
    assert not is_archive(io.BytesIO(PNG))
    assert not is_archive(io.BytesIO(b""))


def test_images_are_known_as_in_a_folder():
    assert SUFFIXES == files.SUFFIXES


def test_images_come_by_their_names_and_all_else_is_passed_over():
    files = ["b/2.PNG", "b/10.png", "a.jpeg", "b/c/d.tif", "read me.txt", "noname"]
    hidden = ["__MACOSX/b/._2.png", "b/.hidden.png", ".git/a.png", "b/.DS_Store", "Thumbs.db"]
    archive = ImageArchive(zipped(("b/", b""), *((name, PNG) for name in files + hidden)), room())
    assert archive.paths == ["a.jpeg", "b/10.png", "b/2.PNG", "b/c/d.tif"]
    assert all(archive.read(path) == PNG for path in archive.paths)
    # Whenever it is asked for.
    assert archive.read("a.jpeg") == PNG


@pytest.mark.parametrize("kind", [ZIP_STORED, ZIP_DEFLATED])
def test_names_are_those_of_any_program(kind: int):
    files = ["./a.png", "Teile\\Ü.png", "螺丝/1.png"]
    archive = ImageArchive(zipped(*((name, PNG) for name in files), kind=kind), room())
    assert archive.paths == ["Teile/Ü.png", "a.png", "螺丝/1.png"]
    assert {archive.read(path) for path in archive.paths} == {PNG}


def linked(name: str) -> ZipInfo:
    entry = ZipInfo(name)
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return entry


def patched(archive: io.BytesIO, signature: bytes, offset: int, value: bytes) -> io.BytesIO:
    """The ZIP with other bytes in a header."""
    content = bytearray(archive.getvalue())
    place = content.index(signature) + offset
    content[place : place + len(value)] = value
    return io.BytesIO(bytes(content))


@pytest.mark.parametrize(
    ("archive", "said"),
    [
        (zipped(("../a.png", PNG)), "none within it: '../a.png'"),
        (zipped(("b/../../a.png", PNG)), "none within it"),
        (zipped(("b\\..\\..\\a.png", PNG)), "none within it"),
        (zipped(("/etc/a.png", PNG)), "none within it"),
        (zipped(("\\\\host\\a.png", PNG)), "none within it"),
        (zipped(("C:\\a.png", PNG)), "none within it"),
        (zipped(("a\n.png", PNG)), "none within it"),
        (zipped(("a\x1b[2J.png", PNG)), "none within it"),
        (zipped((f"{'a' * 300}.png", PNG)), "none within it"),
        (patched(zipped(("ab.png", PNG)), b"PK\1\2", 46, b"a\0"), "none within it"),
        (zipped((linked("a.png"), b"/etc/passwd")), "a.png is a link"),
        (zipped(("a.png", PNG), ("inner.ZIP", b"PK")), "a ZIP within the ZIP: inner.ZIP"),
        (zipped(("a.png", PNG), kind=ZIP_BZIP2), "use deflate"),
        (patched(zipped(("a.png", PNG)), b"PK\1\2", 8, b"\1"), "a.png is encrypted"),
        (zipped(("a.png", PNG), ("./a.png", PNG)), "holds a.png twice"),
    ],
)
def test_what_may_mislead_is_refused(archive: io.BytesIO, said: str):
    with pytest.raises(UnusableArchive, match=said):
        ImageArchive(archive, room())


@pytest.mark.parametrize("content", [b"PK\3\4", b"PK\3\4" + bytes(500), PNG])
def test_what_is_no_zip_is_refused(content: bytes):
    with pytest.raises(UnusableArchive, match="broken"):
        ImageArchive(io.BytesIO(content), room())


def test_a_zip_without_an_image_is_told():
    for archive in (zipped(), zipped(("a.txt", b"x"), ("a/", b""), ("__MACOSX/a.png", PNG))):
        with pytest.raises(NoImages, match=r"no image \(.bmp, .jpe"):
            ImageArchive(archive, room())


@pytest.mark.parametrize(
    ("left", "problem"),
    [
        (room(num_images=1), TooManyImages),
        (room(image_bytes=len(PNG)), ImageTooLarge),
        (room(num_bytes=2 * len(PNG)), UploadTooLarge),
    ],
)
def test_nothing_comes_where_there_is_no_room(left: ImageRoom, problem: type[Problem]):
    before = ImageRoom(**vars(left))
    with pytest.raises(problem):
        ImageArchive(zipped(("a.png", PNG), ("b.png", PNG + b"\0")), left)
    assert left == before


def test_what_comes_takes_its_room():
    left = room()
    ImageArchive(zipped(("a.png", PNG), ("b.png", PNG), ("c.txt", PNG)), left)
    assert left == room(num_images=7, num_bytes=10**7 - 2 * len(PNG))


def test_more_than_a_file_says_of_itself_is_not_unpacked():
    bomb = zipped(("a.png", bytes(50 * 10**6)))
    told = patched(bomb, b"PK\1\2", 24, struct.pack("<I", 1000))
    archive = ImageArchive(told, room())
    with pytest.raises(UnusableArchive, match=r"broken at a\.png"):
        archive.read("a.png")


def test_a_bomb_is_refused_by_what_it_says():
    with pytest.raises(ImageTooLarge):
        ImageArchive(zipped(("a.png", bytes(50 * 10**6))), room())


def test_files_without_number_are_not_listed():
    many = MAX_DIRECTORY_BYTES // 46
    with pytest.raises(UnusableArchive, match="too many files"):
        ImageArchive(zipped(*((f"{number}.txt", b"") for number in range(many))), room())


def test_whatever_is_changed_in_it_is_an_image_or_a_problem():
    """Bytes of its structure changed at random: never another error, never more than its room."""
    chance, num_read = random.Random(0), 0
    whole = zipped(("a.png", b"a" * 900), ("b/c.png", b"b" * 900)).getvalue()
    for _ in range(2000):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        if chance.random() < 0.3:
            del content[chance.randrange(len(content)) :]
        with contextlib.suppress(Problem):
            archive = ImageArchive(io.BytesIO(bytes(content)), room(image_bytes=1000))
            sizes = [len(archive.read(path)) for path in archive.paths]
            assert max(sizes) <= 1000
            num_read += len(sizes)
    assert num_read > 100


def test_a_zip_on_the_disk_is_read_where_it_lies(tmp_path: Path):
    path = tmp_path / "parts.zip"
    path.write_bytes(zipped(("a.png", PNG)).getvalue())
    assert zipfile.is_zipfile(path)
    with path.open("rb") as file:
        assert ImageArchive(file, room()).read("a.png") == PNG
