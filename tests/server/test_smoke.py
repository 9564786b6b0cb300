from tests.serving import Client


async def test_a_message_travels(alice: Client) -> None:
    thread = await alice.thread("Hello")
    message = await alice.say(thread, "First")
    found = await alice.get(f"/api/v1/threads/{thread['id']}/messages")
    assert [m["id"] for m in found.data] == [message["id"]]
