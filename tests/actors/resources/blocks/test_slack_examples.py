"""The forms of Slack's public block reference, typed anew with texts of our own: valid, unchanged, and renderable."""

import copy
from typing import Any

import pytest

from actors.resources.blocks import markdown, offers
from actors.resources.blocks import profile as profiles
from actors.resources.blocks.validation import faults

Json = dict[str, Any]
PICTURE = "https://pictures.example/lighthouse.jpg"


def plain(text: str, **more: Any) -> Json:
    return {"type": "plain_text", "text": text, **more}


def mrkdwn(text: str, **more: Any) -> Json:
    return {"type": "mrkdwn", "text": text, **more}


def option(text: str, value: str, **more: Any) -> Json:
    return {"text": plain(text), "value": value, **more}


def rich(*elements: Json) -> Json:
    return {"type": "rich_text", "elements": list(elements)}


def line(*elements: Json) -> Json:
    return {"type": "rich_text_section", "elements": list(elements)}


def words(text: str, **style: bool) -> Json:
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def cell(text: str) -> Json:
    return {"type": "raw_text", "text": text}


BOATS = [option("Sloop", "sloop"), option("Ketch", "ketch"), option("Yawl", "yawl")]
IMAGE = {"type": "image", "image_url": PICTURE, "alt_text": "A lighthouse"}
CARD = {
    "type": "card",
    "hero_image": IMAGE,
    "icon": IMAGE,
    "title": mrkdwn("The *Dora*"),
    "subtitle": plain("A ketch of 1911"),
    "body": mrkdwn("Sails on _Sundays_."),
    "subtext": plain("Two berths are free"),
    "actions": [{"type": "button", "action_id": "book", "text": plain("Book"), "value": "dora"}],
}
TASK = {
    "type": "task_card",
    "task_id": "charts",
    "title": "Read the charts",
    "status": "in_progress",
    "details": rich(line(words("Three of five"))),
    "sources": [{"type": "url", "url": "https://charts.example", "text": "Charts"}],
}
EXAMPLES: dict[str, Json] = {
    "actions: a menu and a button": {
        "type": "actions",
        "block_id": "boats",
        "elements": [
            {"type": "static_select", "action_id": "boat", "placeholder": plain("Which boat?"), "options": BOATS},
            {"type": "button", "action_id": "stay", "text": plain("Stay ashore"), "value": "stay"},
        ],
    },
    "actions: a date, an overflow, and a button": {
        "type": "actions",
        "elements": [
            {"type": "datepicker", "action_id": "day", "initial_date": "2026-05-01", "placeholder": plain("A day")},
            {"type": "overflow", "action_id": "more", "options": BOATS},
            {"type": "button", "action_id": "go", "text": plain("Go", emoji=True), "style": "primary", "value": "1"},
        ],
    },
    "alert": {"type": "alert", "text": mrkdwn("Gale *warning*"), "level": "warning"},
    "card": CARD,
    "carousel": {"type": "carousel", "elements": [CARD, {**CARD, "title": plain("The Ida")}]},
    "container": {
        "type": "container",
        "title": plain("Today"),
        "subtitle": plain("By the harbour"),
        "width": "full",
        "is_collapsible": True,
        "child_blocks": [{"type": "section", "text": mrkdwn("Wind from the west")}, {"type": "divider"}],
    },
    "context": {"type": "context", "elements": [IMAGE, mrkdwn("Berth *7*"), plain("since noon")]},
    "context_actions": {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "helpful",
                "positive_button": {"text": plain("Helpful"), "accessibility_label": "Good", "value": "yes"},
                "negative_button": {"text": plain("Useless"), "accessibility_label": "Bad", "value": "no"},
            },
            {"type": "icon_button", "action_id": "drop", "icon": "trash", "text": plain("Remove"), "value": "7"},
        ],
    },
    "data_table": {
        "type": "data_table",
        "caption": "Tides of the week",
        "page_size": 5,
        "rows": [
            [cell("Day"), cell("High water")],
            [cell("Monday"), {"type": "raw_number", "value": 3.2, "text": "3.2 m"}],
            [cell("Tuesday"), rich(line(words("3.4 m", bold=True)))],
        ],
    },
    "data_visualization: a pie": {
        "type": "data_visualization",
        "title": "Boats by rig",
        "chart": {"type": "pie", "segments": [{"label": "Sloop", "value": 12}, {"label": "Ketch", "value": 5}]},
    },
    "data_visualization: bars": {
        "type": "data_visualization",
        "title": "Berths taken",
        "chart": {
            "type": "bar",
            "series": [
                {"name": "North", "data": [{"label": "May", "value": 4}, {"label": "June", "value": 9}]},
                {"name": "South", "data": [{"label": "May", "value": 6}, {"label": "June", "value": 7}]},
            ],
            "axis_config": {"categories": ["May", "June"], "x_label": "Month", "y_label": "Berths"},
        },
    },
    "divider": {"type": "divider"},
    "file": {"type": "file", "external_id": "LOG7", "source": "remote"},
    "header": {"type": "header", "text": plain("Harbour news")},
    "image: by address": {"type": "image", "title": plain("At dusk"), "block_id": "dusk", **IMAGE},
    "image: a file of Slack": {"type": "image", "slack_file": {"id": "F0LIGHT"}, "alt_text": "A lighthouse"},
    "input: a text": {
        "type": "input",
        "element": {"type": "plain_text_input", "action_id": "boat_name", "multiline": True},
        "label": plain("Name of the boat"),
        "hint": plain("As painted on it"),
        "optional": True,
    },
    "input: users": {
        "type": "input",
        "label": plain("Crew"),
        "element": {"type": "multi_users_select", "action_id": "crew", "placeholder": plain("Who sails?")},
    },
    "markdown": {"type": "markdown", "text": "# Log\n\n- *west* wind\n- [charts](https://charts.example)"},
    "plan": {"type": "plan", "title": "Before we sail", "tasks": [TASK]},
    "rich_text: styles, people and links": rich(
        line(
            words("Look: ", bold=True),
            {"type": "link", "url": "https://charts.example", "text": "charts"},
            {"type": "emoji", "name": "sailboat"},
            {"type": "user", "user_id": "U07"},
            {"type": "date", "timestamp": 1_780_000_000, "format": "{date_long}", "fallback": "in May"},
        )
    ),
    "rich_text: lists, a quote and code": rich(
        line(words("To do")),
        {"type": "rich_text_list", "style": "ordered", "elements": [line(words("Hoist")), line(words("Cast off"))]},
        {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [line(words("Fore line"))]},
        {"type": "rich_text_quote", "elements": [words("Fair winds")]},
        {"type": "rich_text_preformatted", "border": 0, "elements": [words("heading = 270")]},
    ),
    "section: a text": {"type": "section", "text": mrkdwn("Fog lifts by *noon*.")},
    "section: fields": {"type": "section", "fields": [mrkdwn("*Wind*\nWest 4"), plain("Sea: slight")]},
    "section: a picture beside it": {"type": "section", "text": mrkdwn("The light"), "accessory": IMAGE},
    "section: choices beside it": {
        "type": "section",
        "block_id": "gear",
        "text": mrkdwn("What to bring"),
        "accessory": {"type": "checkboxes", "action_id": "gear", "options": BOATS, "initial_options": BOATS[:1]},
    },
    "section: a button that asks again": {
        "type": "section",
        "text": mrkdwn("Sink it"),
        "accessory": {
            "type": "button",
            "action_id": "sink",
            "style": "danger",
            "text": plain("Sink"),
            "confirm": {
                "title": plain("Sure?"),
                "text": mrkdwn("It does *not* come back."),
                "confirm": plain("Sink it"),
                "deny": plain("Keep it"),
                "style": "danger",
            },
        },
    },
    "table": {
        "type": "table",
        "column_settings": [{"is_wrapped": True}, {"align": "right"}],
        "rows": [[cell("Boat"), cell("Length")], [rich(line(words("Dora", italic=True))), cell("11 m")]],
    },
    "task_card": TASK,
    "video": {
        "type": "video",
        "title": plain("Round the cape"),
        "title_url": "https://films.example/cape",
        "description": plain("In a gale"),
        "video_url": "https://films.example/embed/cape",
        "thumbnail_url": PICTURE,
        "alt_text": "A boat in high waves",
        "author_name": "Bo",
        "provider_name": "Films",
        "provider_icon_url": "https://films.example/icon.png",
    },
}


@pytest.mark.parametrize("block", EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_is_valid_and_unchanged(block: Json) -> None:
    before = copy.deepcopy(block)
    assert faults([block]) == ()
    markdown.pieces([block])
    offers.offers([block])
    assert block == before


def test_there_is_one_of_every_type() -> None:
    of_slack = set(profiles.load().families["block"]) - {"auth_provider", "call"}
    own = {"chart", "key_value", "form", "code", "audio", "artifact_ref", "file_ref"}
    assert {block["type"] for block in EXAMPLES.values()} == of_slack - own
