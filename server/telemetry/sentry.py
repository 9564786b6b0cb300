"""Unhandled errors to Sentry, where SENTRY_DSN is set: the type, the place in the code and the correlation id.

Not sent: the message of an exception (it may quote what a client sent), local variables, requests, users, addresses,
breadcrumbs, the name of the machine.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentry_sdk import Client

KEPT = frozenset({"event_id", "timestamp", "level", "platform", "exception", "fingerprint", "tags", "release", "sdk"})
KEPT_OF_A_FRAME = frozenset({"filename", "function", "module", "lineno", "in_app"})


class MissingExtra(Exception):
    def __init__(self) -> None:
        super().__init__("SENTRY_DSN requires the extra `sentry`: pip install 'experience-server[sentry]'")


class Sentry:
    def __init__(self, dsn: str, version: str) -> None:
        """Raises `MissingExtra`, and `ValueError` for a DSN that is none."""
        try:
            import sentry_sdk
        except ImportError as error:
            raise MissingExtra from error
        try:
            self._client: Client = sentry_sdk.Client(
                dsn=dsn, release=version, default_integrations=False,
                auto_enabling_integrations=False, max_breadcrumbs=0, include_local_variables=False,
                include_source_context=False, server_name="", before_send=_bare,
            )  # fmt: skip
        except sentry_sdk.utils.BadDsn as error:
            raise ValueError(f"SENTRY_DSN: expected a DSN such as https://KEY@o1.ingest.sentry.io/1; {error}") from None

    def send(self, error: BaseException, fingerprint: str, correlation_id: str) -> None:
        """Queued: another OS thread sends it. What Sentry does not take is dropped."""
        from sentry_sdk.utils import event_from_exception

        event, hint = event_from_exception(error, client_options=self._client.options)
        event["fingerprint"] = [fingerprint]
        event["tags"] = {"correlation_id": correlation_id}
        self._client.capture_event(event, hint)

    def close(self) -> None:
        self._client.close(timeout=1.0)


def _bare(event: Any, _: Any) -> Any:
    for exception in event.get("exception", {}).get("values", ()):
        exception["value"] = ""
        for frame in exception.get("stacktrace", {}).get("frames", ()):
            for name in frame.keys() - KEPT_OF_A_FRAME:
                del frame[name]
    return {name: value for name, value in event.items() if name in KEPT}
