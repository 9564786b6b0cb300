"""The cases: each measures one or some targets, and its yardstick in turn."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.cases import (
    answers,
    blocks,
    coediting,
    counting,
    crowd,
    exports,
    fanout,
    files,
    greedy,
    growth,
    half_answers,
    handover,
    hostile,
    idle,
    latency,
    returning,
    texts,
    writing,
)
from bench.cases.floods import frames as floods_of_frames
from bench.results import Outcome


@dataclass(frozen=True)
class Case:
    targets: tuple[str, ...]
    """Their numbers."""
    what: str
    run: Callable[[bool], Awaitable[Outcome]]
    """Called with whether it should be quick."""


CASES = (
    Case(("1",), "fan-out to 100 subscribers", fanout.to_100),
    Case(("2",), "fan-out to 1,000 subscribers", fanout.to_1000),
    Case(("3", "4"), "create message: REST and rpc", writing.create),
    Case(("5",), "latency of a delivery", latency.delivery),
    Case(("6",), "1,000 threads at one message a second", latency.many_threads),
    Case(("7",), "10,000 idle connections", idle.connections),
    Case(("8", "14"), "growth, and start with a large database", growth.growth),
    Case(("9",), "commit latency under fan-out", latency.commit),
    Case(("10",), "10,000 clients come back after a restart", returning.after_restart),
    Case(("11",), "100 answers stream at once", answers.streaming),
    Case(("12",), "1,000 present, 100 a second come and go", crowd.presence),
    Case(("13",), "readers who do not read", crowd.slow_readers),
    Case(("13",), "clients who storm, loop and flood", hostile.readers),
    Case(("18",), "floods of frames by strangers", floods_of_frames),
    Case(("18",), "answers that say nothing, or nothing but empty pieces", half_answers.bystanders),
    Case(("19",), "writers beside bad keys and refused commands", writing.beside_trouble),
    Case(("14",), "drain of 5,000 connections", idle.drain),
    Case(("15",), "messages with an @ in a thread of 1,000 members", texts.mentions),
    Case(("16",), "a bystander of hostile texts", texts.hostile),
    Case(("24",), "uploads and downloads of 100 MB", files.transfers),
    Case(("24",), "messages beside ten uploads", files.beside_uploads),
    Case(("24",), "messages beside hostile files", files.beside_hostile_files),
    Case(("25",), "what blocks cost", blocks.cost),
    Case(("26",), "what metrics cost", counting.cost),
    Case(("29",), "what traces and logs cost", counting.cost_of_traces),
    Case(("27",), "messages beside exports", exports.beside_exports),
    Case(("28",), "100 editors of ten documents", coediting.editing),
    Case(("30",), "hand-overs under load", handover.under_load),
    Case(("20", "21", "22"), "a bystander of one who takes too much", greedy.readers),
)
NUMBERS = sorted({number for case in CASES for number in case.targets}, key=int)
