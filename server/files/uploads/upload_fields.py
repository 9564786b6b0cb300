"""What comes with an upload in headers or fields of a form, held against the same rules as the record of a file."""

import hashlib

import orjson
from pydantic import ValidationError

from actors import limits
from actors.commands import Once
from actors.errors import ValidationFailed
from actors.identifiers import is_id
from server.api.registry import field_errors
from server.http import rest
from server.resources.files.views import CreateFileRequest


def upload_fields(name: str, media_type: str | None, thread_id: str | None, metadata: str | None) -> CreateFileRequest:
    """`metadata` is JSON; empty fields, as forms send them, are none. Raises `ValidationFailed`, `Malformed`."""
    fields = {"name": name, "media_type": plain_type(media_type), "thread_id": thread_id or None}
    if metadata:
        fields["metadata"] = rest.parse_json(metadata)
    try:
        return CreateFileRequest.model_validate(fields, strict=True)
    except ValidationError as error:
        raise ValidationFailed(field_errors(error)) from None


def plain_type(media_type: str | None) -> str | None:
    """Without parameters; None for what is no media type: it is a hint, and what counts is found in the content."""
    found = (media_type or "").partition(";")[0].strip().lower()
    kind, slash, rest_of_it = found.partition("/")
    is_type = kind and slash and rest_of_it and len(found) <= limits.MEDIA_TYPE_CHARS and _IS_PLAIN.issuperset(found)
    return found if is_type and "/" not in rest_of_it else None


_IS_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789!#$&^_.+-/")


def id_given(text: str, name: str) -> str:
    if not is_id(text):
        raise ValidationFailed({name: [f"expected an id; got {text[:40]!r}."]})
    return text


def once_of(key: str, *known: object, renews: bool = False) -> Once:
    """For a retry: the same upload by what is known of it before its bytes. `renews`: another one where that upload
    has ended. Raises `ValidationFailed`."""
    if not (0 < len(key) <= limits.IDEMPOTENCY_KEY_CHARS and key.isprintable()):
        expected = f"expected 1 to {limits.IDEMPOTENCY_KEY_CHARS} printable characters."
        raise ValidationFailed({"Idempotency-Key": [expected]})
    return Once(key, hashlib.blake2b(orjson.dumps(["upload", *known]), digest_size=16).hexdigest(), renews)


def facts_of(given: CreateFileRequest) -> tuple[object, ...]:
    return given.name, given.media_type, given.thread_id, given.metadata
