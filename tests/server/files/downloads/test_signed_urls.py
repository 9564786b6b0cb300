"""Signed URLs: what they are bound to, and how they end."""

import time
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from actors.errors import Forbidden
from server.files.downloads.signed_urls import UrlKeys, url_key
from server.files.downloads.url_keys import CURRENT, UrlKeyFiles, rotate

KEYS = UrlKeys((url_key(b"x" * 32),))
PATH = "/api/v1/files/cabc/content"


def taken_apart(url: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(url)
    return parts.path, dict(parse_qsl(parts.query))


def signed(**parameters: str) -> tuple[str, dict[str, str]]:
    return taken_apart(KEYS.sign("GET", PATH, "cuser", 1_000, **parameters))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_good_one_says_whose_rights_count(method: str) -> None:
    path, query = signed(version="2", disposition="inline")
    found = KEYS.verify(method, path, query, 999.0)
    assert (found.path, found.user_id, found.expires_at) == (PATH, "cuser", 1_000)


@pytest.mark.parametrize(
    "change",
    [
        {"version": "3"}, {"disposition": "attachment"}, {"user": "cother"}, {"expires": "9999"}, {"key": "00000000"},
        {"size": "small"}, {"signature": ""}, {"signature": "é"},
    ],
)  # fmt: skip
def test_none_of_it_can_be_changed(change: dict[str, str]) -> None:
    path, query = signed(version="2", disposition="inline")
    with pytest.raises(Forbidden) as refused:
        KEYS.verify("GET", path, query | change, 0.0)
    assert refused.value.code == "signature_invalid"


@pytest.mark.parametrize("left_out", ["version", "user", "expires", "key", "signature"])
def test_none_of_it_can_be_left_out(left_out: str) -> None:
    path, query = signed(version="2")
    del query[left_out]
    with pytest.raises(Forbidden):
        KEYS.verify("GET", path, query, 0.0)


def test_it_is_bound_to_its_path_and_to_reading() -> None:
    path, query = signed()
    for method, where in (("GET", path.replace("cabc", "cdef")), ("PUT", path), ("DELETE", path)):
        with pytest.raises(Forbidden):
            KEYS.verify(method, where, query, 0.0)


def test_it_ends_when_its_time_has_come() -> None:
    with pytest.raises(Forbidden) as refused:
        KEYS.verify("GET", *signed(), 1_000.0)
    assert refused.value.code == "signature_expired"


def test_parameters_survive_their_way_through_a_url() -> None:
    path, query = taken_apart(KEYS.sign("GET", "/a b/ü", "c", 9, name="x &=+ü/%"))
    assert query["name"] == "x &=+ü/%"
    assert KEYS.verify("GET", "/a b/ü", query, 0.0)
    assert path == "/a%20b/%C3%BC"


def test_a_rotated_key_lets_urls_live_until_it_is_rotated_again(tmp_path: Path) -> None:
    files = UrlKeyFiles(tmp_path)
    path, query = taken_apart(files.keys.sign("GET", PATH, "c", 9))
    assert (tmp_path / CURRENT).stat().st_mode & 0o777 == 0o600
    rotate(tmp_path)
    files.keys.verify("GET", path, query, 0.0)
    assert taken_apart(files.keys.sign("GET", PATH, "c", 9))[1]["key"] != query["key"]
    rotate(tmp_path)
    with pytest.raises(Forbidden):
        files.keys.verify("GET", path, query, 0.0)


def test_all_urls_can_be_ended_at_once(tmp_path: Path) -> None:
    files = UrlKeyFiles(tmp_path)
    path, query = taken_apart(files.keys.sign("GET", PATH, "c", int(time.time()) + 60))
    rotate(tmp_path, end_all=True)
    with pytest.raises(Forbidden):
        files.keys.verify("GET", path, query, time.time())
