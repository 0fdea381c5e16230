"""Nothing private is reachable, however it is written."""

import ipaddress

import pytest

from app.base.addresses import is_refused, literal_address, parse_networks

REFUSED = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.8.9.10",
    "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::",
    "2002:a9fe:a9fe::", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
    "ff0e::1",
)  # fmt: skip
PUBLIC = ("1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "2a00:1450::1")


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str):
    assert is_refused(ipaddress.ip_address(text), ())


@pytest.mark.parametrize("text", PUBLIC)
def test_public(text: str):
    assert not is_refused(ipaddress.ip_address(text), ())


def test_an_allowed_network_opens_itself_alone():
    allowed = parse_networks("10.1.0.0/16, fd00::/8,")
    assert not is_refused(ipaddress.ip_address("10.1.2.3"), allowed)
    assert not is_refused(ipaddress.ip_address("fd12::1"), allowed)
    assert is_refused(ipaddress.ip_address("10.2.0.1"), allowed)
    assert is_refused(ipaddress.ip_address("::1"), allowed)
    assert is_refused(ipaddress.ip_address("::ffff:10.1.2.3"), allowed)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "private", "10.0.0.0/33", "true"])
def test_networks_must_be_networks(text: str):
    with pytest.raises(ValueError, match=text.split("/", maxsplit=1)[0]):
        parse_networks(text)


def test_literal_addresses():
    assert literal_address("[::1]") == ipaddress.ip_address("::1")
    assert literal_address("127.0.0.1") == ipaddress.ip_address("127.0.0.1")
    assert literal_address("example.com") is None
