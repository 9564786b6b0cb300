"""Target 25: what blocks cost: a message of 50 checked, and messages with five beside plain ones."""

import asyncio
import itertools
import statistics
import time
from typing import Any

from actors.resources.blocks.validation import faults
from bench.cases.writing import CALLERS, THREADS
from bench.client import make_token
from bench.harness import Running, server
from bench.http_client import Caller, make_threads, post_request
from bench.results import Figure, Outcome
from bench.rig import CONTENT, per_second

Json = dict[str, Any]
CHECKS = 200


def section(number: int) -> Json:
    return {
        "type": "section",
        "block_id": f"b{number}",
        "text": {"type": "mrkdwn", "text": f"*Check {number}* passed in 1.2 s"},
    }


def buttons(number: int) -> Json:
    texts = ("Approve", "Reject")
    elements = [
        {"type": "button", "action_id": text, "text": {"type": "plain_text", "text": text}, "value": str(number)}
        for text in texts
    ]
    return {"type": "actions", "block_id": f"b{number}", "elements": elements}


FIFTY = [buttons(number) if number % 5 == 4 else section(number) for number in range(50)]
FIVE = FIFTY[:5]


async def cost(quick: bool) -> Outcome:
    outcome = Outcome()
    checked = outcome.figure("50 blocks checked", "ms")
    plain = outcome.figure(f"create message by REST, {CALLERS} callers", "messages/s")
    with_blocks = outcome.figure("the same with 5 blocks", "messages/s")
    repetitions, seconds = (1, 1.0) if quick else (3, 2.0)
    with server() as running:
        token = make_token()
        threads = await make_threads(running.url, THREADS, token)
        for _ in range(repetitions):
            checked.add(_checking())
            await rate(plain, running, [post_request(each, token, CONTENT) for each in threads], seconds)
            layouts = [post_request(each, token, CONTENT, blocks=FIVE) for each in threads]
            await rate(with_blocks, running, layouts, seconds)
    outcome.target("25", "a message of 50 blocks checked", checked.median, "ms", most=1.0)
    outcome.target_ratio("25", "messages with 5 blocks, by REST", with_blocks, plain, "× plain", least=0.8)
    return outcome


def _checking() -> float:
    """Milliseconds, the median of many."""
    took = []
    for _ in range(CHECKS):
        started = time.perf_counter()
        assert faults(FIFTY) == ()
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


async def rate(figure: Figure, running: Running, requests: list[bytes], seconds: float) -> None:
    turns = itertools.cycle(requests)
    loop = asyncio.get_running_loop()
    callers = []
    for _ in range(CALLERS):
        _, caller = await loop.create_connection(lambda: Caller(turns.__next__), "127.0.0.1", running.port)
        callers.append(caller)
    figure.add(*await per_second(lambda: sum(caller.answered for caller in callers), seconds, running.process))
    for caller in callers:
        assert caller.failure is None, caller.failure
        caller.stopped = True
        caller.transport.abort()
