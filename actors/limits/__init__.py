"""Every limit, each with its reason, a noun a file. Settings may move those an operator would want to move.

Limits are read as `limits.NAME`, from this package alone: so a test that changes one changes it for every reader.
"""

from actors.limits.access import *
from actors.limits.accounts import *
from actors.limits.actions import *
from actors.limits.artifact_streams import *
from actors.limits.artifacts import *
from actors.limits.backups import *
from actors.limits.blobs import *
from actors.limits.blocks import *
from actors.limits.comments import *
from actors.limits.connections import *
from actors.limits.context import *
from actors.limits.dispatching import *
from actors.limits.documents import *
from actors.limits.downloads import *
from actors.limits.exports import *
from actors.limits.files import *
from actors.limits.journal import *
from actors.limits.live_channels import *
from actors.limits.mail import *
from actors.limits.maintenance import *
from actors.limits.memory import *
from actors.limits.messages import *
from actors.limits.notifications import *
from actors.limits.pages import *
from actors.limits.passwords import *
from actors.limits.presence import *
from actors.limits.proposals import *
from actors.limits.push import *
from actors.limits.rates import *
from actors.limits.reads import *
from actors.limits.realtime import *
from actors.limits.recovery import *
from actors.limits.requests import *
from actors.limits.runtime import *
from actors.limits.s3 import *
from actors.limits.scanner import *
from actors.limits.schedules import *
from actors.limits.search import *
from actors.limits.sign_in import *
from actors.limits.slow_clients import *
from actors.limits.sse import *
from actors.limits.status import *
from actors.limits.streams import *
from actors.limits.telemetry import *
from actors.limits.terminal import *
from actors.limits.text import *
from actors.limits.threads import *
from actors.limits.tokens import *
from actors.limits.transfers import *
from actors.limits.units import *
from actors.limits.unread import *
from actors.limits.uploads import *
from actors.limits.webhooks import *
