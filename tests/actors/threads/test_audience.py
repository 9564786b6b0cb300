"""Who is counted among the subscribers of a thread."""

from typing import Any

from actors.delivery.channel import Subscribe
from actors.threads.audience import ThreadAudience
from tests.builders import identity


class Connection:
    actor_urn = "c-1"

    def tell(self, message: object) -> None:
        pass


def test_a_connection_that_subscribes_again_is_of_one_user_and_then_of_none() -> None:
    audience = ThreadAudience("t", encode=lambda *given: b"")
    connection: Any = Connection()
    for key in (1, 1, 2):
        audience.join(Subscribe(identity(key), connection))
        assert (audience.people_count, list(audience.people())) == (1, [key])
    assert audience.leave(connection)
    assert audience.people_count == 0
