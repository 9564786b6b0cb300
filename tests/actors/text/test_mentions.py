"""Whom a message names, whatever stands around it."""
# ruff: noqa: RUF001 - names in all scripts, and letters that look alike

import json
import sys
from collections.abc import Callable, Collection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import limits
from actors.text.mentions import NOBODY, Mentions, may_mention
from actors.text.names import handles
from storage import markdown
from storage.resources.notifications.mention_lookup import mentions

ANA, BOB = "cana0" + "0" * 20, "cbob0" + "0" * 20


PEOPLE = {"ana", "bob", "carol", "ana-maria", "a.b+c", "ünal", "李雷", "иван", "strasse", "allan"}


def named(content: str, *blocks: Any, people: Collection[str] = PEOPLE) -> set[str]:
    """All in one: ids, names that somebody bears, and `*` for everybody."""
    found = mentions(content, json.dumps(blocks) if blocks else None)
    names = {next((each for each in name if each in people), "") for name in found.names} - {""}
    return {*found.ids, *names, *("*" if found.everyone else ())}


@pytest.mark.parametrize(
    ("content", "who"),
    [
        ("", set()), ("nobody at all", set()), ("@", set()), ("@ ana", set()), ("@-ana", set()),
        ("@ana", {"ana"}), ("Ask @Ana, or (@BOB)!", {"ana", "bob"}), ("@ana @Ana @ANA", {"ana"}),
        ("@ana's turn", {"ana"}), ("@ana.", {"ana"}), ("@ana...", {"ana"}), ("@ana-maria", {"ana-maria"}),
        ("@a.b+c", {"a.b+c"}), ("@ana\n@bob", {"ana", "bob"}), ("**@ana**", {"ana"}), ("> @ana", {"ana"}),
        ("@Ünal @李雷 @Иван", {"ünal", "李雷", "иван"}), ("@Straße", {"strasse"}),
        ("bob@example.com", set()), ("mail bob.b@example.com, @ana", {"ana"}), ("b+c@example.com", set()),
        ("x-@ana", set()), ("https://x.io/@ana", set()), ("@@ana", set()), ("n@me", set()),
        ("@all", {"*"}), ("@ALL, look", {"*"}), ("@all.", {"*"}), ("@allan", {"allan"}), ("call@all", set()),
        (f"<@{ANA}>", {ANA}), (f"@{ANA}", {ANA}), (f"@[Ana B.](user:{ANA})", {ANA}),
        (f"＠[Ana](user:{ANA}) <＠{BOB}>", {ANA, BOB}), (f"@[x](user:{ANA[:-1]})", set()),
        (f"@[@bob](user:{ANA}) @bob", {ANA, "bob"}), (f"@[bob@x.io](user:{ANA})", {ANA}), (f"[Ana](user:{ANA})", set()),
        (f"<@{ANA}><@{BOB}>", {ANA, BOB}), ("<@ana>", {"ana"}), (f"@[a\nb](user:{ANA})", {ANA}),
    ],
)  # fmt: skip
def test_whom_a_text_names(content: str, who: set[str]) -> None:
    assert named(content) == who


@pytest.mark.parametrize(
    ("content", "who"),
    [
        ("`@ana` @bob", {"bob"}), ("``@ana`` @bob", {"bob"}), ("`` `@ana` `` @bob", {"bob"}), ("`@ana", {"ana"}),
        ("``@ana`", {"ana"}), ("`a` @ana `b`", {"ana"}), ("`@ana\n@ana` @bob", {"bob"}), ("` @all `", set()),
        (f"`<@{ANA}>` `@[x](user:{ANA})`", set()), ("x`y`@ana", {"ana"}),
        ("```\n@ana\n```\n@bob", {"bob"}), ("```py @ana\n@ana\n```", set()), ("```\n@ana", set()),
        ("````\n```\n@ana\n````\n@bob", {"bob"}), ("```\n@ana\n`````\n@bob", {"bob"}),
        ("~~~\n@ana\n```\n@ana\n~~~\n@bob", {"bob"}), ("```\n@ana\n~~~\n@ana\n```", set()),
        ("   ```\n@ana\n   ```\n@bob", {"bob"}), ("``` `\n@ana", {"ana"}),
        ("```\n@ana\n``` no end\n@ana\n```\n@bob", {"bob"}), ("before ```\n@ana", {"ana"}),
    ],
)  # fmt: skip
def test_code_names_nobody(content: str, who: set[str]) -> None:
    assert named(content) == who


