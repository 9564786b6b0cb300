import ast
import asyncio
from pathlib import Path

import pytest

from actors.runtime import asyncio_internals

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", ["future", "task"])
async def test_a_coroutine_goes_on_once_the_future_that_it_awaits_is_done(kind: str) -> None:
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def outer() -> str:
        return await (asyncio.ensure_future(_result_of(future)) if kind == "task" else future)

    work = outer()
    awaited = work.send(None)
    assert awaited._asyncio_future_blocking, "a task would refuse what does not say that it is awaited"
    went_on: list[str] = []
    done = asyncio.Event()

    def step(_: object) -> None:
        try:
            work.send(None)
        except StopIteration as stop:
            went_on.append(stop.value)
            done.set()

    asyncio_internals.when_done(awaited, step)
    assert not awaited._asyncio_future_blocking
    assert went_on == []
    future.set_result("here")
    await asyncio.wait_for(done.wait(), 5)
    assert went_on == ["here"]


async def _result_of(future: asyncio.Future[str]) -> str:
    return await future


async def test_a_future_that_was_handed_on_can_be_awaited_by_others() -> None:
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    work = _result_of(future)
    asyncio_internals.when_done(work.send(None), lambda _: work.close())
    others = asyncio.gather(_result_of(future), _result_of(future))
    await asyncio.sleep(0)
    future.set_result("here")
    assert await asyncio.wait_for(others, 5) == ["here", "here"]


def test_no_other_module_uses_a_private_part_of_asyncio() -> None:
    found = []
    for folder in ("actors", "storage", "server", "cli"):
        for path in (ROOT / folder).rglob("*.py"):
            if path == Path(asyncio_internals.__file__):
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Attribute(attr=name) if name.startswith("_asyncio_"):
                        found.append((path.name, name))
                    case ast.Attribute(value=ast.Name(id="asyncio"), attr=name) if name.startswith("_"):
                        found.append((path.name, name))
                    case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] == "asyncio":
                        found += [(path.name, alias.name) for alias in names if alias.name.startswith("_")]
    assert found == []
