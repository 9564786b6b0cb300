"""`SCAN_URL`."""

from pathlib import Path

import pytest

from server.outbound.scanner.clamd import Clamd
from server.outbound.scanner.command import CommandScanner
from server.outbound.scanner.location import ClamdTcp, ClamdUnix, Command, Location, parse
from server.outbound.scanner.opening import open_scanner


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clamd://127.0.0.1:3311", ClamdTcp("127.0.0.1", 3311)),
        ("clamd://scanner.internal", ClamdTcp("scanner.internal", 3310)),
        ("clamd://[::1]:3310", ClamdTcp("::1", 3310)),
        ("clamd+unix:///run/clamav/clamd.ctl", ClamdUnix(Path("/run/clamav/clamd.ctl"))),
        ("exec:/usr/local/bin/scan", Command(("/usr/local/bin/scan",))),
        ("exec:/usr/bin/clamscan --no-summary -d '/a b'", Command(("/usr/bin/clamscan", "--no-summary", "-d", "/a b"))),
    ],
)
def test_what_is_read(text: str, expected: Location) -> None:
    assert parse(text) == expected
    kind = CommandScanner if isinstance(expected, Command) else Clamd
    assert isinstance(open_scanner(expected), kind)


@pytest.mark.parametrize(
    "text",
    ["clamav", "http://host", "clamd://", "clamd://host:0", "clamd://host:99999", "clamd://user@host", "clamd://host/path",
     "clamd+unix://run/clamd.ctl", "clamd+unix:", "exec:", "exec:scan", "exec:/bin/scan 'a"],
)  # fmt: skip
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse(text)
