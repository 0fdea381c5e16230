"""Image files made wrong on purpose: by what each format is built of, and byte by byte.

A change that leaves lengths and checksums wrong gets no further than a parser's first lines, so
chunks keep valid checksums, directories valid entries, and compressed data are packed again.
"""

import random
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import partial

INTERESTING = (0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 64, 127, 128, 255, 256, 32767, 32768, 65535)
INTERESTING = (*INTERESTING, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
Mutation = Callable[[bytes, random.Random], bytes]


def mutate(content: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    """The file with one to four changes.

    Args:
        content: a file of any format.
        others: files to take parts of.
        draw: what decides.
    """
    for _ in range(draw.choice((1, 1, 1, 2, 2, 3, 4))):
        if len(content) < 16:
            break
        kinds = [*GENERAL, partial(splice, others=others), *(_structural(content) * 3)]
        content = draw.choice(kinds)(content, draw)
    return content


def _structural(content: bytes) -> list[Mutation]:
    if content.startswith(PNG_SIGNATURE):
        return [change_png]
    if content.startswith(b"\xff\xd8"):
        return [change_jpeg]
    if content[:4] in (b"II*\0", b"MM\0*"):
        return [change_tiff]
    if content.startswith(b"RIFF"):
        return [change_webp]
    return [change_bmp] if content.startswith(b"BM") else []


def flip_bytes(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _n in range(draw.choice((1, 2, 4, 16))):
        changed[draw.randrange(len(changed))] = draw.choice(
            (0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256))
        )
    return bytes(changed)


def set_number(content: bytes, draw: random.Random) -> bytes:
    """An interesting number of one, two or four bytes in either order somewhere, mostly early."""
    size = draw.choice((1, 2, 4))
    reach = draw.choice((64, 256, len(content)))
    place = draw.randrange(min(reach, len(content) - size) + 1)
    number = (draw.choice(INTERESTING) % 256**size).to_bytes(size, draw.choice(("big", "little")))
    return content[:place] + number + content[place + size :]


def cut(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(8, len(content))]


def repeat_part(content: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(content))
    end = min(len(content), start + draw.choice((4, 32, 256, 4096)))
    times = draw.choice((2, 3, 10, 300))
    return content[:start] + content[start:end] * times + content[end:]


def drop_part(content: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(content))
    return content[:start] + content[start + draw.choice((1, 4, 32, 256)) :]


def splice(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    other = draw.choice(others)
    return content[: draw.randrange(len(content))] + other[draw.randrange(len(other)) :]


GENERAL: tuple[Mutation, ...] = (flip_bytes, set_number, cut, repeat_part, drop_part)


def change_png(content: bytes, draw: random.Random) -> bytes:
    """Chunks doubled, moved, dropped, filled otherwise; the image's data inflated and deflated."""
    chunks, place = [], 8
    while place + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        if place + 12 + length > len(content):
            break
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + length]))
        place += 12 + length
    if not chunks:
        return content
    number = draw.randrange(len(chunks))
    name, body = chunks[number]
    match draw.randrange(6):
        case 0:
            chunks.insert(draw.randrange(len(chunks) + 1), chunks[number])
        case 1:
            chunks.pop(number)
        case 2 if len(body) > 16:
            chunks[number] = (name, mutate_bytes(body, draw))
        case 3:
            names = (
                b"tRNS",
                b"PLTE",
                b"sBIT",
                b"zTXt",
                b"iCCP",
                b"eXIf",
                b"acTL",
                b"fdAT",
                b"tEXt",
            )
            filling = draw.choice((b"", body, draw.randbytes(draw.choice((2, 6, 768)))))
            filling = draw.choice((filling, b"a\0\0" + zlib.compress(bytes(2**22))))
            chunks.insert(draw.randrange(len(chunks) + 1), (draw.choice(names), filling))
        case 4:
            header = bytearray(chunks[0][1])
            if len(header) == 13:
                header[8:13] = bytes(draw.choice((0, 1, 2, 3, 4, 6, 8, 16)) for _ in range(5))
                chunks[0] = (chunks[0][0], bytes(header))
        case _:
            data = b"".join(body for kind, body in chunks if kind == b"IDAT")
            rest = [chunk for chunk in chunks if chunk[0] != b"IDAT"]
            try:
                rows = mutate_bytes(zlib.decompressobj().decompress(data, 2**22), draw)
            except zlib.error:
                return content
            chunks = [*rest[:-1], (b"IDAT", zlib.compress(rows)), *rest[-1:]]
    return PNG_SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def change_jpeg(content: bytes, draw: random.Random) -> bytes:
    """Segments and scans doubled up to a hundred times, moved, or with other numbers in them."""
    starts = [n for n in range(len(content) - 1) if content[n] == 0xFF and content[n + 1] >= 0xC0]
    starts = [n for n in starts if not 0xD0 <= content[n + 1] <= 0xD7]
    if len(starts) < 3:
        return content
    number = draw.randrange(1, len(starts) - 1)
    start, end = starts[number], starts[number + 1]
    segment = content[start:end]
    match draw.randrange(4):
        case 0:
            segment *= draw.choice((2, 10, 60, 100))
        case 1 if len(segment) > 5:
            segment = segment[:4] + mutate_bytes(segment[4:], draw)
        case 2:
            kinds = (0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC9, 0xCA, 0xDA, 0xDB, 0xDD, 0xE1, 0xEE)
            segment = segment[:1] + bytes([draw.choice(kinds)]) + segment[2:]
        case _:
            other = draw.randrange(1, len(starts) - 1)
            segment = content[starts[other] : starts[other + 1]] + segment
    return content[:start] + segment + content[end:]


