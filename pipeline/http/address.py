"""Which addresses may be called (decisions D11, reliability 5.2): judged on resolved numbers, never on names."""

from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from pipeline.errors import RefusedAddressError


class AddressClass(StrEnum):
    """Default deny: what is neither public unicast nor a usual inside address is forbidden."""

    PUBLIC = "public"
    PRIVATE = "private"  # loopback, RFC 1918, shared (CGNAT), unique local: only where the configuration allows it
    FORBIDDEN = "forbidden"  # link-local (cloud metadata), multicast, reserved, documentation, tunnels: never


_V4_PRIVATE = tuple(
    ip_network(net) for net in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)
_V4_FORBIDDEN = tuple(
    ip_network(net)
    for net in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_V6_PRIVATE = (ip_network("::1/128"), ip_network("fc00::/7"))
_V6_UNICAST = ip_network("2000::/3")
_V6_FORBIDDEN = tuple(ip_network(net) for net in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_V6_WITH_V4 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))  # mapped, NAT64: as what they lead to


def classify_address(address: str | IPv4Address | IPv6Address) -> AddressClass:
    """The class of one resolved address (IANA special-purpose registries). Raises ValueError if it is none."""
    ip = ip_address(address) if isinstance(address, str) else address
    return _classify_v4(ip) if isinstance(ip, IPv4Address) else _classify_v6(ip)


def check_address(address: str, host: str, *, allow_private: bool) -> None:
    """Raises RefusedAddressError unless the address is public, or private and allowed."""
    found = classify_address(address)
    if found is AddressClass.PUBLIC or (allow_private and found is AddressClass.PRIVATE):
        return
    hint = "; set allow_private: true if it is meant" if found is AddressClass.PRIVATE else ""
    raise RefusedAddressError(f"{host} resolves to {address}, which is {found}{hint}")


def check_scheme(url: str, *, allow_http: bool) -> None:
    """Raises RefusedAddressError unless it is https, or http and allowed, without a user in front of the host."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (allow_http and parts.scheme == "http"):
        raise RefusedAddressError(
            f"{parts.scheme}://{parts.hostname} is not https; set allow_http: true if it is meant"
        )
    if "@" in parts.netloc:
        raise RefusedAddressError(f"an address with a user in it ({parts.hostname}) is not called")


def _classify_v4(ip: IPv4Address) -> AddressClass:
    if any(ip in net for net in _V4_PRIVATE):
        return AddressClass.PRIVATE
    return AddressClass.FORBIDDEN if any(ip in net for net in _V4_FORBIDDEN) else AddressClass.PUBLIC


def _classify_v6(ip: IPv6Address) -> AddressClass:
    if any(ip in net for net in _V6_WITH_V4):
        return _classify_v4(IPv4Address(int(ip) & 0xFFFF_FFFF))
    if any(ip in net for net in _V6_PRIVATE):
        return AddressClass.PRIVATE
    if ip not in _V6_UNICAST or any(ip in net for net in _V6_FORBIDDEN):
        return AddressClass.FORBIDDEN
    return AddressClass.PUBLIC
