"""Sends a stored file with ETag and byte ranges, from whatever place the storage is in.

Source: RFC 9110, sections 13.1.2 (If-None-Match), 13.1.5 (If-Range) and 14 (ranges).
"""

import re
from collections.abc import Iterator

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from app.files.storage import Storage
from app.problems import RangeNotSatisfiable

CHUNK_BYTES = 256 * 1024
ONE_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII)


def send_file(
    request: Request, storage: Storage, job_id: str, name: str, *, media_type: str, disposition: str
) -> Response:
    """The file, a part of it (206), or word that the client has it already (304).

    Finished files never change, so job, attempt (in `name`) and size make the ETag. A request for
    several ranges at once gets the whole file, which the RFC allows.

    Raises:
        StorageUnavailable: the file is not there, or its storage.
        RangeNotSatisfiable: the range begins behind the end.
    """
    size = storage.num_bytes(job_id, name)
    etag = f'"{job_id}-{name}-{size:x}"'
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=86400, immutable",
        "Content-Disposition": disposition,
    }
    if _is_there(etag, request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    first, last = 0, size - 1
    asked = ONE_RANGE.fullmatch(request.headers.get("range", ""))
    partial = asked is not None and request.headers.get("if-range", etag) == etag
    if asked and partial and any(asked.groups()):
        first, last = _resolve(asked, size)
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    headers["Content-Length"] = str(last - first + 1)
    return StreamingResponse(
        _read(storage, job_id, name, first, last),
        status_code=206 if "Content-Range" in headers else 200,
        media_type=media_type,
        headers=headers,
    )


def _is_there(etag: str, if_none_match: str) -> bool:
    """Whether the client has the file already, by the tags that it sent, or has any at all."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or tags == ["*"]


def _resolve(asked: re.Match[str], size: int) -> tuple[int, int]:
    """The first and the last byte of the range, both inclusive."""
    start, end = asked.groups()
    if not start:
        first, last = max(0, size - int(end)), size - 1
    else:
        first, last = int(start), min(int(end) if end else size - 1, size - 1)
    if first > last:
        raise RangeNotSatisfiable(
            f"The file has {size} bytes.", headers={"Content-Range": f"bytes */{size}"}
        )
    return first, last


def _read(storage: Storage, job_id: str, name: str, first: int, last: int) -> Iterator[bytes]:
    with storage.open(job_id, name) as file:
        file.seek(first)
        left = last - first + 1
        while left > 0 and (chunk := file.read(min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk
