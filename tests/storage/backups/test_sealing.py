"""Sealed files: what comes back is what went in, or a sentence says why not."""

import base64
import io
import os

import pytest

from storage.backups import sealing
from storage.backups.keys import SealingKey, parse_keys
from storage.database import DatabaseProblem

KEY, OTHER = SealingKey(bytes(range(32))), SealingKey(bytes(range(1, 33)))
PIECE = sealing.PIECE
SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 7]


def sealed(content: bytes, *, compress: bool = False) -> bytes:
    target = io.BytesIO()
    sealing.seal(io.BytesIO(content), target, KEY, compress=compress)
    return target.getvalue()


def opened(data: bytes, *keys: SealingKey) -> bytes:
    return b"".join(sealing.unsealed(io.BytesIO(data), keys or (KEY,), named="backup"))


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_there_and_back(size: int, compress: bool) -> None:
    content = os.urandom(size)
    data = sealed(content, compress=compress)
    assert opened(data, OTHER, KEY) == content
    if not compress:
        assert len(data) == sealing.sealed_size(size)


def test_what_repeats_is_compressed_and_not_seen() -> None:
    content = b"the same words " * 400_000
    data = sealed(content, compress=True)
    assert len(data) < len(content) // 50
    assert opened(data) == content
    assert b"same words" not in sealed(content)
    assert sealed(b"x") != sealed(b"x"), "each file has a key of its own"


def test_another_key_is_named() -> None:
    with pytest.raises(
        DatabaseProblem, match=f"encrypted with the key {KEY.id.hex()}, and BACKUP_KEY has {OTHER.id.hex()}"
    ):
        opened(sealed(b"x"), OTHER)
    with pytest.raises(DatabaseProblem, match="and BACKUP_KEY is not set"):
        list(sealing.unsealed(io.BytesIO(sealed(b"x")), (), named="backup"))


@pytest.mark.parametrize("compress", [False, True])
def test_a_changed_byte_anywhere_is_noticed(compress: bool) -> None:
    content = os.urandom(2 * PIECE + 100)
    data = sealed(content, compress=compress)
    for place in (0, 8, 10, 20, sealing.HEADER, PIECE, PIECE + sealing.HEADER + 20, len(data) - 1):
        with pytest.raises(DatabaseProblem, match=r"damaged|not a sealed file|another|encrypted with the key"):
            opened(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])


@pytest.mark.parametrize("cut", [1, 16, 17, PIECE, PIECE + 16, PIECE + 116, 2 * PIECE + 132, 2 * PIECE + 140])
def test_a_file_that_was_cut_off_is_noticed(cut: int) -> None:
    data = sealed(os.urandom(2 * PIECE + 100))
    with pytest.raises(DatabaseProblem, match=r"damaged or cut off|cut off in its header"):
        opened(data[:-cut])


def test_pieces_that_changed_places_are_noticed() -> None:
    data = sealed(os.urandom(3 * PIECE))
    head, step = sealing.HEADER, PIECE + sealing.TAG
    first, second = data[head : head + step], data[head + step : head + 2 * step]
    with pytest.raises(DatabaseProblem, match="from byte 45 on"):
        opened(data[:head] + second + first + data[head + 2 * step :])
    with pytest.raises(DatabaseProblem, match="damaged"):
        opened(data + data[-step:])


def test_keys() -> None:
    text = base64.b64encode(KEY.secret).decode()
    assert parse_keys(f"{text}, {base64.b64encode(OTHER.secret).decode()}") == (KEY, OTHER)
    assert parse_keys("") == ()
    assert text not in repr(KEY)
    assert KEY.secret.hex() not in repr(KEY)
    for wrong in ("secret", base64.b64encode(b"short").decode(), base64.b64encode(bytes(32)).decode(), "é" * 32):
        with pytest.raises(ValueError, match="openssl rand -base64 32") as caught:
            parse_keys(wrong)
        assert wrong not in str(caught.value)
