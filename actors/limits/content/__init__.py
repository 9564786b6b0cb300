"""What people and agents write, and what is made of it."""

from actors.limits.content.acknowledgements import *
from actors.limits.content.actions import *
from actors.limits.content.artifact_streams import *
from actors.limits.content.artifacts import *
from actors.limits.content.blocks import *
from actors.limits.content.comments import *
from actors.limits.content.context import *
from actors.limits.content.documents import *
from actors.limits.content.exports import *
from actors.limits.content.message_streams import *
from actors.limits.content.messages import *
from actors.limits.content.proposals import *
from actors.limits.content.schedules import *
from actors.limits.content.search import *
from actors.limits.content.text import *
from actors.limits.content.thread_memory import *
from actors.limits.content.threads import *
