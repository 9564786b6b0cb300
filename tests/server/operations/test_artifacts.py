"""Artifacts over REST and RPC: their life, versions, patches, conditions, lists and events."""

import asyncio
from typing import Any

import orjson
import pytest

from actors.identifiers import new_id
from server.resources.artifacts.views import SharedArtifactView
from tests.realtime_client import event_stream, raw_client
from tests.serving import Client, Server

REPORT = {
    "abstract": "Sales rose.",
    "sections": [
        {"type": "markdown", "id": "intro", "text": "# Sales\nThey rose."},
        {"type": "table", "columns": ["month", "sum"], "rows": [["May", 10], ["June", 12.5]]},
    ],
}


@pytest.fixture
def path(thread: Any) -> str:
    return f"/api/v1/threads/{thread['id']}/artifacts"


async def create(client: Client, path: str, content: Any = REPORT, **more: Any) -> Any:
    given = {"type": "REPORT", "title": "Sales", **more}
    made = await client.post(path, content=content, **given)
    assert made.status == 201, made.raw
    return made.data


async def test_its_life(alice: Client, path: str, thread: Any) -> None:
    chosen = new_id()
    message = await alice.say(thread)
    made = await alice.post(
        path, id=chosen, type="REPORT", title=" Sales ", content=REPORT, metadata={"quarter": 2}, label="draft",
        message_id=message["id"], tool_call="call-1", model="m-1",
    )  # fmt: skip
    assert (made.status, made.headers["Location"]) == (201, f"/api/v1/artifacts/{chosen}")
    artifact = made.data
    assert (artifact["title"], artifact["content"], artifact["version"]) == ("Sales", REPORT, 1)
    assert (artifact["type"], artifact["metadata"], artifact["label"]) == ("REPORT", {"quarter": 2}, "draft")
    assert artifact["provenance"] == {"message_id": message["id"], "tool_call": "call-1", "model": "m-1"}
    url = f"/api/v1/artifacts/{chosen}"
    read = await alice.get(url)
    assert (read.data, read.headers["ETag"]) == (artifact, made.headers["ETag"])
    for method, version in (("PATCH", 2), ("PUT", 3)):
        changed = await alice.request(method, url, json={"title": f"By {method}"})
        assert (changed.data["title"], changed.data["version"]) == (f"By {method}", version)
        assert changed.data["content"] == REPORT
    assert (await alice.delete(url)).data == {"id": chosen, "deleted": True}
    assert (await alice.get(url)).status == 404


async def test_a_text_is_a_content_too(alice: Client, path: str) -> None:
    artifact = await create(alice, path, "Some *text*.", type="PDF")
    assert artifact["content"] == "Some *text*."
    url = f"/api/v1/artifacts/{artifact['id']}"
    assert (await alice.put(url, content="Other.")).data["content"] == "Other."


async def test_every_fault_is_told_at_once(alice: Client, path: str) -> None:
    wrong = {"sections": [{"type": "table", "columns": ["a"], "rows": [[1, 2]]}, {"type": "video"}], "x": 1}
    refused = await alice.post(path, type="REPORT", title="x", content=wrong)
    assert refused.status == 400
    assert refused.error["errors"].keys() == {"content.x", "content.sections.0.rows.0", "content.sections.1.type"}
    checked = (await alice.post("/api/v1/artifacts/validate", type="REPORT", content=wrong)).data
    assert not checked["valid"]
    ragged = next(fault for fault in checked["faults"] if fault["code"] == "ragged")
    assert (ragged["pointer"], ragged["limit"], ragged["actual"]) == ("/sections/0/rows/0", 1, 2)
    good = (await alice.post("/api/v1/artifacts/validate", type="REPORT", content=REPORT)).data
    assert (good["valid"], good["faults"]) == (True, [])


async def test_patches(alice: Client, bob: Client, path: str) -> None:
    artifact = await create(alice, path)
    url = f"/api/v1/artifacts/{artifact['id']}"
    operations = [
        {"op": "test", "path": "/sections/0/id", "value": "intro"},
        {"op": "add", "path": "/sections/-", "value": {"type": "markdown", "text": "The end."}},
    ]
    patched = await bob.patch(url, patch=operations)
    assert [section["type"] for section in patched.data["content"]["sections"]] == ["markdown", "table", "markdown"]
    assert (patched.data["version"], patched.data["updated_by"]["name"]) == (2, "Bob")
    by_media_type = await alice.request(
        "PATCH", url, headers={"Content-Type": "application/json-patch+json"},
        data=orjson.dumps([{"op": "remove", "path": "/sections/2"}]),
    )  # fmt: skip
    assert by_media_type.data["content"] == REPORT
    merged = await alice.patch(url, merge={"abstract": None, "authors": ["Ana"]})
    assert merged.data["content"] == {"sections": REPORT["sections"], "authors": ["Ana"]}
    again = await alice.request(
        "PATCH", url, headers={"Content-Type": "application/merge-patch+json"}, data=orjson.dumps({"authors": ["Bo"]})
    )
    assert again.data["content"]["authors"] == ["Bo"]
    changes = [version["change"] for version in (await alice.get(f"{url}/versions")).data]
    assert changes == ["merged", "merged", "patched", "patched", "created"]


