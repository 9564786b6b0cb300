"""`python -m bench`: runs the cases, prints the table, writes JSON and a picture."""

import argparse
import asyncio
import sys
import time

import uvloop

from bench import report
from bench.cases import CASES, NUMBERS, Case
from bench.harness import prepare_generator
from bench.results import Outcome


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description="Measures the server beside its yardsticks.")
    parser.add_argument("--only", metavar="N,N", help="only these targets: " + ", ".join(NUMBERS))
    parser.add_argument("--quick", action="store_true", help="small and once: to see that it runs, not how fast")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",") if arguments.only else NUMBERS
    unknown = [number for number in chosen if number not in NUMBERS]
    if unknown:
        parser.error(f"there is no target {', '.join(unknown)}; there are {', '.join(NUMBERS)}")
    facts = report.machine()
    prepare_generator()
    started = time.perf_counter()
    cases = [case for case in CASES if set(case.targets) & set(chosen)]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = [runner.run(_run(case, quick=arguments.quick)) for case in cases]
    facts["seconds"] = round(time.perf_counter() - started)
    report.print_table(found, facts)
    if not arguments.quick and not arguments.only:
        print(f"Written to {report.write(found, facts)} and the picture beside it.")
    return 1 if any(outcome.failure for outcome in found) else 0


async def _run(case: Case, *, quick: bool) -> Outcome:
    """A case that fails is told in the table; the others go on."""
    started = time.perf_counter()
    print(f"{', '.join(case.targets):>6}  {case.what} …", end=" ", flush=True, file=sys.stderr)
    try:
        outcome = await case.run(quick)
    except Exception as error:  # noqa: BLE001 - whatever it was, minutes of measuring are not to be lost by it
        outcome = Outcome(failure=f"{case.what}: {type(error).__name__}: {error}")
    print(f"{time.perf_counter() - started:.0f} s {outcome.failure}", file=sys.stderr)
    return outcome


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