def change_tiff(content: bytes, draw: random.Random) -> bytes:
    """An entry of a directory with another tag, type, count or value; directories in rings."""
    order = "<" if content.startswith(b"II") else ">"
    (place,) = struct.unpack_from(order + "I", content, 4)
    if place + 2 > len(content):
        return content
    (num_entries,) = struct.unpack_from(order + "H", content, place)
    changed = bytearray(content)
    entry = place + 2 + 12 * draw.randrange(max(1, num_entries))
    behind = place + 2 + 12 * num_entries
    if entry + 12 > len(content) or behind + 4 > len(content):
        return content
    tags = (254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323)
    tags = (*tags, 324, 325, 330, 332, 338, 339, 347, 530, 532, 33628, 34665, 50838, 65426)
    match draw.randrange(6):
        case 0:
            struct.pack_into(order + "H", changed, entry, draw.choice(tags))
        case 1:
            struct.pack_into(order + "H", changed, entry + 2, draw.randrange(20))
        case 2:
            struct.pack_into(order + "I", changed, entry + 4, draw.choice(INTERESTING))
        case 3:
            struct.pack_into(order + "I", changed, entry + 8, draw.choice(INTERESTING))
        case 4:
            number = draw.choice((1, 2, 3, 5, 6, 7, 8, 16, 32, 64, 32773, 50000, 34712))
            struct.pack_into(order + "H", changed, entry + 8, number)
        case _:
            target = draw.choice((place, place + 12, 8, len(content)))
            struct.pack_into(order + "I", changed, behind, target)
    return bytes(changed)


def change_bmp(content: bytes, draw: random.Random) -> bytes:
    """A number of the header: size, depth, compression, number of colours."""
    changed = bytearray(content)
    place, size = draw.choice(
        ((10, 4), (14, 4), (18, 4), (22, 4), (28, 2), (30, 4), (34, 4), (46, 4))
    )
    if place + size <= len(changed):
        numbers = (*INTERESTING, 24, 12, 40, 108, 124)
        changed[place : place + size] = (draw.choice(numbers) % 256**size).to_bytes(size, "little")
    return bytes(changed)


def change_webp(content: bytes, draw: random.Random) -> bytes:
    """The canvas, the flags, or a chunk doubled."""
    changed = bytearray(content)
    if draw.random() < 0.5 and len(content) > 30:
        changed[20:30] = mutate_bytes(content[20:30], draw)
        return bytes(changed)
    body = content[12:] + content[12:] * draw.choice((1, 3))
    return content[:4] + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def mutate_bytes(content: bytes, draw: random.Random) -> bytes:
    """A few changes of bytes alone."""
    if len(content) < 8:
        return draw.randbytes(len(content))
    return draw.choice((flip_bytes, set_number, repeat_part, drop_part))(content, draw)