async def test_patches_that_are_refused(alice: Client, path: str) -> None:
    url = f"/api/v1/artifacts/{(await create(alice, path))['id']}"
    failed = [{"op": "test", "path": "/abstract", "value": "other"}, {"op": "remove", "path": "/abstract"}]
    for patch, field in (
        (failed, "patch.0"),
        ([{"op": "remove", "path": "/x"}], "patch.0"),
        ([{"op": "add", "path": "/x", "value": 1}], "content.x"),
        ([{"op": "replace", "path": "", "value": []}], "content"),
        ([], "patch"),
        ([5], "patch.0"),
        ([{"op": "test", "path": "", "value": REPORT}] * 1001, "patch"),
    ):
        refused = await alice.patch(url, patch=patch)
        assert (refused.status, list(refused.error["errors"])) == (400, [field])
    both = await alice.patch(url, patch=failed, content=REPORT)
    assert "only one of" in both.error["errors"]["body"][0]
    assert (await alice.get(url)).data["version"] == 1


async def test_another_ones_work_is_not_overwritten_unseen(alice: Client, bob: Client, path: str) -> None:
    artifact = await create(alice, path)
    url = f"/api/v1/artifacts/{artifact['id']}"
    refused = await bob.put(url, content="all mine")
    assert (refused.status, refused.error["code"]) == (428, "precondition_required")
    etag = (await bob.get(url)).headers["ETag"]
    assert (await bob.put(url, {"If-Match": etag}, content="all mine")).data["version"] == 2
    assert (await bob.put(url, content="all mine again")).status == 200, "one's own"
    stale = await alice.patch(url, {"If-Match": etag}, patch=[{"op": "replace", "path": "", "value": "x"}])
    assert (stale.status, stale.error["code"]) == (412, "stale_version")


async def test_patches_at_once_are_all_applied(alice: Client, bob: Client, path: str) -> None:
    artifact = await create(alice, path, {"sections": []})
    url = f"/api/v1/artifacts/{artifact['id']}"

    async def add(client: Client, number: int) -> int:
        section = {"type": "markdown", "text": str(number)}
        status = 503
        while status == 503:  # the others were quicker, again and again
            status = (await client.patch(url, patch=[{"op": "add", "path": "/sections/-", "value": section}])).status
        return status

    statuses = await asyncio.gather(*(add((alice, bob)[n % 2], n) for n in range(8)))
    assert statuses == [200] * 8
    sections = (await alice.get(url)).data["content"]["sections"]
    assert sorted(section["text"] for section in sections) == [str(number) for number in range(8)]


async def test_versions(alice: Client, path: str) -> None:
    artifact = await create(alice, path, "one\ntwo\nthree")
    url = f"/api/v1/artifacts/{artifact['id']}"
    await alice.put(url, content="one\n2\nthree", title="Other", metadata={"a": 1})
    versions = (await alice.get(f"{url}/versions")).data
    assert [version["number"] for version in versions] == [2, 1]
    assert all("content" not in version for version in versions)
    first = await alice.get(f"{url}/versions/1")
    assert (first.data["content"], first.data["title"]) == ("one\ntwo\nthree", "Sales")
    compared = (await alice.get(f"{url}/diff", older="1")).data
    assert (compared["older"], compared["newer"], compared["title"]) == (1, 2, ["Sales", "Other"])
    assert compared["patch"] == [{"op": "replace", "path": "", "value": "one\n2\nthree"}]
    assert compared["metadata"] == [{"op": "add", "path": "/a", "value": 1}]
    assert compared["texts"] == [{"pointer": "", "lines": ["@@ -1,3 +1,3 @@", " one", "-two", "+2", " three"]}]
    restored = await alice.post(f"{url}/versions/1/restore", label="back")
    assert (restored.data["version"], restored.data["content"]) == (3, "one\ntwo\nthree")
    assert (restored.data["title"], restored.data["label"], restored.data["metadata"]) == ("Sales", "back", {})
    same = (await alice.get(f"{url}/diff", older="1", newer="3")).data
    assert (same["patch"], same["texts"], same["title"]) == ([], [], None)
    assert (await alice.get(f"{url}/versions/9")).status == 404
    assert (await alice.get(f"{url}/versions/x")).status == 404


