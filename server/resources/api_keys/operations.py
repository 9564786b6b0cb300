"""API keys: for programs that act as a user, each with scopes and an expiry."""

from actors import permissions
from actors.errors import Forbidden
from actors.resources.api_keys import CreateApiKey, ListApiKeys, RevokeApiKey
from server.api.account_views import api_key_view
from server.api.common_views import DeletedView
from server.api.cursors import integer
from server.api.fields import ById
from server.api.registry import Call, Operations, Result
from server.auth.issued_secrets import API_KEY_PREFIX_CHARS, new_api_key
from server.resources.auth.operations import now_ms
from server.resources.auth.views import ApiKeyView, CreateApiKeyRequest, ListApiKeysRequest

operations = Operations("api-keys")


@operations("GET", "/auth/api-keys", response=ApiKeyView, paged=True)
async def list_api_keys(call: Call, request: ListApiKeysRequest) -> Result:
    """Your API keys, newest first; admins can list other users' keys."""
    user_id = request.user_id or call.identity.user.id
    if user_id != call.identity.user.id:
        permissions.must_administer(call.identity)
    page = await call.services.ask(ListApiKeys(user_id=user_id, limit=request.limit, before=integer(request.cursor)))
    return Result([api_key_view(key) for key in page.items], next_cursor=page.next_cursor, limit=request.limit)


@operations("POST", "/auth/api-keys", response=ApiKeyView, status=201, rate="audited")
async def create_api_key(call: Call, request: CreateApiKeyRequest) -> Result:
    """Create an API key for yourself, or as an admin for any user. The key is returned only once."""
    if call.identity.api_key_id:
        raise Forbidden("An API key cannot create API keys; sign in.")
    secret = new_api_key()
    command = CreateApiKey(
        identity=call.identity, once=call.once, origin=call.origin, user_id=request.user_id or call.identity.user.id,
        name=request.name, scopes=tuple(dict.fromkeys(request.scopes)), prefix=secret.text[:API_KEY_PREFIX_CHARS],
        key_hash=secret.hash, expires_at=now_ms() + request.expires_in * 1000 if request.expires_in else None,
    )  # fmt: skip
    done = await call.services.write(command)
    key = done.result
    return Result(
        api_key_view(key, None if done.replayed else secret.text), location=f"/api/v1/auth/api-keys/{key.id}"
    )  # fmt: skip


@operations("DELETE", "/auth/api-keys/{id}", response=DeletedView, rate="audited")
async def revoke_api_key(call: Call, request: ById) -> Result:
    """Revoke an API key. Connections that were opened with it are closed."""
    command = RevokeApiKey(identity=call.identity, key_id=request.id, origin=call.origin)
    await call.services.write_access(command)
    return Result({"id": request.id, "deleted": True})
