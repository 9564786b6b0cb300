"""People: how they sign in, what they may see, what they have read."""

from actors.limits.people.access import *
from actors.limits.people.accounts import *
from actors.limits.people.notifications import *
from actors.limits.people.passwords import *
from actors.limits.people.presence import *
from actors.limits.people.sign_in import *
from actors.limits.people.tokens import *
from actors.limits.people.unread import *
