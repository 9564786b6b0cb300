"""Which text is an e-mail address, and when two are one mailbox's."""

import pytest

from actors.text.email_address import folded, is_address


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ana@Corp.COM", "ana@corp.com"), ("JOSÉ@corp.com", "jose\u0301@corp.com"), ("ÅSA@x.se", "a\u030asa@x.se")],
)
def test_one_address_in_two_spellings(one: str, other: str) -> None:
    assert folded(one) == folded(other) == folded(folded(one))


@pytest.mark.parametrize(
    "strange", ["\u212aim@corp.com", "k\u0131m@corp.com", "\uff4bim@corp.com", "k\u0130m@corp.com"]
)
def test_no_other_character_becomes_an_ascii_one(strange: str) -> None:
    assert not folded(strange).isascii()


@pytest.mark.parametrize("text", ["", "ana", "ana@", "@x", "a@b@c", "a b@c.d", "a@c.d\n", "a@c\u200b.d"])
def test_what_is_no_address(text: str) -> None:
    assert not is_address(text)


@pytest.mark.parametrize("text", ["ana@corp.com", "dev@localhost", "用户@例子.公司", "o'brien+x@corp.com"])
def test_what_is_one(text: str) -> None:
    assert is_address(text)
