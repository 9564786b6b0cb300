"""Events about proposals, on the wire."""

from typing import Final

from actors.events import Event
from actors.resources.proposals.proposal import PROPOSAL_CREATED, PROPOSAL_UPDATED, Proposal
from server.api import render
from server.api.event_views import DataView, DataViews
from server.resources.proposals import rendering
from server.resources.proposals.views import ProposalView


def _proposal(_: Event, proposal: Proposal) -> render.Json:
    return rendering.proposal(proposal)


_PROPOSAL = DataView(ProposalView, _proposal)
VIEWS: Final[DataViews] = {PROPOSAL_CREATED: _PROPOSAL, PROPOSAL_UPDATED: _PROPOSAL}
