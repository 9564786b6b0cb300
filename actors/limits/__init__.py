"""Every limit, each with its reason, a noun a file. Settings may move those an operator would want to move.

Limits are read as `limits.NAME`, from this package alone: so a test that changes one changes it for every reader.
"""

from actors.limits.clients import *
from actors.limits.content import *
from actors.limits.files import *
from actors.limits.operating import *
from actors.limits.outbound import *
from actors.limits.people import *
from actors.limits.storage import *
from actors.limits.units import *
