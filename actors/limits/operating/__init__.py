"""What an operator sees, tests and restarts."""

from actors.limits.operating.alerts import *
from actors.limits.operating.drills import *
from actors.limits.operating.handover import *
from actors.limits.operating.load_tests import *
from actors.limits.operating.runtime import *
from actors.limits.operating.status import *
from actors.limits.operating.telemetry import *
from actors.limits.operating.terminal import *