async def test_lists(alice: Client, bob: Client, path: str) -> None:
    first = await create(alice, path, "About penguins.", title="Birds", type="INSIGHT")
    second = await create(bob, path)
    assert [one["id"] for one in (await alice.get(path)).data] == [second["id"], first["id"]]
    assert (await alice.get("/api/v1/artifacts")).data == [second, first]
    ids = [one["id"] for one in (await alice.get("/api/v1/artifacts", q="penguin")).data]
    assert ids == [first["id"]]
    assert (await alice.get(path, type="INSIGHT", fields="id,title")).data == [{"id": first["id"], "title": "Birds"}]
    bobs = (await alice.get(path, creator_id=second["creator"]["id"], fields="id")).data
    assert bobs == [{"id": second["id"]}]
    assert (await alice.get(path, updated_since="2999-01-01")).data == []
    assert (await alice.get(path, fields="id,nothing")).error["errors"].keys() == {"fields"}
    page = await alice.get(path, limit="1", fields="id")
    rest = await alice.get(path, limit="1", fields="id", cursor=page.metadata["pagination"]["next_cursor"])
    assert page.data + rest.data == [{"id": second["id"]}, {"id": first["id"]}]


async def test_events_tell_all_but_the_content(server: Server, alice: Client, path: str, thread: Any) -> None:
    """Over the log, a WebSocket and SSE: the same."""
    async with (
        raw_client(server.session, server.websocket_url, alice.token) as socket,
        event_stream(server.session, f"{server.url}/api/v1/threads/{thread['id']}/events", alice.token) as stream,
    ):
        await socket.subscribe(thread["id"])
        artifact = await create(alice, path)
        url = f"/api/v1/artifacts/{artifact['id']}"
        changed = (await alice.patch(url, merge={"abstract": "Other."}, label="second")).data
        await alice.delete(url)
        pushed = [publication["data"] for publication in await socket.publications(3)]
        streamed = [orjson.loads(event["data"]) for event in await stream.events(3)]
    assert pushed == streamed
    assert [event["type"] for event in pushed] == ["artifact.created", "artifact.updated", "artifact.deleted"]
    shown = [{name: one[name] for name in SharedArtifactView.model_fields} for one in (artifact, changed)]
    assert [event["data"] for event in pushed[:2]] == shown
    tombstone = pushed[2]["data"]
    assert (tombstone["id"], tombstone["title"], tombstone["sha256"]) == (artifact["id"], "", None)
    assert tombstone["deleted_at"] is not None
    log = (await alice.get(f"/api/v1/threads/{thread['id']}/log", limit="100")).data
    replayed = [event["data"] for event in log if event["type"].startswith("artifact.")]
    assert replayed == [tombstone] * 3, "as it is now"


async def test_by_rpc(server: Server, alice: Client, thread: Any) -> None:
    async with raw_client(server.session, server.websocket_url, alice.token) as socket:

        async def ask(method: str, **data: Any) -> Any:
            return (await socket.ask("rpc", method=method, data=data))["rpc"]["data"]

        made = await ask("create_artifact", thread_id=thread["id"], type="REPORT", title="x", content=REPORT)
        patch = [{"op": "remove", "path": "/abstract"}]
        patched = await ask("update_artifact", id=made["id"], patch=patch, if_version=1)
        assert patched["content"] == {"sections": REPORT["sections"]}


async def test_a_large_content_is_refused(alice: Client, path: str) -> None:
    sections = [{"type": "markdown", "text": "x" * 65_000} for _ in range(5)]
    refused = await alice.post(path, type="REPORT", title="x", content={"sections": sections})
    assert (refused.status, refused.error["code"]) == (413, "too_large")


async def test_a_message_may_refer_to_an_artifact(alice: Client, path: str, thread: Any) -> None:
    artifact = await create(alice, path)
    block = {"type": "artifact_ref", "artifact_id": artifact["id"], "version": 1, "title": "Sales"}
    message = await alice.say(thread, "See this.", blocks=[block])
    assert message["blocks"] == [block]


