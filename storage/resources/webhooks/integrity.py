"""What holds true of webhooks and their deliveries."""

from typing import Final

from storage.maintenance.rule import Rule

RULES: Final = (
    Rule(
        "cursors of webhooks up to the heads",
        "Webhook {webhook} has read up to {position} and its owner's entry {own}, beyond {head} and {own_head}.",
        """
        SELECT w.uid AS webhook, w.position AS position, w.own_offset AS own, h.position AS head,
               coalesce(l."offset", 0) AS own_head
          FROM webhook AS w JOIN log_head AS h LEFT JOIN user_log AS l ON l.user_id = w.user_id
         WHERE w.position > h.position OR w.own_offset > coalesce(l."offset", 0)""",
    ),
    Rule(
        "deliveries that are over",
        "Delivery {delivery} of a webhook is {state}, and its end is {finished}.",
        """
        SELECT uid AS delivery, state, coalesce(finished_at, 'not known') AS finished FROM webhook_delivery
         WHERE (state = 'pending') <> (finished_at IS NULL)""",
    ),
)
