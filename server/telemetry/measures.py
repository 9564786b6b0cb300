"""What the server counts of its own work: plain numbers of the event loop, collected only when they are asked for.

Every key comes from a set of ours (operations, transports, error codes, SDKs), so that no client makes a new series.
"""

from collections import Counter
from typing import Final

from actors.auth.identity import Identity
from actors.errors import CODES, XpError
from actors.measures import Histogram
from actors.resources.outbox import SentBy

SDKS: Final = frozenset({"js", "python", "go", "swift", "java", "dart", "csharp"})
"""The names by which the official client libraries connect."""
TRANSPORTS: Final = ("rest", "websocket", "http_stream", "sse")


def sdk_name(given: object) -> str:
    """`none` where the client gives no name, `other` for a name that is not in `SDKS`."""
    if not given:
        return "none"
    return given if isinstance(given, str) and given in SDKS else "other"


def credential_kind(identity: Identity) -> str:
    return identity.credential.partition(":")[0]


class ServerMeasures:
    """Counted since the start. Confined to the event loop."""

    def __init__(self) -> None:
        self.operation_seconds: dict[tuple[str, str], Histogram] = {}
        """(operation, transport) → how long it took, whatever became of it."""
        self.operation_errors: Counter[tuple[str, str, str]] = Counter()
        """(operation, transport, error code)."""
        self.other_requests: Counter[int] = Counter()
        """Of pages, streams, bytes of files and unknown paths: the hundreds of the HTTP status."""
        self.recoveries: Counter[str] = Counter()
        """`recovered`: continued from a cursor without a gap; `resync`: the client had to reload."""
        self.credentials: Counter[tuple[str, str]] = Counter()
        """(kind of credential, `accepted` or an error code); those that were already verified are not judged again."""
        self.webhook_attempts: Counter[str] = Counter()
        """What came of attempts: `delivered`, `failed` (tried again), `dead`, `withdrawn`."""
        self.webhook_seconds = Histogram()
        """Of one attempt, from the look-up of the name to the status."""
        self.webhook_deliveries: dict[str, int] = {}
        """`pending`, `dead` → how many, as counted every few seconds."""
        self.outbox_sent: Counter[tuple[str, str]] = Counter()
        """(way, what came of it: `sent`, `failed`, `pending` (tried again), `read`)."""
        self.letters: Counter[tuple[str, str]] = Counter()
        """(`sign_in` or `invitation`, what came of it: `sent`, `failed`, `pending` (tried again), `unknown` (nobody has
        the address), `too_soon`)."""
        self.outbox_rows: dict[tuple[str, str], int] = {}
        """(way, `pending` or `failed`) → notifications, as counted every few seconds."""

    def given_up(self) -> dict[SentBy, int]:
        """Mails, pushes and deliveries that are not tried again, since the start."""
        letters = sum(count for (_, result), count in self.letters.items() if result == "failed")
        return {
            "email": self.outbox_sent["email", "failed"] + letters,
            "web_push": self.outbox_sent["web_push", "failed"],
            "webhook": self.webhook_attempts["dead"],
        }

    def request(self, operation: str | None, status: int, seconds: float, code: str) -> None:
        """An HTTP request that was answered; `code` of the problem, if it is one."""
        if operation is None:
            self.other_requests[status // 100] += 1
        else:
            self.operation(operation, "rest", seconds, code)

    def operation(self, name: str, transport: str, seconds: float, code: str) -> None:
        """One invocation; `code` is empty where it succeeded."""
        histogram = self.operation_seconds.get((name, transport))
        if histogram is None:
            histogram = self.operation_seconds[name, transport] = Histogram()
        histogram.observe(seconds)
        if code:
            self.operation_errors[name, transport, code if code in CODES else "other"] += 1

    def recovered(self, *, complete: bool) -> None:
        self.recoveries["recovered" if complete else "resync"] += 1

    def credential_accepted(self, identity: Identity) -> None:
        self.credentials[credential_kind(identity), "accepted"] += 1

    def credential_refused(self, error: XpError) -> None:
        self.credentials["unknown", error.code if error.code in CODES else "other"] += 1
