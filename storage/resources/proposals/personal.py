"""What stays of a user's proposals when the user is deleted."""

from actors.resources.proposals.proposal import ListProposalsBy
from storage.personal import Personal
from storage.schema.proposal_models import Proposal

PERSONAL = (
    Personal(
        Proposal.author,
        export=ListProposalsBy,
        kept="it belongs to its artifact, by a nameless author; it goes where content is to be removed",
    ),
    Personal(Proposal.resolver, kept="it is another user's proposal", withheld="it is another user's proposal"),
)
