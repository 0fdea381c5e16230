"""Which network addresses a webhook may be sent to: public ones, and those that are allowed.

Source: IANA's special-purpose address registries, RFC 6890; RFC 6052 (NAT64), RFC 3056 (6to4).
"""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Python counts these as public; through each of them something private can be reached.
REFUSED_TOO = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # Azure's metadata
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64, local
        "2002::/16",  # 6to4
        "fec0::/10",  # site-local
    )
)


def parse_networks(text: str) -> tuple[Network, ...]:
    """`10.0.0.0/8, fd00::/8` as networks.

    Raises:
        ValueError: one of them is none.
    """
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def is_refused(address: Address, allowed: tuple[Network, ...]) -> bool:
    """Whether nothing may be sent there: not a public host's address, and in no allowed network."""
    if any(address in network for network in allowed):
        return False
    return (
        not address.is_global
        or address.is_multicast
        or address.is_reserved
        or any(address in network for network in REFUSED_TOO)
    )


def literal_address(host: str) -> Address | None:
    """The address that a URL's host spells out; None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
