"""What the server sends: mails, pushes, webhooks."""

from actors.limits.outbound.dispatching import *
from actors.limits.outbound.letters import *
from actors.limits.outbound.mail import *
from actors.limits.outbound.notices import *
from actors.limits.outbound.push import *
from actors.limits.outbound.webhooks import *
