"""`python -m bench`: runs the cases, prints the table, writes JSON and a picture."""

import argparse
import asyncio
import resource
import sys
import time

import uvloop

from bench import report
from bench.cases import CASES
from bench.processes import prepare_generator
from bench.results import Outcome


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description="Measures the server beside its yardsticks.")
    parser.add_argument("--only", help="numbers of cases, joined by commas: " + ", ".join(CASES))
    parser.add_argument("--quick", action="store_true", help="small and once: to see that it runs, not how fast")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",") if arguments.only else list(CASES)
    unknown = [number for number in chosen if number not in CASES]
    if unknown:
        parser.error(f"there is no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    facts = report.machine()
    prepare_generator()
    found: dict[str, Outcome] = {}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for number in chosen:
            found[number] = runner.run(_run(number, quick=arguments.quick))
    report.print_table(found, facts)
    if not arguments.quick and not arguments.only:
        print(f"Written to {report.write(found, facts)} and the picture beside it.")
    return 0


async def _run(number: str, *, quick: bool) -> Outcome:
    what, case = CASES[number]
    started, used = time.perf_counter(), _cpu()
    print(f"{number:>3}  {what} …", end=" ", flush=True, file=sys.stderr)
    outcome = await case(quick)
    seconds = time.perf_counter() - started
    share = (_cpu() - used) / seconds * 100
    outcome.notes.append(f"case {number}: {seconds:.0f} s, the generator used {share:.0f} % of its core")
    print(f"{seconds:.0f} s", file=sys.stderr)
    return outcome


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
