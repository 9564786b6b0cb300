"""Where settings come from, and what is refused where it is read."""

import os
import subprocess
from pathlib import Path

import click
import pytest

from cli import settings
from tests.cli.conftest import SECRET, Xp


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(**environment: str) -> settings.Settings:
    return settings.load(environment=environment)


@pytest.mark.parametrize("setting", settings.SETTINGS, ids=lambda setting: setting.name)
@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_setting_is_not_set(setting: settings.Setting, empty: str, folder: Path) -> None:
    chosen = load(**{setting.name: empty})
    assert (chosen[setting.key], chosen.sources[setting.key]) == (load()[setting.key], "default")


def test_an_empty_flag_gives_way_to_the_environment(folder: Path) -> None:
    chosen = settings.load({"port": "", "host": "::1"}, {"PORT": "9000", "HOST": "127.0.0.1"})
    assert (chosen["port"], chosen["host"]) == (9000, "::1")


@pytest.mark.parametrize(("name", "value"), [
    ("AUTH_COOKIE", "a b"), ("AUTH_COOKIE", "a;b"), ("AUTH_COOKIE", "ä"), ("AUTH_COOKIE", "a=b"),
    ("HOST", "http://127.0.0.1"), ("HOST", "a b"), ("PORT", "-1"), ("PORT", "70000"), ("PORT", "٣"),
    ("PUBLIC_URL", "chat.example.com"), ("PUBLIC_URL", "https://"), ("PUBLIC_URL", "https://a:99999"),
    ("PUBLIC_URL", "https://chat.example.com/?a=1"), ("PUBLIC_URL", "https://chat.example.com#a"),
    ("AUTH_URL", "javascript:alert(1)"), ("AUTH_URL", "https://user:password@example.com"),
    ("JWT_JWKS_URL", "https:///keys"), ("JWT_JWKS_URL", "file:///etc/passwd"), ("OIDC_ISSUER", "accounts.google.com"),
    ("PROBLEM_BASE", "problems"), ("LIVE_CHANNELS", "cursor:*,thread:*"), ("LIVE_CHANNELS", "a b"),
    ("JWT_ISSUER", "a\nb"), ("ALLOWED_DOMAINS", "a\x00"), ("RATE_READ", "many"), ("PING_INTERVAL", "nan"),
    ("MAX_CONNECTIONS_PER_USER", "0"), ("TRUSTED_PROXIES", "10.0.0.1/8"), ("LOG_LEVEL", "loud"),
    ("DATA_DIR", "a\udcff"), ("BLOB_URL", "gs://bucket"), ("BLOB_URL", "s3://b?endpoint=minio"), ("AWS_REGION", "EU 1"),
    ("SCAN_URL", "clamav"), ("SCAN_URL", "exec:scan"), ("SCAN_URL", "clamd://h:99999"),
    ("OFFICE_COMMAND", "soffice {input}"), ("HOST", ".."), ("HOST", "a" * 64),
])  # fmt: skip
def test_each_is_checked_where_it_is_read(name: str, value: str, folder: Path) -> None:
    with pytest.raises(click.ClickException) as caught:
        load(**{name: value})
    assert caught.value.message.startswith(f"{name}: expected ")
    assert caught.value.message.endswith("came from the environment.")


def test_blanks_around_a_value_do_not_count(folder: Path) -> None:
    chosen = load(AUTH_COOKIE=" session ", PORT="9000\t".strip() + " ", JWT_SECRET=f" {SECRET} ")
    assert (chosen["auth_cookie"], chosen["port"]) == ("session", 9000)
    assert chosen["jwt_secret"] == f" {SECRET} ", "a secret is taken as it is"


# A settings file


def test_the_file_in_the_current_folder(folder: Path) -> None:
    (folder / ".env").write_text("# of compose\nPORT=9001\nexport HOST='::1'\nDATA_DIR=\nPOSTGRES_PASSWORD=\"x y\"\n")
    chosen = load(PORT="9002")
    assert (chosen["port"], chosen.sources["port"]) == (9002, "environment")
    assert (chosen["host"], chosen.sources["host"]) == ("::1", "file .env")
    assert chosen.sources["data_dir"] == "default"


def test_a_named_file_stands_in_its_place(xp: Xp, folder: Path) -> None:
    (folder / ".env").write_text("PORT=9001\n")
    (folder / "server.conf").write_text("AUTH_COOKIE=mine\r\n")
    found = xp("config", "--json", "--config", "server.conf").json
    assert found["AUTH_COOKIE"] == {"value": "mine", "source": "file server.conf"}
    assert found["PORT"]["source"] == "default"


@pytest.mark.parametrize(("text", "said"), [
    (b"AUTH_COOKE=x\n", "server.conf: there is no setting AUTH_COOKE; did you mean AUTH_COOKIE?"),
    (b"zzz=x\n", "server.conf: there is no setting zzz; `xp config` lists all of them."),
    (b"PORT=1\nPORT\n", "server.conf, line 2: expected NAME=value."),
    (b"HOST='a\n", "server.conf, line 1: expected NAME=value."),
    (b"HOST=caf\xe9\n", "server.conf: expected text in UTF-8; byte 8 is none."),
    (b"PORT=x\n", "PORT: expected a port from 0 to 65535; 'x' came from the file server.conf."),
])  # fmt: skip
def test_a_file_that_is_wrong_is_refused(text: bytes, said: str, xp: Xp, folder: Path) -> None:
    (folder / "server.conf").write_bytes(text)
    assert xp("config", "--config", "server.conf").sentence == said


def test_a_file_that_is_not_there(xp: Xp, folder: Path) -> None:
    said = xp("serve", "--config", "missing.conf").sentence
    assert said == "missing.conf: No such file or directory; it was to hold settings."


# What is shown


def test_every_value_is_shown_as_it_is_given(xp: Xp) -> None:
    given = {"RATE_READ": "100/s:400", "RATE_AUTH": "30/min:60", "TRUSTED_PROXIES": "10.0.0.0/8,::1/128",
             "BLOB_URL": "s3://bucket/a?region=auto&sse=AES256"}  # fmt: skip
    found = xp("config", "--json", **given).json
    assert {name: found[name]["value"] for name in given} == given


# Bytes that are no text


def test_bytes_from_a_pipe_that_are_not_utf_8(command_line: list[str], tmp_path: Path) -> None:
    for words in (["thread", "post", "T", "-"], ["token", "inspect", "-"], ["token", "revoke", "-"]):
        ran = subprocess.run([*command_line, *words], input=b"caf\xe9", capture_output=True, check=False)
        assert ran.stderr.decode() == "Error: stdin: expected text in UTF-8; byte 3 is 0xe9, in another encoding.\n"
        assert ran.returncode == 1


def test_an_argument_that_is_not_utf_8(command_line: list[str]) -> None:
    words = [*map(os.fsencode, command_line), b"user", b"create", b"caf\xe9@x.org"]
    ran = subprocess.run(words, capture_output=True, check=False)
    assert ran.stderr.decode() == "Error: Argument 3: expected text in UTF-8; caf\\xe9@x.org is not.\n"
    assert ran.returncode == 1
