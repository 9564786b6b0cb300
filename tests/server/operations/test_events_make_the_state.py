"""state₀ ⊕ events == state, over REST: whatever three people do at once, the log tells all of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.server.operations.company import EVERY_KIND, TOLD, Company, programs
from tests.server.operations.fold import Fold, comparable, fetched
from tests.serving import Server, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with serving(tmp_path_factory.mktemp("fold") / "data") as running:
        yield running


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(everybody=st.tuples(programs, programs, programs), earlier=programs)
async def test_the_log_tells_all_of_it(server: Server, everybody: Any, earlier: Any) -> None:
    company = await Company.gather(server)
    alice = company.people[0]
    await company.run(alice, earlier)
    begun = Fold().begin(await fetched(alice, company.thread_id))
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(company.run_all(everybody))
        while not writing.done():  # the log as somebody sees it who asks again and again
            for event in await company.log(begun.offset):
                begun.apply(event)
    for event in await company.log(begun.offset):
        begun.apply(event)
    expected = comparable(await fetched(alice, company.thread_id))
    assert Fold(await company.log()).state == expected, "from the first entry on"
    assert begun.state == expected, "from a state on, while others wrote"


async def test_every_kind_of_event(server: Server) -> None:
    """The actions above make all kinds there are, and each leaves the state that it tells."""
    company = await Company.gather(server)
    alice = company.people[0]
    fold, kinds = Fold(), set()
    for person, action, number in EVERY_KIND:
        answer = await company.do(company.people[person], action, number)
        assert answer is not None
        assert answer.status < 300, (action, answer.raw)
        news = await company.log(fold.offset)
        assert news, f"{action} is not told"
        for event in news:
            fold.apply(event)
            kinds.add(event["type"])
        assert fold.state == comparable(await fetched(alice, company.thread_id)), action
    assert kinds == TOLD


async def test_a_deleted_thread_has_no_log(server: Server) -> None:
    company = await Company.gather(server)
    assert (await company.people[0].delete(company.url)).status == 200
    for client in company.people:
        assert (await client.get(f"{company.url}/log")).status == 404
