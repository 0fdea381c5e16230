"""Requests that nobody should send, made by code: forms, addresses and headers, raw bytes.

Each comes with the slugs of the problems that may answer it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.jobs.model import MAX_OBJECT_NAME_CHARS
from tests.app.http.hostile_images import PNG

INVALID = frozenset({"invalid-request"})
MALFORMED = frozenset({"malformed-body"})
NO_IMAGES = frozenset({"no-images"})
NOT_FOUND = frozenset({"job-not-found", "not-found"})
TOO_MANY = frozenset({"too-many-images"})
MULTIPART = "multipart/form-data; boundary=x"
JOB_ID = "0" * 32
ODD_NAMES = (
    "../../etc/passwd",
    "..\\..\\nut",
    "CON",
    "nut/../../nut",
    "C:nut",
    "🌰 nut",
    "螺丝",
    "n" * MAX_OBJECT_NAME_CHARS,
    "{{7*7}} ${jndi:ldap://x}",
    "<script>alert(1)</script>",
    "``` '; DROP nut --",
)


@dataclass(frozen=True)
class BadRequest:
    """One request and the problems that may answer it."""

    name: str
    slugs: frozenset[str]
    path: str = "/v1/jobs"
    method: str = "POST"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def part(disposition: str, content: bytes, headers: bytes = b"") -> bytes:
    head = f"Content-Disposition: form-data; {disposition}".encode()
    return head + b"\r\n" + headers + b"\r\n" + content


def text(name: str, value: str | bytes) -> bytes:
    return part(f'name="{name}"', value if isinstance(value, bytes) else value.encode())


def image(file_name: str = "a.png", content: bytes = PNG, kind: bytes = b"image/png") -> bytes:
    disposition = f'name="images"; filename="{file_name}"'
    return part(disposition, content, b"Content-Type: " + kind + b"\r\n")


NUT = text("object_name", "nut")
ASKED = (NUT, image())


def join(parts: Sequence[bytes], boundary: bytes = b"x") -> bytes:
    """A whole multipart body."""
    delimiter = b"--" + boundary
    return b"".join(delimiter + b"\r\n" + one + b"\r\n" for one in parts) + delimiter + b"--\r\n"


def form(
    name: str,
    slugs: frozenset[str],
    *parts: bytes,
    content_type: str = MULTIPART,
    tail: bytes = b"",
) -> BadRequest:
    body = join(parts) + tail
    return BadRequest(name, slugs, body=body, headers={"content-type": content_type})


def broken_forms() -> Iterator[BadRequest]:
    def plain(name: str, slugs: frozenset[str], body: bytes, kind: str = MULTIPART) -> BadRequest:
        return BadRequest(name, slugs, body=body, headers={"content-type": kind})

    whole = join(ASKED)
    yield plain("no boundary named", MALFORMED, whole, "multipart/form-data")
    yield plain("wrong boundary", MALFORMED, whole, "multipart/form-data; boundary=y")
    yield plain("empty boundary", MALFORMED, whole, "multipart/form-data; boundary=")
    yield plain("boundary of 300 characters", MALFORMED, whole, MULTIPART + "x" * 299)
    yield plain("no final boundary", MALFORMED | NO_IMAGES, whole[: whole.rindex(b"--x--")])
    yield plain("cut in an image", MALFORMED | NO_IMAGES, whole[:-3000])
    yield plain("cut in a header", MALFORMED | NO_IMAGES, whole[:30])
    yield plain("empty", MALFORMED | NO_IMAGES, b"")
    yield plain("final boundary alone", MALFORMED | NO_IMAGES, b"--x--\r\n")
    yield plain("noise", MALFORMED, bytes(range(256)) * 40)
    yield plain("part without headers", MALFORMED, b"--x\r\n\r\nvalue\r\n--x--\r\n")
    yield plain("JSON", NO_IMAGES, b'{"object_name": "nut"}', "application/json")
    nested = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    yield plain("JSON nested 100000 times", NO_IMAGES, nested, "application/json")
    yield plain("XML", NO_IMAGES, b"<job/>", "application/xml")
    yield plain("no content type", NO_IMAGES, whole, "")
    yield plain("urlencoded", NO_IMAGES, b"object_name=nut", "application/x-www-form-urlencoded")
    pairs = b"a=1&" * 100_000
    yield plain("100000 pairs", MALFORMED, pairs, "application/x-www-form-urlencoded")
    long = b"a=" + b"1" * 2**21
    yield plain("pair of 2 MiB", MALFORMED, long, "application/x-www-form-urlencoded")
    yield form("header of 10 kB", MALFORMED, *ASKED, part('name="a"', b"", b"A: " + b"b" * 10_000))
    yield form("1000 headers", MALFORMED, *ASKED, part('name="a"', b"", b"A: b\r\n" * 1000))
    yield form("header without colon", MALFORMED, *ASKED, part('name="a"', b"", b"nonsense\r\n"))
    yield form("header with NUL", MALFORMED | INVALID, *ASKED, part('name="a\0b"', b"1"))
    yield form("no name", MALFORMED, *ASKED, part("", b"1"))
    yield form("file name of 10 kB", MALFORMED, NUT, image("n" * 10_000))
    yield form("5000 fields", MALFORMED, *ASKED, *[text(f"f{n}", "1") for n in range(5000)])
    yield form("5000 images", TOO_MANY, NUT, *[image(content=b"")] * 5000)
    yield form("51 images", TOO_MANY, NUT, *[image()] * 51)
    yield form("field of 2 MB", MALFORMED, image(), text("object_name", "n" * 2_000_000))
    inner = b"Content-Type: multipart/mixed; boundary=y\r\n"
    mixed = part('name="images"; filename="a"', join([image()], b"y"), inner)
    yield form("multipart in multipart", frozenset({"not-an-image"}), NUT, mixed)


def wrong_fields() -> Iterator[BadRequest]:
    yield form("object_name twice", INVALID, *ASKED, NUT)
    yield form(
        "num_images twice", INVALID, *ASKED, text("num_images", "1"), text("num_images", "2")
    )
    yield form("no object_name", INVALID, image())
    yield form("images as text", INVALID, NUT, text("images", "a picture"))
    yield form(
        "object_name as file", INVALID, image(), part('name="object_name"; filename="a"', b"n")
    )
    names = ("../../etc/passwd", "__proto__", "images[0]", "", "__class__", "$where", "a" * 3000)
    for name in names:
        yield form(f"field {name[:20]!r}", INVALID, *ASKED, text(name, "1"))
    for charset, name in (("utf-7", "+2AA-"), ("unicode_escape", r"\\ud800"), ("rot13", "anzr")):
        kind = f"{MULTIPART}; charset={charset}"
        parts = [*ASKED, *[text(name, "1")] * 2]
        yield form(f"field in {charset}", INVALID, *parts, content_type=kind)
    numbers = ("NaN", "Infinity", "1e999", "-1", "0", "1.5", "0x10", "true", "[1]", "{}", "1;2")
    for value in (*numbers, "9" * 30, "9" * 5000):
        yield form(f"num_images={value[:20]!r}", INVALID, *ASKED, text("num_images", value))
    for value in ("NaN", "-Infinity", "-1", str(2**32), "1e5", "null"):
        yield form(f"seed={value!r}", INVALID, *ASKED, text("seed", value))
    for value in ("63", "4097", "-256", "1e2", "inf"):
        yield form(f"image_size={value!r}", INVALID, *ASKED, text("image_size", value))
    for value in ("maybe", "2", "[]", "-1"):
        yield form(f"strict={value!r}", INVALID, *ASKED, text("strict", value))
    for value in ("NaN", "0", "-1", "1e999", "9" * 30, "9" * 5000):
        yield form(f"expires_in_s={value[:20]!r}", INVALID, *ASKED, text("expires_in_s", value))
    yield from wrong_callbacks()
    for name in ("effort", "invariances", "priority"):
        yield form(f"{name} unknown", INVALID, *ASKED, text(name, "../../high"))
    texts = {
        "NUL": "nut\0",
        "newline": "nut\r\nSet-Cookie: a=b",
        "escape": "nut\x1b[2J",
        "delete": "nut\x7f",
        "right to left": "nut\u202egnp",
        "zero width": "nut\u200b",
        "private use": "nut\ue000",
        "space": " \t ",
        "digits": "12345",
        "dots": "../../..",
        "a character too many": "n" * (MAX_OBJECT_NAME_CHARS + 1),
        "10 kB": "n" * 10_000,
    }
    for name, value in texts.items():
        yield form(f"object name with {name}", INVALID, image(), text("object_name", value))
    yield form("prompt with NUL", INVALID, *ASKED, text("prompt", "a nut\0"))
    yield form("prompt of 301", INVALID, *ASKED, text("prompt", "n" * 301))
    lie = image("good.png", b"GIF89a" + bytes(50), b"image/png")
    yield form("GIF that says PNG", frozenset({"not-an-image"}), NUT, lie)
    for key in ("", "k" * 256):
        yield BadRequest(
            f"idempotency key of {len(key)}",
            INVALID,
            body=join(ASKED),
            headers={"content-type": MULTIPART, "idempotency-key": key},
        )


def wrong_callbacks() -> Iterator[BadRequest]:
    """Schemes and addresses that a service must never be made to ask, in every spelling."""
    urls = (
        "file:///etc/passwd",
        "javascript:alert(1)",
        "gopher://example.org",
        "//example.org",
        "x",
    )
    hosts = ("127.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "2130706433", "0x7f.1")
    hosts = (*hosts, "0", "0177.0.0.1", "user:word@example.org", "127.1", "a" * 3000, "", "[::")
    for url in (*urls, *(f"http://{host}/" for host in hosts)):
        yield form(f"callback {url[:40]}", INVALID, *ASKED, text("callback_url", url))


def wrong_addresses() -> Iterator[BadRequest]:
    ids = ("..%2f..%2fetc%2fpasswd", "%00", "%0d%0aA:b", "%ff%fe", "x" * 10_000, f"{JOB_ID}:events")
    for job_id in (*ids, JOB_ID.upper() + "A", "*", "%2a"):
        for rest in ("", "/archive", "/events"):
            name = f"job {job_id[:20]}{rest}"
            yield BadRequest(name, NOT_FOUND, f"/v1/jobs/{job_id}{rest}", "GET")
        yield BadRequest(f"cancel {job_id[:20]}", NOT_FOUND, f"/v1/jobs/{job_id}/cancel")
        yield BadRequest(f"delete {job_id[:20]}", NOT_FOUND, f"/v1/jobs/{job_id}", "DELETE")
    for number in ("NaN", "-1", "1e9", "9" * 5000, "%00", "1.0.0"):
        yield BadRequest(
            f"image {number[:20]}", INVALID, f"/v1/jobs/{JOB_ID}/images/{number}", "GET"
        )
    queries = ("limit=NaN", "limit=0", "limit=-1", "limit=1e999", "limit=101", "limit=", "limit[]=")
    cursors = ("cursor=", "cursor=..", "cursor=%00", "cursor=" + "f" * 33, "cursor=+", "cursor=(")
    for query in (*queries[:-1], "limit=" + "9" * 5000, *cursors):
        yield BadRequest(f"?{query[:20]}", INVALID, f"/v1/jobs?{query}", "GET")
    for name in ("", "%00", "a" * 81, "1234", "a%0ab", "%e2%80%ae"):
        path = f"/v1/prompts?object_name={name}"
        yield BadRequest(f"words of {name[:20]}", INVALID, path, "GET")
    for path in ("/v1/../etc/passwd", "//v1/jobs", "/v1/jobs/", "/%2e%2e/%2e%2e/etc/passwd"):
        yield BadRequest(path, NOT_FOUND, path, "GET")
    for method in ("TRACE", "PUT", "PATCH", "PROPFIND"):
        yield BadRequest(method, frozenset({"method-not-allowed"}), method=method)


def bad_requests() -> list[BadRequest]:
    """Every one that an HTTP client can send."""
    sources = (broken_forms, wrong_fields, wrong_addresses)
    return [request for source in sources for request in source()]


def odd_requests() -> dict[str, bytes]:
    """Strange, legal bodies of one image, by name."""
    file_names = {
        "path": "../../../etc/passwd",
        "NUL": "a%00.png",
        "right to left": "a\u202egnp.exe",
        "Windows device": "CON",
        "1 kB": "n" * 1000,
        "emoji": "🌰.png",
    }
    named = {f"file name: {name}": join([NUT, image(value)]) for name, value in file_names.items()}
    return {
        **named,
        **{f"object {name[:20]}": join([image(), text("object_name", name)]) for name in ODD_NAMES},
        "invalid UTF-8": join([image(), text("object_name", b"nut \xff\xfe")]),
        "content type lies": join([NUT, image(kind=b"text/html")]),
        "text after the end": join(ASKED) + b"epilogue",
    }


def raw_faults() -> dict[str, bytes]:
    """Bytes that no HTTP client would send, by name."""
    body = join(ASKED)
    host = b"Host: localhost\r\n"
    post = b"POST /v1/jobs HTTP/1.1\r\n" + host + f"Content-Type: {MULTIPART}\r\n".encode()
    size = f"Content-Length: {len(body)}\r\n".encode()
    chunked = b"Transfer-Encoding: chunked\r\n"
    chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    get = b"GET /v1/jobs HTTP/1.1\r\n"
    return {
        "chunk size is no number": post + chunked + b"\r\nzz\r\nabc\r\n0\r\n\r\n",
        "negative chunk size": post + chunked + b"\r\n-1\r\nabc\r\n0\r\n\r\n",
        "chunk size of 100 digits": post + chunked + b"\r\n" + b"f" * 100 + b"\r\nabc",
        "chunk longer than it says": post + chunked + b"\r\n2\r\nabcdef\r\n0\r\n\r\n",
        "chunks without an end": post + chunked + b"\r\n3\r\nabc\r\n",
        "chunk extension without end": post + chunked + b"\r\n3;" + b"a" * 100_000,
        "length too long": post + f"Content-Length: {len(body) + 99}\r\n\r\n".encode() + body,
        "length too short": post + b"Content-Length: 50\r\n\r\n" + body,
        "negative length": post + b"Content-Length: -1\r\n\r\n" + body,
        "length with a plus": post + b"Content-Length: +50\r\n\r\n" + body,
        "length in hex": post + b"Content-Length: 0x50\r\n\r\n" + body,
        "length of 5000 digits": post + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        "length beyond the limit": post + b"Content-Length: 268435457\r\n\r\n" + body,
        "two lengths": post + size + b"Content-Length: 1\r\n\r\n" + body,
        "length and chunks": post + size + chunked + b"\r\n" + chunk + get + host + b"\r\n",
        "chunks of unknown coding": post + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "chunked twice": post + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "space before the colon": post + b"Content-Length : 50\r\n\r\n" + body,
        "folded header": get + host + b"A: b\r\n c\r\n\tchunked\r\nContent-Length: zz\r\n\r\n",
        "NUL in a header": get + host + b"A: b\0c\r\n\r\n",
        "header without name": get + host + b": b\r\n\r\n",
        "headers of 1 MB": get + host + b"A: " + b"b" * 1_000_000 + b"\r\n\r\n",
        "200000 headers": get + host + b"A: b\r\n" * 200_000 + b"\r\n",
        "address of 1 MB": b"GET /v1/jobs/" + b"a" * 1_000_000 + b" HTTP/1.1\r\n" + host + b"\r\n",
        "address with a space": b"GET /v1/jobs /x HTTP/1.1\r\n" + host + b"\r\n",
        "address that is not ASCII": b"GET /v1/jobs/\xff\xfe HTTP/1.1\r\n" + host + b"\r\n",
        "no host": get + b"\r\n",
        "two hosts": get + host + host + b"\r\n",
        "HTTP/0.9": b"GET /v1/jobs\r\n",
        "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "TLS hello": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(500),
        "binary": bytes(range(256)) * 10,
        "HTTP/1.0 and nonsense": b"POST /v1/jobs HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
        "lines end in LF only": post.replace(b"\r\n", b"\n") + b"Content-Length: 3\n\nabc",
        "expects the impossible": post + b"Expect: 200-maybe\r\nContent-Length: 3\r\n\r\nabc",
        "upgrade": post + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc",
        "CONNECT": b"CONNECT example.org:443 HTTP/1.1\r\n" + host + b"\r\n",
        "whole address": b"GET http://169.254.169.254/v1/x HTTP/1.1\r\n" + host + b"\r\n",
    }