def rich(*elements: Any) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


@pytest.mark.parametrize(
    ("block", "who"),
    [
        ({"type": "section", "text": {"type": "mrkdwn", "text": "ask @ana"}}, {"ana"}),
        ({"type": "section", "fields": [{"type": "plain_text", "text": "@ana"}, {"text": "@bob"}]}, {"ana", "bob"}),
        (rich({"type": "user", "user_id": ANA}), {ANA}),
        (rich({"type": "text", "text": "Hi "}, {"type": "user", "user_id": ANA}), {ANA}),
        (rich({"type": "text", "text": "Hi"}, {"type": "user", "user_id": ANA}, {"type": "text", "text": "님"}), {ANA}),
        (rich({"type": "user", "user_id": ANA}, {"type": "user", "user_id": BOB}), {ANA, BOB}),
        (rich({"type": "text", "text": "Hi"}, {"type": "user", "user_id": "bob"}, {"type": "emoji"}), {"bob"}),
        (rich({"type": "broadcast", "range": "all"}), {"*"}),
        (rich({"type": "text", "text": "x"}, {"type": "broadcast", "range": "all"}), {"*"}),
        (rich({"type": "text", "text": "@ana", "style": {"code": True}}, {"type": "text", "text": " @bob"}), {"bob"}),
        (rich({"type": "text", "text": "@ana", "style": {"bold": True}}), {"ana"}),
        ({"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "@ana"}]}, set()),
        ({"type": "code", "text": "@ana"}, set()),
        ({"type": "section", "text": {"type": "mrkdwn", "text": "`@ana` @bob"}}, {"bob"}),
        ({"type": "button", "value": "@ana", "action_id": "@bob"}, set()),
        ({"type": "image", "image_url": "https://x/@ana", "alt_text": "@bob"}, {"bob"}),
        ({"text": "@ana", "elements": 5, "style": "code", "type": ["code"]}, {"ana"}),
    ],
)  # fmt: skip
def test_whom_blocks_name(block: dict[str, Any], who: set[str]) -> None:
    assert named("", block) == who
    assert named("@carol", block) == who | {"carol"}
    assert may_mention("", json.dumps([block])) or not who


def test_the_first_fifty_are_named() -> None:
    names = mentions(" ".join(f"@n{n}" for n in range(limits.MENTIONS + 10)), None).names
    assert names == {(f"n{n}",) for n in range(limits.MENTIONS)}
    assert len(mentions("".join(f"<@c{n:024}>" for n in range(limits.MENTIONS + 10)), None).ids) == limits.MENTIONS


def test_what_an_edit_adds() -> None:
    before, after = mentions(f"@ana @all <@{ANA}>", None), mentions(f"@bob @all <@{ANA}> <@{BOB}>", None)
    assert after - before == Mentions(frozenset({BOB}), frozenset({("bob",)}))
    assert not (before - before)
    assert before - NOBODY == before


def test_by_what_somebody_is_found() -> None:
    assert handles("Ana María  Sol", "Ana.Sol@Example.com") == ("anamaríasol", "ana.sol")
    assert handles("", "") == ("", "")


@pytest.mark.parametrize(
    ("content", "people", "who"),
    [
        # scripts, and forms of the same letter
        ("@प्रिया look", "प्रिया", "प्रिया"),
        ("@தமிழ்!", "தமிழ்", "தமிழ்"),
        ("@မောင်မောင်", "မောင်မောင်", "မောင်မောင်"),
        ("@Jose\u0301", "josé", "josé"),
        ("@\u1107\u1169님", "보", "보"),
        ("@ｂｏ", "bo", "bo"),
        ("＠bo", "bo", "bo"),
        ("@ｶﾞｲﾄﾞ", "ガイド", "ガイド"),
        ("@İlker bak", "ilker", "ilker"),
        ("@می\u200cخواهم", "میخواهم", "میخواهم"),
        ("@שרה, תראי", "שרה", "שרה"),
        ("@محمد، انظر", "محمد", "محمد"),
        ("привет @Иван!", "иван", "иван"),
        ("@b\u200bo", "bo", "bo"),
        ("@葛\U000e0100城", "葛\U000e0100城", "葛\U000e0100城"),
        ("@བཀྲ་ཤིས་ལགས", "བཀྲ་ཤིས", "བཀྲ་ཤིས"),
        ("@IŞIK bak", "işik", "işik"),
        ("@ışık bak", "işik", "işik"),
        ("@\u2068שרה\u2069 hi", "שרה", "שרה"),
        ("@🚀bo hi", "🚀bo bo", "🚀bo"),
        ("@★bo★, hi", "★bo★", "★bo★"),
        ("@👩🏽\u200d💻dev", "👩🏽💻dev", "👩🏽💻dev"),
        # one beside another
        ("@bo/@cy", "bo cy", "bo cy"),
        ("@bo+@cy", "bo cy", "bo cy"),
        ("x/@bo/@cy", "bo cy", ""),
        # no space after it, or before it
        ("@bo님 확인", "bo", "bo"),
        ("@보님", "보", "보"),
        ("@김철수님께", "김철수 김", "김철수"),
        ("@田中さん、お願い", "田中", "田中"),
        ("请@张伟看一下", "张伟", "张伟"),
        ("@สมชายครับ", "สมชาย", "สมชาย"),
        ("@อ้อมค่ะ", "อ้อม", "อ้อม"),
        ("@boを", "bo", "bo"),
        ("확인@bo", "bo", "bo"),
        ("@bo.확인", "bo", "bo"),
        ("@bo🚀", "bo", "bo"),
        ("🚀@bo", "bo", "bo"),
        ("@all님 확인", "", "*"),
        ("@all看", "", "*"),
        ("@ジョン・スミスさん", "ジョン・スミス ジョン", "ジョン・スミス"),
        ("@Владимиру", "владимир", ""),
        ("@bobby", "bob", ""),
        ("@bo2", "bo", ""),
        ("привет@bo", "bo", ""),
        # apostrophes, hyphens, full stops
        ("@O'Brien look", "o'brien o", "o'brien"),
        ("@O’Brien look", "o'brien o", "o'brien"),
        ("@O'Brien", "o", ""),
        ("@OʼBrien’s turn", "o'brien", "o'brien"),
        ("@Ｏ＇Brien", "o'brien", "o'brien"),
        ("@D'Angelo", "d'angelo d", "d'angelo"),
        ("@bo's", "bo", "bo"),
        ("@bo’ll", "bo", "bo"),
        ("@Ali’nin", "ali", "ali"),
        ("l'@bo", "bo", "bo"),
        ("'@bo'", "bo", "bo"),
        ("@Jean‑Luc!", "jean-luc jean", "jean-luc"),
        ("@Jean-Luc", "jean", ""),
        ("@bo—look", "bo", "bo"),
        ("@bo–look", "bo", "bo"),
        ("wait...@bo", "bo", "bo"),
        ("@bo…", "bo", "bo"),
        ("@j.doe.", "j.doe", "j.doe"),
        # beside signs of Markdown
        ("_@bo_", "bo", "bo"),
        ("__@bo__", "bo", "bo"),
        ("~~@bo~~", "bo", "bo"),
        ("***@bo***", "bo", "bo"),
        ("# @bo", "bo", "bo"),
        ("| a | @bo |\n|---|---|", "bo", "bo"),
        ("x_@bo", "bo", ""),
        ("- [ ] @bo", "bo", "bo"),
        ("\\@bo", "bo", "bo"),
        # code, wherever it stands
        ("- ```python\n  @bo\n  ```", "bo", ""),
        ("> ```\n> @bo\n> ```", "bo", ""),
        ("> - ~~~\n>   @bo", "bo", ""),
        ("    @bo", "bo", ""),
        ("\t@bo", "bo", ""),
        ("a\n    @bo", "bo", "bo"),
        ("1. x\n\n       @bo", "bo", ""),
        ("1. x\n\n   @bo", "bo", "bo"),
        ("- x\n\n  - @bo", "bo", "bo"),
        ("`` ` @bo ` ``", "bo", ""),
        ("> `@bo`", "bo", ""),
        ("```\n@bo\n```\n@cy", "bo cy", "cy"),
        ("`@bo\n\n@cy`", "bo cy", "bo cy"),
        ("\ufeff```\n@bo\n```", "bo", ""),
        # HTML
        ("hi <!-- @bo --> @cy", "bo cy", "cy"),
        ("<!--\n@bo\n\n@bo\n-->\n\n@cy", "bo cy", "cy"),
        ('<a title="@bo" href="/">@cy</a>', "bo cy", "cy"),
        ("<code>@bo</code> @cy", "bo cy", "cy"),
        ("<PRE>\n\n@bo\n</PRE>", "bo", ""),
        ("<div>\n<code>@bo</code> @cy\n</div>", "bo cy", "cy"),
        ("<script>x(@bo)</script>", "bo", ""),
        ("<b>@bo</b>님", "bo", "bo"),
        ("<details>\n@bo\n</details>", "bo", "bo"),
        ("`<!--` @bo `-->`", "bo", "bo"),
        ("a < b @bo", "bo", "bo"),
        ("\\`@bo\\`", "bo", "bo"),
        # addresses, and links
        ("https://x.example/?to=@all", "", ""),
        ("x.example/?to=@all", "", ""),
        ("<https://x/?to=@all>", "", ""),
        ("http://x/@bo, @cy", "bo cy", "cy"),
        ("ftp://a@bo/x", "bo", ""),
        ("mailto:x@bo", "bo", ""),
        ("www.x.io/=@bo", "bo", ""),
        ("<x@bo.com>", "bo bo.com", ""),
        ("root@bo", "bo", ""),
        ("田中@bo.com", "bo bo.com", ""),
        ("@bo@cy.social", "bo cy", "bo"),
        ("[@bo](https://x/@cy)", "bo cy", "bo"),
        ("[x](/u/@bo)", "bo", ""),
        ("[x](<@bo>)", "bo", ""),
        ('[x](/ "@bo")', "bo", ""),
        ("[x]: /=@bo\n\n[x]", "bo", ""),
        ("![@bo](x)", "bo", ""),
        ("[x](y)@bo", "bo", "bo"),
        ("看https://x.cn/=@cy，@bo", "bo cy", "bo"),
    ],
)
def test_a_name_in_any_script_beside_any_sign(content: str, people: str, who: str) -> None:
    assert named(content, people=people.split()) == set(who.split())
    if "\n" not in content and not content.startswith((" ", "\t")):
        assert named(f"Hm. {content}\n\nYes.", people=people.split()) == set(who.split())


LONG = "\n\n" + "Many words. " * (limits.MARKDOWN_CHARS // 12) + "\n\n"


@pytest.mark.parametrize(
    ("content", "who"),
    [
        ("@ana", {"ana"}), ("`@ana`", set()), ("```\n@ana\n```\n@bob", {"bob"}), ("- ```\n  @ana\n  ```", set()),
        ("> ```\n> @ana\n> ```\n> @bob", {"bob"}), ("    @ana", set()), ("- x\n\n    @ana", {"ana"}),
        ("1. ~~~\n   @ana\n   ~~~", set()), ("[@ana](https://x/@bob)", {"ana"}), (f"@[Ana](user:{ANA})", {ANA}),
        ("https://x/?to=@all", set()), ("@ana님", {"ana"}), ("x <!-- @ana --> <Code>@ana</code> @bob", {"bob"}),
        ("x <!-- @ana", {"ana"}),
    ],
)  # fmt: skip
def test_a_text_that_is_too_long_to_be_parsed(content: str, who: set[str]) -> None:
    assert named(LONG + content) == named(content + LONG) == who


def test_a_name_is_compared_in_one_form() -> None:
    for one, other in (
        ("José", "Jose\u0301"), ("O’Brien", "O'BRIEN"), ("ﬁona", "Fiona"), ("Ｂｏ", "bo"), ("Jean‑Luc", "jean-luc"),
        ("İlker", "ilker"), ("Straße", "STRASSE"), ("ΣΟΦΟΣ", "σοφος"), ("B\u200bo", "bo"), ("ｶﾞｲﾄﾞ", "ガイド"),
    ):  # fmt: skip
        assert handles(one, "")[0] == handles(other, "")[0] != ""


words = st.sampled_from(["@ana", "@all", "`", "```", "~~~", "\n", " ", "x", f"<@{ANA}>", "@[a](user:", "\\", "é"])
texts = st.lists(words, max_size=30).map("".join)
FENCE = "`" * 100
"""Longer than any that closes it."""


@given(texts | st.text(max_size=60))
def test_what_is_left_is_part_of_the_text(text: str) -> None:
    left = markdown.prose(text.replace("\0", ""))
    rest = iter(text)
    assert all(character in rest for character in left if character not in " \n")


@given(texts)
def test_who_is_named_without_a_look_is_nobody(text: str) -> None:
    assert may_mention(text, None) or mentions(text, None) == NOBODY


@given(texts)
def test_in_a_fence_nobody_is_named(text: str) -> None:
    assert named(f"{FENCE}\n{text}") == set()


# Time

HOSTILE = (
    "`", "` ", "`a", "``` ", "```\n", "~~~\n~~~~\n", "```a`\n", "`\n``\n", "@", "@a", "@a ", "@[", "@[a](user:c", "@[a",
    "<@c", "@漢字", "@a'", "> ", "- ", "[a](", "![", "[a\n", "@\u0301", "www.", "x.io/", "https://",
    "&", "@a.",
    "<!--", "<!-- -->", "<code>", "<code></code>", "<a ", "<?", "</",
    "@" + "a" * 64, "a@b ", "`" * 7 + "x" + "`" * 6, " ```", "\\`",
)  # fmt: skip


def steps(work: Callable[[], object]) -> int:
    """Instructions of Python that it takes."""
    work()  # what is made once is there
    count = 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("piece", HOSTILE)
def test_twice_the_text_is_twice_the_work(piece: str) -> None:
    few, many = ("".join([piece] * n) for n in (400, 800))
    assert steps(lambda: mentions(many, None)) < 2.2 * steps(lambda: mentions(few, None)) + 1_000


@pytest.mark.parametrize("growing", [False, True])
def test_runs_of_backticks_of_all_lengths(growing: bool) -> None:
    """Where each run looks for another of its length."""

    def text(count: int) -> str:
        lengths = range(1, count) if growing else range(count, 0, -1)
        return " ".join("`" * length for length in lengths)

    few, many = text(100), text(200)
    assert steps(lambda: markdown._line_by_line(many)) < 2.2 * steps(lambda: markdown._line_by_line(few)) + 1_000


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", HOSTILE)
def test_a_text_far_longer_than_any_message_is_read_to_its_end(piece: str) -> None:
    """The work that Python does not count is that of its regular expressions: many minutes, were it not linear."""
    mentions((piece * 2**20)[: 2**20], None)
