"""No webhook reaches an address inside, by whatever name, unless an operator named its network."""

import ipaddress
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from actors.resources.webhooks import Outgoing
from server.outbound.addresses import AddressRefused, AddressRules, CheckedResolver, is_public
from server.outbound.webhooks.sender import Sender
from tests.server.outbound.webhooks.hooks import WEBHOOKS, hook, tried
from tests.server.outbound.webhooks.receiver import Receiver
from tests.serving import Client, Server, serving

INSIDE = (
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1", "224.0.0.1", "224.0.1.5", "240.0.0.1",
    "255.255.255.255", "192.0.2.1", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "::ffff:a00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "2001:0:a00:1::5601:5601", "fe80::1", "fec0::1", "fd00:ec2::254", "fc00::1", "ff02::1", "2001:db8::1",
)  # fmt: skip
PUBLIC = ("1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101")


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    assert AddressRules().fault(f"https://{host}/hook") is not None


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_internet(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_an_operator_may_name_networks() -> None:
    rules = AddressRules([ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")])
    allowed = {address for address in INSIDE if rules.allows(ipaddress.ip_address(address))}
    assert allowed == {"10.1.2.3", "::ffff:a00:1", "fd00:ec2::254"}
    assert not rules.without_internet.allows(ipaddress.ip_address("1.1.1.1"))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "https://user:pass@example.com/", "https://example.com/#f", "https://example.com:0/",
        "https://example.com:99999/", "https:///hook", "https://[::1/", "https://127.0.0.1/", "https://[::1]:8443/",
    ],
)  # fmt: skip
async def test_urls_that_are_refused_at_once(url: str, alice: Client, tmp_path: Path) -> None:
    async with serving(tmp_path / "other") as strict:
        ann = strict.client("ann")
        answer = await ann.post(WEBHOOKS, url=url, events=["message.created"])
        assert (answer.status, list(answer.error["errors"])) == (400, ["url"])


class Names(AbstractResolver):
    """A name service under control of somebody else."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(hostname=host, host=each, port=port, family=_family(each), proto=0, flags=0) for each in found
        ]

    async def close(self) -> None:
        pass


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::ffff:169.254.169.254", "fe80::1%eth0", "::1"])
async def test_names_of_addresses_inside(address: str) -> None:
    with pytest.raises(AddressRefused):
        await CheckedResolver(AddressRules(), Names([address])).resolve("evil.example", 443)


async def test_of_several_addresses_those_of_the_internet_are_left() -> None:
    found = await CheckedResolver(AddressRules(), Names(["10.0.0.1", "1.1.1.1", "::1"])).resolve("evil.example", 443)
    assert [each["host"] for each in found] == ["1.1.1.1"]


def outgoing(url: str) -> Outgoing:
    return Outgoing("c" + "0" * 24, "c" + "1" * 24, url, ("whsec_c2VjcmV0",), "webhook.test", None)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


@pytest.mark.parametrize(
    "host",
    ["internal.example", "localhost", "0x7f000001", "2130706433", "127.1", "0177.0.0.1"],
)
async def test_nothing_is_sent_inside(host: str, receiver: Receiver) -> None:
    """The receiver is there, and it hears nothing."""
    port = receiver.url.split(":")[2].split("/")[0]
    sender = Sender(AddressRules(), "1", resolver=Names(["127.0.0.1"]))
    outcome = await sender.send(outgoing(f"https://{host}:{port}/"))
    await sender.close()
    assert outcome.attempt.status is None
    assert outcome.attempt.error in ("address_refused", "connection_failed")
    assert receiver.got == []


async def test_a_name_that_answers_differently_the_second_time(receiver: Receiver) -> None:
    """DNS rebinding: there is one question for a connection, and what was checked is what is connected to."""
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    port = receiver.url.split(":")[2].split("/")[0]
    sender = Sender(AddressRules([ipaddress.ip_network("127.0.0.1")]), "1", resolver=names)
    sent = await sender.send(outgoing(f"http://rebinding.example:{port}/hook"))
    assert (sent.attempt.error, names.asked, len(receiver.got)) == (None, 1, 1)
    await sender.close()
    sender = Sender(AddressRules([ipaddress.ip_network("127.0.0.1")]), "1", resolver=names)
    again = await sender.send(outgoing(f"http://rebinding.example:{port}/hook"))
    await sender.close()
    assert (again.attempt.error, len(receiver.got)) == ("address_refused", 1)


async def test_without_tls_only_to_the_networks_of_the_operator() -> None:
    sender = Sender(AddressRules([ipaddress.ip_network("10.0.0.0/8")]), "1", resolver=Names(["1.1.1.1"]))
    outcome = await sender.send(outgoing("http://public.example/"))
    await sender.close()
    assert outcome.attempt.error == "address_refused"


async def test_a_certificate_is_verified(alice: Client, receiver: Receiver, server: Server) -> None:
    """Here there is none at all."""
    thread = await alice.thread()
    made = await hook(alice, receiver.url.replace("http:", "https:"))
    await alice.say(thread)
    assert (await tried(alice, made))["log"][0]["error"] == "tls_failed"
    assert receiver.got == []
