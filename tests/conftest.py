"""What holds for all tests."""

import signal

import pytest
from hypothesis import Phase, settings

from actors import limits
from tests import connections

connections.watch()
settings.register_profile("mutants", database=None, phases=[Phase.explicit, Phase.generate])  # any failure will do

# A shell that starts us in the background has us ignore Ctrl-C, and every process that we start inherits that: those
# that are to be interrupted would not be.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=[limits.CROWD, 0], ids=["few", "crowd"])
def few_and_crowd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once as it is, once as if one who listens were a crowd: in which order turns are taken then is another."""
    monkeypatch.setattr(limits, "CROWD", request.param)
