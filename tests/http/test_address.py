"""Which addresses are called: by numbers alone, as the IANA registries in Python's `ipaddress` have it."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.answers import judge_by_status
from pipeline.domain.reason import Reason
from pipeline.http.address import AddressClass, classify_address
from pipeline.plan import Plan, Request, Verdict
from tests.http.conftest import MakeExecutor
from tests.http.server import Server

ANYCAST_RELAYS = (ip_address("192.0.0.9"), ip_address("192.0.0.10"))  # global, but protocol assignments
PLAN = Plan("desk", (Request("comment", "POST", "/comments", body={}),))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", AddressClass.PUBLIC),
        ("2a00:1450:4001::1", AddressClass.PUBLIC),
        ("::ffff:8.8.8.8", AddressClass.PUBLIC),
        ("64:ff9b::8.8.8.8", AddressClass.PUBLIC),
        ("127.0.0.1", AddressClass.PRIVATE),
        ("::1", AddressClass.PRIVATE),
        ("::ffff:127.0.0.1", AddressClass.PRIVATE),
        ("64:ff9b::10.0.0.1", AddressClass.PRIVATE),
        ("10.1.2.3", AddressClass.PRIVATE),
        ("172.31.255.255", AddressClass.PRIVATE),
        ("192.168.0.1", AddressClass.PRIVATE),
        ("100.64.0.1", AddressClass.PRIVATE),
        ("fd00::1", AddressClass.PRIVATE),
        ("169.254.169.254", AddressClass.FORBIDDEN),
        ("::ffff:169.254.169.254", AddressClass.FORBIDDEN),
        ("0.0.0.0", AddressClass.FORBIDDEN),  # noqa: S104 -- judged, not bound
        ("255.255.255.255", AddressClass.FORBIDDEN),
        ("224.0.0.1", AddressClass.FORBIDDEN),
        ("198.18.0.1", AddressClass.FORBIDDEN),
        ("203.0.113.5", AddressClass.FORBIDDEN),
        ("fe80::1%eth0", AddressClass.FORBIDDEN),
        ("fec0::1", AddressClass.FORBIDDEN),
        ("ff02::1", AddressClass.FORBIDDEN),
        ("2002:7f00:1::", AddressClass.FORBIDDEN),
        ("2001:0:7f00:1::", AddressClass.FORBIDDEN),
        ("2001:db8::1", AddressClass.FORBIDDEN),
        ("::127.0.0.1", AddressClass.FORBIDDEN),
        ("::", AddressClass.FORBIDDEN),
    ],
)
def test_known_addresses(address: str, expected: AddressClass) -> None:
    """Each trap of the failure catalogue (F48) by name."""
    assert classify_address(address) is expected


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
@example(IPv4Address("100.127.255.255"))
@example(IPv4Address("240.0.0.0"))
def test_v4_agrees_with_the_registries(ip: IPv4Address) -> None:
    """Public means global and no multicast, no more and (but for two anycast relays and 6to4's) no less."""
    found = classify_address(ip) is AddressClass.PUBLIC
    exempt = ip in ANYCAST_RELAYS or str(ip).startswith("192.88.99.")
    assert found == (ip.is_global and not ip.is_multicast and not exempt)


@given(st.one_of(st.integers(0, 2**128 - 1), st.integers(0x2000 << 112, (0x4000 << 112) - 1)).map(IPv6Address))
def test_v6_is_never_more_public_than_the_registries(ip: IPv6Address) -> None:
    """What we call is global there too, and what is private there is not public here."""
    if classify_address(ip) is AddressClass.PUBLIC:
        assert ip.is_global
        assert not ip.is_multicast


@given(st.integers(0, 2**32 - 1))
def test_a_wrapped_v4_is_what_it_wraps(number: int) -> None:
    """Mapped and NAT64 spellings hide nothing."""
    plain = classify_address(IPv4Address(number))
    assert classify_address(IPv6Address((0xFFFF << 32) | number)) is plain
    assert classify_address(IPv6Address((0x64FF9B << 96) | number)) is plain


def test_private_needs_permission(server: Server, make: MakeExecutor) -> None:
    """A loopback target is refused, with the line that would allow it, and never connected to."""
    outcome = make(allow_private=False).run(PLAN, judge=judge_by_status).outcome
    assert (outcome.verdict, outcome.reason) == (Verdict.DEAD, Reason.REJECTED)
    assert "set allow_private: true" in outcome.detail
    assert server.seen == []


def test_plain_http_needs_permission(server: Server, make: MakeExecutor) -> None:
    """A target without TLS is refused unless the configuration says so."""
    outcome = make(allow_http=False).run(PLAN, judge=judge_by_status).outcome
    assert (outcome.verdict, "set allow_http: true" in outcome.detail) == (Verdict.DEAD, True)


@pytest.mark.parametrize("root", ["file:///etc/passwd", "gopher://127.0.0.1:6379", "http://good.example@127.0.0.1"])
def test_other_schemes_and_users_are_refused(make: MakeExecutor, root: str) -> None:
    """Neither another scheme nor a user in front of the host gets as far as a socket."""
    assert make(root_url=root).run(PLAN, judge=judge_by_status).outcome.verdict is Verdict.DEAD


def test_a_path_is_never_part_of_the_host(server: Server, make: MakeExecutor) -> None:
    """Given a base without a slash and a path that looks like a host, then the path stays a path."""
    plan = Plan("desk", (Request("x", "GET", "@evil.example/x", reads=True),))
    make(api_path="").run(plan, judge=judge_by_status)
    assert server.seen[0].target == "/@evil.example/x"


@pytest.mark.parametrize("host", ["0x7f000001", "2130706433", "127.1"])
def test_numbers_in_disguise_are_resolved_first(server: Server, make: MakeExecutor, host: str) -> None:
    """Other spellings of 127.0.0.1 are judged as what they resolve to."""
    port = server.server_address[1]
    outcome = make(root_url=f"http://{host}:{port}", allow_private=False).run(PLAN, judge=judge_by_status).outcome
    assert (outcome.verdict, server.seen) == (Verdict.DEAD, [])


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[tuple[str, int]]) -> None:
    """The resolver gives these answers in turn, whatever it is asked."""
    left = list(answers)

    def getaddrinfo(*args: Any, **more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in left.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_the_checked_address_is_the_one_called(
    server: Server, make: MakeExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is resolved once for a connection: a second answer of the resolver is never asked for (rebinding)."""
    port = server.server_address[1]
    resolving(monkeypatch, [("127.0.0.1", port)])
    executor = make(root_url=f"http://desk.example:{port}")
    assert executor.run(PLAN, judge=judge_by_status).outcome.verdict is Verdict.DONE
    assert server.seen[0].headers["host"] == f"desk.example:{port}"


def test_one_inside_address_spoils_the_name(
    server: Server, make: MakeExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a name with a public and an inside address, then neither is called."""
    resolving(monkeypatch, [("8.8.8.8", 80), ("127.0.0.1", server.server_address[1])])
    executor = make(root_url="http://desk.example", allow_private=False)
    assert executor.run(PLAN, judge=judge_by_status).outcome.verdict is Verdict.DEAD
    assert server.seen == []


def test_a_dead_address_gives_way_to_the_next(
    server: Server, make: MakeExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given two addresses of which the first refuses, then the second is called."""
    port = server.server_address[1]
    resolving(monkeypatch, [("127.0.0.1", 1), ("127.0.0.1", port)])
    executor = make(root_url=f"http://desk.example:{port}")
    assert executor.run(PLAN, judge=judge_by_status).outcome.verdict is Verdict.DONE
