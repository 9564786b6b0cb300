"""How many examples a slow property is tried with."""

from hypothesis import settings

IN_EVERY_RUN = 3
"""One of so many: `make test` tries the same ones each time, so that more of them find little."""


def examples(count: int) -> int:
    """So many by `make properties`, which tries new ones, and for mutants; a third of them by `make test`."""
    return count // IN_EVERY_RUN if settings.get_current_profile_name() == "unhurried" else count
