"""Whether a request that came in at a loopback address is meant for it.

Other ways lead there: a proxy on this machine, a web page whose name was made to point at
127.0.0.1 (DNS rebinding), and any web page's form. They show in the headers: a proxy adds its own,
the others have their names in `Host` and `Origin`. A plain `proxy_pass` of nginx adds no header and
writes our own address into `Host`, but speaks HTTP/1.0, as no client of today does.
"""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers

# What proxies add: the standard's own, and the names that are in use.
FORWARDING_HEADERS = frozenset(
    (
        "cf-connecting-ip",
        "client-ip",
        "fastly-client-ip",
        "forwarded",
        "true-client-ip",
        "via",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-envoy-external-address",
        "x-original-forwarded-for",
        "x-original-host",
        "x-original-url",
        "x-proxyuser-ip",
        "x-real-ip",
        "x-rewrite-url",
        "x-scheme",
    )
)
FORWARDING_PREFIX = "x-forwarded-"


def is_loopback(host: str | None) -> bool:
    """Whether the name or address is this machine's own; None is none."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def is_for_loopback(headers: Headers, http_version: str, origins: Collection[str]) -> bool:
    """Whether the request was sent to a loopback address, by no proxy and no web page of others.

    Args:
        headers: of the request.
        http_version: "1.1", "1.0".
        origins: web pages elsewhere that may send requests.
    """
    if http_version == "1.0" or any(map(_is_forwarding, headers.keys())):
        return False
    origin = headers.get("origin")
    try:
        host = urlsplit(f"//{headers.get('host', '')}").hostname
        is_own_page = origin is None or is_loopback(urlsplit(origin).hostname)
    except ValueError:
        return False
    return is_loopback(host) and (is_own_page or origin in origins)


def _is_forwarding(name: str) -> bool:
    return name.startswith(FORWARDING_PREFIX) or name in FORWARDING_HEADERS