async def test_data_sets_change_without_a_version(alice: Client, bob: Client, path: str, thread: Any) -> None:
    panels = [{"type": "chart", "spec": {"mark": "line"}, "data_set": "sales"},
              {"type": "metric", "data_set": "sales", "field": "sum"},
              {"type": "table", "columns": ["sum"], "data_set": "sales"}]  # fmt: skip
    url = f"/api/v1/artifacts/{(await create(alice, path, {'panels': panels}, type='DASHBOARD'))['id']}"
    made = await bob.put(f"{url}/data/sales", columns=["day", "sum"], rows=[["Mon", 12], ["Tue", None]])
    assert (made.status, made.data["revision"], made.data["count"]) == (200, 1, 2)
    appended = await alice.patch(f"{url}/data/sales", rows=[["Wed", 9.5], ["Thu", 1]], keep=3)
    assert (appended.data["revision"], appended.data["count"], appended.data["updated_by"]["name"]) == (2, 3, "Alice")
    read = await bob.get(f"{url}/data/sales")
    assert read.data["rows"] == [["Tue", None], ["Wed", 9.5], ["Thu", 1]]
    assert read.data["size"] == sum(len(orjson.dumps(row)) for row in read.data["rows"])
    assert (await bob.get(f"{url}/data")).data == [{n: v for n, v in read.data.items() if n != "rows"}]
    assert (await alice.get(url)).data["version"] == 1
    page = (await alice.get(f"{url}/export", format="html")).raw.decode()
    assert '<p class="metric">1</p>' in page
    assert "<td class=n>9.5</td>" in page
    assert (await alice.get(f"{url}/export")).json["data"]["sales"]["columns"] == ["day", "sum"]
    log = (await alice.get(f"/api/v1/threads/{thread['id']}/log", limit="100")).data
    told = [event["data"] for event in log if event["type"] == "artifact.data_updated"]
    assert [(one["name"], one["change"], one["revision"], one["count"]) for one in told] == [
        ("sales", "replaced", 1, 2), ("sales", "appended", 2, 3),
    ]  # fmt: skip
    assert (await bob.delete(f"{url}/data/sales")).data["deleted"]
    assert (await bob.get(f"{url}/data/sales")).status == 404


async def test_data_sets_that_are_refused(alice: Client, bob: Client, path: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("actors.limits.DATA_SETS", 1)
    monkeypatch.setattr("actors.limits.DATA_BYTES", 100)
    url = f"/api/v1/artifacts/{(await create(alice, path, {'panels': []}, type='DASHBOARD'))['id']}/data"
    await alice.put(f"{url}/sales", columns=["a", "b"], rows=[["x" * 40, 1]])
    for body, field in (
        ({"columns": ["a"], "rows": [[1], [1, 2]]}, "rows.1"),
        ({"columns": ["a"], "rows": [[{}]]}, "rows.0.0"),
        ({"columns": ["a"], "rows": ["x"]}, "rows.0"),
        ({"columns": ["a"], "rows": [["x" * 101]]}, "rows"),
        ({"columns": ["a", "a"], "rows": []}, "columns"),
        ({"columns": [], "rows": []}, "columns"),
    ):
        assert list((await alice.put(f"{url}/sales", **body)).error["errors"]) == [field]
    assert list((await alice.patch(f"{url}/sales", rows=[[1]])).error["errors"]) == ["rows.0"]
    assert list((await alice.put(f"{url}/No", columns=["a"], rows=[])).error["errors"]) == ["name"]
    full = await alice.patch(f"{url}/sales", rows=[["y" * 60, 2]])
    assert (full.status, full.error["code"]) == (409, "data_full")
    assert (await alice.patch(f"{url}/sales", rows=[["y" * 60, 2]], keep=1)).data["count"] == 1
    assert (await alice.put(f"{url}/other", columns=["a"], rows=[])).error["code"] == "data_full"
    stale = await bob.put(f"{url}/sales", {"If-Match": '"1"'}, columns=["a"], rows=[])
    assert stale.status == 412
    assert (await alice.patch(f"{url}/other", rows=[])).status == 404


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_a_patch_that_is_sent_again_is_applied_once(alice: Client, path: str, method: str) -> None:
    """Applied to what it has made, it would be refused: there is no second section, and the version is another one."""
    sections = [{"type": "markdown", "text": text} for text in ("one", "two")]
    made = await create(alice, path, content={"sections": sections})
    one = f"/api/v1/artifacts/{made['id']}"
    patch = {"patch": [{"op": "remove", "path": "/sections/1"}]}
    headers = {"Idempotency-Key": "once", "If-Match": (await alice.get(one)).headers["ETag"]}
    answers = [await alice.request(method, one, headers=headers, json=patch) for _ in range(2)]
    assert [(answer.status, answer.data["version"]) for answer in answers] == [(200, 2)] * 2
    refused = [await alice.patch(one, {"Idempotency-Key": "new"}, **patch) for _ in range(2)]
    assert [(answer.status, "patch.0" in answer.error["errors"]) for answer in refused] == [(400, True)] * 2
    assert (await alice.patch(one, {**headers, "Idempotency-Key": "later"}, **patch)).status == 412


async def test_rows_that_are_sent_again_are_appended_once(alice: Client, path: str) -> None:
    made = await create(alice, path)
    one = f"/api/v1/artifacts/{made['id']}/data/sales"
    await alice.put(one, columns=["a"], rows=[[1]])
    for _ in range(2):
        appended = await alice.patch(one, {"Idempotency-Key": "once"}, rows=[[2]])
        assert (appended.status, appended.data["count"]) == (200, 2)
