"""Scenarios: who is there, what they do, and how often. A file in TOML or JSON, or one that is shipped."""

import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from actors import limits

ActionName = Literal[
    "post", "post_rest", "page", "read", "react", "search", "threads", "stream", "upload", "reconnect"
]  # fmt: skip


class ScenarioProblem(ValueError):
    """A scenario that cannot be run; its text says where, what was expected, and what came."""


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Population(Part):
    users: int = Field(10, ge=1, le=limits.LOAD_USERS)
    """Each has one WebSocket."""
    threads: int = Field(1, ge=1, le=limits.LOAD_THREADS)
    members: int = Field(10, ge=1, le=limits.LOAD_USERS)
    """Of each thread; all of them are subscribed."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.members > self.users:
            raise ValueError(f"at most as many members as users, {self.users}")
        if self.threads * self.members > self.users * limits.LOAD_SUBSCRIPTIONS:
            raise ValueError(f"at most {limits.LOAD_SUBSCRIPTIONS} threads for each user (threads × members ÷ users)")
        return self


def _ramp(value: Any) -> Any:
    """`50` is `[50, 50]`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [value, value]
    if not isinstance(value, list):
        raise ValueError("expected a number, or two: [at its beginning, at its end]")
    return value


Rate = Annotated[float, Field(ge=0, le=limits.LOAD_RATE)]


class Phase(Part):
    seconds: float = Field(gt=0, le=limits.LOAD_SECONDS)
    rate: Annotated[list[Rate], Field(min_length=2, max_length=2), BeforeValidator(_ramp)]
    """Arrivals a second at its beginning and at its end."""
    storm: float = Field(0, ge=0, le=1)
    """Share of the connections that are lost at its beginning and come back at once."""


class Answers(Part):
    """What an agent streams (`stream`)."""

    pieces: int = Field(40, ge=1, le=2_000)
    per_second: float = Field(20, gt=0, le=200)
    characters: int = Field(20, ge=1, le=4_000)
    """Of one piece."""


class Goals(Part):
    """What the run must reach; the exit code is 1 where it does not."""

    p95_ms: float | None = Field(None, gt=0)
    """Of every action but `stream` and `upload`."""
    p99_ms: float | None = Field(None, gt=0)
    delivery_p99_ms: float | None = Field(None, gt=0)
    errors: float | None = Field(None, ge=0, le=1)
    """Share of the arrivals that may fail."""


class Scenario(Part):
    title: str = Field(min_length=1, max_length=200)
    description: str = Field("", max_length=2_000)
    seed: int = Field(1, ge=0)
    arrivals: Literal["even", "poisson"] = "even"
    population: Population = Population()
    phases: list[Phase] = Field(min_length=1, max_length=limits.LOAD_PHASES)
    mix: dict[ActionName, Annotated[float, Field(gt=0, le=1_000_000)]] = Field(min_length=1)
    """Action → weight."""
    characters: int = Field(200, ge=40, le=16_000)
    """Of a message."""
    upload_bytes: int = Field(100_000, ge=1, le=100_000_000)
    answers: Answers = Answers()
    goals: Goals = Goals()

    @property
    def seconds(self) -> float:
        return sum(phase.seconds for phase in self.phases)

    def lasting(self, seconds: float, rate: float | None = None) -> "Scenario":
        """One level for this long: at `rate`, or at the rate that its phases end with."""
        level = self.phases[-1].rate[1] if rate is None else rate
        return self.model_copy(update={"phases": [Phase(seconds=seconds, rate=[level, level])]})


def shipped() -> list[str]:
    """Names of the scenarios that come with the program."""
    return sorted(each.name.removesuffix(".toml") for each in _folder().iterdir() if each.name.endswith(".toml"))


def load(name: str) -> Scenario:
    """A shipped scenario by its name, or a file. Raises `ScenarioProblem`."""
    if name in shipped():
        return parse(name, (_folder() / f"{name}.toml").read_text(), is_json=False)
    path = Path(name)
    try:
        text = path.read_text()
    except OSError as error:
        raise ScenarioProblem(
            f"{name}: expected a file (.toml or .json) or one of {', '.join(shipped())}; {error.strerror}."
        ) from None
    except UnicodeDecodeError:
        raise ScenarioProblem(f"{name}: expected text in UTF-8.") from None
    return parse(name, text, is_json=path.suffix == ".json")


def parse(name: str, text: str, *, is_json: bool) -> Scenario:
    """Raises `ScenarioProblem` with the place, what was expected and what came."""
    try:
        found = json.loads(text) if is_json else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ScenarioProblem(f"{name}: expected {'JSON' if is_json else 'TOML'}: {error}.") from None
    try:
        return Scenario.model_validate(found)
    except ValidationError as error:
        raise ScenarioProblem(f"{name}: {_sentence(error)}") from None


def _sentence(error: ValidationError) -> str:
    faults = error.errors(include_url=False)
    shown = "; ".join(map(_fault, faults[: limits.SCENARIO_FAULTS]))
    more = len(faults) - limits.SCENARIO_FAULTS
    return f"{shown}{f'; and {more} more' if more > 0 else ''}."


def _fault(fault: Any) -> str:
    """`/phases/0/rate: Input should be …, came -3`."""
    pointer = "".join(f"/{part}" for part in fault["loc"] if part != "[key]") or "/"
    said = fault["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    expected = said if "expected" in said else f"expected {said}"
    if fault["type"] == "missing":
        return f"{pointer}: expected, but it is not there"
    if fault["type"] == "extra_forbidden":
        return f"{pointer}: there is no such field"
    return f"{pointer}: {expected}; came {json.dumps(fault['input'], default=str)[:80]}"


def _folder() -> Any:
    return resources.files("loadtest") / "scenarios"
