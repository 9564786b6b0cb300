"""Clients: requests, connections, streams of events, and what each may ask for."""

from actors.limits.clients.connections import *
from actors.limits.clients.live_channels import *
from actors.limits.clients.pages import *
from actors.limits.clients.rates import *
from actors.limits.clients.reads import *
from actors.limits.clients.realtime import *
from actors.limits.clients.recovery import *
from actors.limits.clients.requests import *
from actors.limits.clients.slow_clients import *
from actors.limits.clients.sse import *
