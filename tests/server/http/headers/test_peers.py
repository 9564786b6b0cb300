"""Where a request comes from, and who may say so: nobody but the proxies that are named."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from actors import limits
from server.http.headers.peers import Peer, Proxies, rate_limit_network
from tests.server.raw_http import raw_connection
from tests.serving import serving
from tests.tokens import token

PROXIES = Proxies([ipaddress.ip_network(text) for text in ("10.0.0.0/8", "192.0.2.1", "2001:db8:1::/48")])
NONE = Proxies()


@dataclass
class Said:
    """A request as far as it tells where it comes from."""

    remote: str | None
    lines: list[tuple[str, str]] = field(default_factory=list)
    host: str = "inner:8787"
    secure: bool = False

    @property
    def headers(self) -> CIMultiDict[str]:
        return CIMultiDict(self.lines)


def request(remote: str | None, *forwarded: str, **more: Any) -> Any:
    return Said(remote, [("X-Forwarded-For", line) for line in forwarded], **more)


CLIENT = "203.0.113.5"


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("10.0.0.1", [CLIENT], CLIENT),
        ("10.0.0.1", [f"1.1.1.1, {CLIENT}"], CLIENT),  # what stands further left its client wrote itself
        ("10.0.0.1", ["10.9.9.9, 1.1.1.1", CLIENT], CLIENT),  # in several lines
        ("10.0.0.1", [f"{CLIENT}, 10.0.0.2"], CLIENT),  # two proxies in a row
        ("10.0.0.1", [f"{CLIENT},192.0.2.1 ,2001:db8:1::7"], CLIENT),
        ("10.0.0.1", [f"{CLIENT}:50123"], CLIENT),
        ("10.0.0.1", ["[2001:db8::1]:443"], "2001:db8::1"),
        ("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1"),
        ("10.0.0.1", ["2001:DB8:0:0:0:0:0:1"], "2001:db8::1"),  # one way of writing each
        ("10.0.0.1", ["fe80::1%eth0"], "fe80::1"),
        ("10.0.0.1", ["::ffff:203.0.113.5"], CLIENT),
        ("::ffff:10.0.0.1", [CLIENT], CLIENT),  # the proxy itself by a socket of both kinds
        ("2001:db8:1::1", [CLIENT], CLIENT),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["_hidden"], "10.0.0.1"),
        ("10.0.0.1", [f"{CLIENT}, garbage"], "10.0.0.1"),
        ("10.0.0.1", [f"{CLIENT}, unknown, 10.0.0.2"], "10.0.0.2"),  # the nearest that is known
        ("10.0.0.1", ["1.2.3"], "10.0.0.1"),
        ("10.0.0.1", ["01.02.03.04"], "10.0.0.1"),  # octal to some, decimal to others
        ("10.0.0.1", ["1.2.3.4/0"], "10.0.0.1"),
        ("10.0.0.1", ["٣.٣.٣.٣"], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4\udcff"], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),  # a request from inside
        ("192.0.2.2", [CLIENT], "192.0.2.2"),  # beside a trusted one
        (CLIENT, ["1.1.1.1"], CLIENT),
        ("2001:db8:2::1", [CLIENT], "2001:db8:2::1"),
        ("", [CLIENT], ""),  # a Unix socket has no address to trust
        (None, [CLIENT], ""),
        ("/run/xp.sock", [CLIENT], "/run/xp.sock"),
    ],
)
def test_the_nearest_that_is_no_proxy(remote: str | None, forwarded: list[str], address: str) -> None:
    assert PROXIES.address(request(remote, *forwarded)) == address


@pytest.mark.parametrize("remote", ["10.0.0.1", "127.0.0.1", "::1", CLIENT])
def test_without_proxies_nobody_is_believed(remote: str) -> None:
    said = request(remote, "1.1.1.1")
    said.lines += [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.example.com")]
    assert NONE.address(said) == remote
    assert not NONE.is_secure(said)
    assert NONE.host(said) == "inner:8787"


def test_one_way_of_writing_an_address_also_without_proxies() -> None:
    assert NONE.address(request("::ffff:203.0.113.5")) == CLIENT
    assert NONE.address(request("fe80::1%eth0")) == "fe80::1"


def test_forwarded_says_by_which_address_and_never_who() -> None:
    said: Any = Said("10.0.0.1", [("Forwarded", f'for={CLIENT};proto=https;host="chat.example.com:8443"')])
    assert PROXIES.address(said) == "10.0.0.1"
    assert PROXIES.is_secure(said)
    assert PROXIES.host(said) == "chat.example.com:8443"
    assert not NONE.is_secure(said)
    assert NONE.host(said) == "inner:8787"


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"])
def test_of_a_proxy_that_speaks_otherwise_forwarded_is_not_read(header: str) -> None:
    """It only passes on what its client sent."""
    value = {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "http", "X-Forwarded-Host": "chat.example.com"}[header]
    said: Any = Said("10.0.0.1", [("Forwarded", "proto=https;host=evil.example.com"), (header, value)])
    assert not PROXIES.is_secure(said)
    assert PROXIES.host(said) in ("inner:8787", "chat.example.com")


@pytest.mark.parametrize("garbage", ["", ",", ";", "proto", 'host="', 'proto="https', "=;=", '"' * 5000, "for=x" * 999])
def test_forwarded_that_is_none_says_nothing(garbage: str) -> None:
    said: Any = Said("10.0.0.1", [("Forwarded", garbage)])
    assert not PROXIES.is_secure(said)
    assert PROXIES.host(said) == "inner:8787"


def test_in_a_row_of_proxies_the_one_that_the_client_talks_to_says_how() -> None:
    lines = [("X-Forwarded-For", f"{CLIENT}, 10.0.0.2"), ("X-Forwarded-Proto", "http, https, http")]
    assert PROXIES.is_secure(Said("10.0.0.1", lines))  # type: ignore[arg-type]
    assert not PROXIES.is_secure(Said("10.0.0.1", [lines[0], ("X-Forwarded-Proto", "http")]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("remote", "lines", "secure"),
    [
        ("10.0.0.1", ["https"], True), ("10.0.0.1", ["HTTPS "], True), ("10.0.0.1", ["http"], False),
        ("10.0.0.1", ["http, https"], True), ("10.0.0.1", ["https, http"], False),
        ("10.0.0.1", ["https", "http"], False),
        ("10.0.0.1", [], False), ("10.0.0.1", [""], False), ("10.0.0.1", ["wss"], False), (CLIENT, ["https"], False),
    ],
)  # fmt: skip
def test_tls_as_the_nearest_proxy_says(remote: str, lines: list[str], secure: bool) -> None:
    said = Said(remote, [("X-Forwarded-Proto", line) for line in lines])
    assert PROXIES.is_secure(said) == secure  # type: ignore[arg-type]


def test_tls_to_us_is_tls_unless_a_proxy_knows_better() -> None:
    assert NONE.is_secure(request(CLIENT, secure=True))
    assert PROXIES.is_secure(request(CLIENT, secure=True))
    assert PROXIES.is_secure(request("10.0.0.1", secure=True))
    said = Said("10.0.0.1", [("X-Forwarded-Proto", "http")], secure=True)
    assert not PROXIES.is_secure(said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("remote", "lines", "host"),
    [
        ("10.0.0.1", ["app.example.com"], "app.example.com"), ("10.0.0.1", ["a, b:8443"], "b:8443"),
        ("10.0.0.1", [""], "inner:8787"), ("10.0.0.1", [], "inner:8787"), (CLIENT, ["evil.example.com"], "inner:8787"),
    ],
)  # fmt: skip
def test_the_host_as_the_nearest_proxy_says(remote: str, lines: list[str], host: str) -> None:
    said = Said(remote, [("X-Forwarded-Host", line) for line in lines])
    assert PROXIES.host(said) == host  # type: ignore[arg-type]


def test_a_chain_is_read_only_so_far() -> None:
    chain = ", ".join([CLIENT] + ["10.0.0.2"] * 1_000)
    assert PROXIES.address(request("10.0.0.1", chain)) == "10.0.0.2"
    just = ", ".join([CLIENT] + ["10.0.0.2"] * (limits.PROXIES_IN_A_ROW - 1))
    assert PROXIES.address(request("10.0.0.1", just)) == CLIENT


def test_neighbours_share_their_limits() -> None:
    assert rate_limit_network("203.0.113.5") == "203.0.113.5"
    assert rate_limit_network("2001:db8::1") == rate_limit_network("2001:db8::ffff:ffff:ffff:ffff") == "2001:db8::/64"
    assert rate_limit_network("2001:db8:0:1::1") == "2001:db8:0:1::/64"
    assert rate_limit_network("") == ""
    assert rate_limit_network("a:b") == "a:b"


def test_a_peer_at_rest_holds_no_request() -> None:
    asked: list[str] = []
    peer = Peer(address="a", user_agent="b", correlation_id="c", is_secure=True, cookie=lambda name: asked.append(name))
    rest = peer.at_rest()
    assert (rest.address, rest.user_agent, rest.is_secure, rest.cookie("x")) == ("a", "b", True, None)
    assert asked == []


@pytest.mark.parametrize(
    ("origin", "headers", "status"),
    [
        ("https://app.example.com", ["X-Forwarded-Proto: https", "X-Forwarded-Host: app.example.com"], 201),
        ("https://app.example.com", ["X-Forwarded-Proto: https", "X-Forwarded-Host: app.example.com:443"], 201),
        ("https://APP.example.com", ["X-Forwarded-Proto: https", "X-Forwarded-Host: app.EXAMPLE.com"], 201),
        ("https://app.example.com:8443", ["X-Forwarded-Proto: https", "X-Forwarded-Host: app.example.com:8443"], 201),
        ("http://app.example.com", ["X-Forwarded-Proto: https", "X-Forwarded-Host: app.example.com"], 403),
        ("http://app.example.com", ["X-Forwarded-Proto: http", "X-Forwarded-Host: app.example.com"], 201),
        ("http://app.example.com", ["X-Forwarded-Host: app.example.com:80"], 201),
        ("https://app.example.com", ["X-Forwarded-Proto: https", "X-Forwarded-Host: other.example.com"], 403),
        ("https://inner", ["X-Forwarded-Proto: https"], 201),
        ("https://inner", ["X-Forwarded-Proto: https", "X-Forwarded-Host: app.example.com"], 403),
        ("ftp://inner", [], 403), ("https://", ["Host: "], 403), ("null", ["Host: "], 403), ("", ["Host: "], 403),
    ],
)  # fmt: skip
async def test_a_page_of_ours_as_its_browser_sees_us(
    tmp_path: Path, origin: str, headers: list[str], status: int
) -> None:
    async with (
        serving(tmp_path / "data", TRUSTED_PROXIES="127.0.0.0/8") as server,
        raw_connection(server.url) as connection,
    ):
        host = [] if any(line.startswith("Host:") for line in headers) else ["Host: inner"]
        answer = await connection.ask(
            "POST /api/v1/threads HTTP/1.1", *host, *headers, f"Origin: {origin}",
            f"Cookie: rpotential_auth={token('a')}", "Content-Type: application/json", "Content-Length: 13",
            body=b'{"title":"x"}',
        )  # fmt: skip
        assert answer.status == status


async def test_nobody_else_may_say_under_which_name_we_are_reached(tmp_path: Path) -> None:
    async with (
        serving(tmp_path / "data", TRUSTED_PROXIES="10.0.0.0/8") as server,
        raw_connection(server.url) as connection,
    ):
        answer = await connection.ask(
            "POST /api/v1/threads HTTP/1.1", "X-Forwarded-Host: evil.example.com", "Origin: http://evil.example.com",
            f"Cookie: rpotential_auth={token('a')}", "Content-Length: 2", body=b"{}",
        )  # fmt: skip
        assert answer.status == 403
        assert answer.error["code"] == "origin_not_allowed"
