"""Whether a request that came in at a loopback address is meant for it.

Other ways lead there: a proxy on this machine, a web page whose name was made to point at
127.0.0.1 (DNS rebinding), and any web page's form. They show in `Host` and `Origin`.
"""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers


def is_loopback(host: str | None) -> bool:
    """Whether the name or address is this machine's own; None is none."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def is_for_loopback(headers: Headers, origins: Collection[str]) -> bool:
    """Whether the request was sent to a loopback address, by no page but a local or a listed one.

    Args:
        headers: of the request.
        origins: web pages elsewhere that may send requests.
    """
    origin = headers.get("origin")
    try:
        host = urlsplit(f"//{headers.get('host', '')}").hostname
        is_own_page = origin is None or is_loopback(urlsplit(origin).hostname)
    except ValueError:
        return False
    return is_loopback(host) and (is_own_page or origin in origins)
