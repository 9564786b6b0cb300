"""Settings that weaken the server: what `xp doctor` says of them."""

import pytest

from cli import settings
from cli.settings.hints import hints
from tests.cli.conftest import SECRET, Xp

GOOD = {"JWT_SECRET": SECRET}
ISSUER = {"JWT_ISSUER": "https://i", "JWT_AUDIENCE": "us"}


def hinted(**environment: str) -> list[str]:
    return [hint.setting for hint in hints(settings.load({}, GOOD | environment))]


def test_the_defaults_and_what_is_good_are_not_commented() -> None:
    assert hinted() == []
    assert [hint.setting for hint in hints(settings.load({}, {}))] == []
    assert hinted(JWT_JWKS_URL="https://issuer.example.com/keys", **ISSUER) == []
    assert hinted(JWT_SECRET="0123456789abcdef" * 2) == []
    assert hinted(COOKIE_SECURE="off", HOST="127.0.0.1") == []
    assert hinted(ALLOWED_ORIGINS="https://app.example.com,http://localhost:5173,http://127.0.0.1:3000") == []
    assert hinted(TRUSTED_PROXIES="10.0.0.0/8,::1") == []
    assert hinted(BLOB_URL="s3://bucket?endpoint=http://127.0.0.1:9000") == []


@pytest.mark.parametrize(
    ("environment", "setting"),
    [
        ({"JWT_SECRET": "changeme" * 5}, "JWT_SECRET"),
        ({"JWT_SECRET": "x" * 40}, "JWT_SECRET"),
        ({"JWT_SECRET": "your-jwt-secret-key"}, "JWT_SECRET"),
        ({"JWT_JWKS_URL": "https://i/keys", "JWT_ISSUER": "https://i"}, "JWT_AUDIENCE"),
        ({"JWT_JWKS_URL": "https://i/keys", "JWT_AUDIENCE": "us"}, "JWT_ISSUER"),
        ({"JWT_JWKS_URL": "https://www.googleapis.com/oauth2/v3/certs", **ISSUER}, "TRUST_ROLE_CLAIM"),
        ({"ALLOWED_DOMAINS": ","}, "ALLOWED_DOMAINS"),
        ({"COOKIE_SECURE": "off", "HOST": "0.0.0.0"}, "COOKIE_SECURE"),
        ({"BACKUP_SCHEDULE": "1d", "BACKUP_URL": "/elsewhere"}, "BACKUP_KEY"),
        ({"BACKUP_SCHEDULE": "1d", "BACKUP_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}, "BACKUP_URL"),
        ({"ALLOWED_ORIGINS": "https://a.example.com,http://b.example.com"}, "ALLOWED_ORIGINS"),
        ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "TRUSTED_PROXIES"),
        ({"TRUSTED_PROXIES": "::/0"}, "TRUSTED_PROXIES"),
        ({"RATE_LIMITS": "off"}, "RATE_LIMITS"),
        ({"BLOB_URL": "s3://bucket?endpoint=http://minio.example.com:9000"}, "BLOB_URL"),
    ],
)
def test_what_is_weak(environment: dict[str, str], setting: str) -> None:
    assert hinted(**environment) == [setting]


def test_roles_that_are_not_trusted_are_no_matter() -> None:
    url = "https://appleid.apple.com/auth/keys"
    assert hinted(JWT_JWKS_URL=url, TRUST_ROLE_CLAIM="off", **ISSUER) == []
    assert hinted(JWT_JWKS_URL="https://notapple.com/keys", **ISSUER) == []


def test_a_hint_is_shown_and_changes_no_exit_code(xp: Xp) -> None:
    ran = xp("doctor", PORT="0", RATE_LIMITS="off")
    assert ran.code == 0
    (line,) = [line for line in ran.out.splitlines() if "│ !" in line]
    assert "RATE_LIMITS" in line
    assert "passwords can be guessed" in line
    (look,) = [look for look in xp("doctor", "--json", PORT="0", RATE_LIMITS="off").json if look["hint"]]
    assert (look["name"], look["good"], look["found"]) == ("RATE_LIMITS", True, "off")


def test_no_secret_is_shown(xp: Xp) -> None:
    assert "changeme" not in xp("doctor", PORT="0", JWT_SECRET="changeme" * 5).out
