"""What Slack's own SDK builds is accepted, and comes back unchanged."""

import inspect
import json
from typing import Any

import pytest
from slack_sdk.models import blocks as slack
from slack_sdk.models.blocks import basic_components, block_elements

from actors.resources.blocks.validation import faults

OPTION = slack.Option(text="One", value="1", description="The first")
GROUP = slack.OptionGroup(label="Group", options=[OPTION])
CONFIRM = slack.ConfirmObject(title="Sure?", text="It *cannot* be undone.", confirm="Do it", deny="No", style="danger")
DISPATCH = basic_components.DispatchActionConfig(trigger_actions_on=["on_enter_pressed"])
FILTER = slack.ConversationFilter(include=["public"], exclude_bot_users=True)
IMAGE = slack.ImageElement(image_url="https://example.com/a.png", alt_text="A cat")
PARTS = slack.RichTextElementParts
STYLE = PARTS.TextStyle(bold=True, italic=False, strike=True, code=False, underline=True)
INLINE = [
    PARTS.Text(text="Hi ", style=STYLE), PARTS.User(user_id="U1"), PARTS.Channel(channel_id="C1"),
    PARTS.UserGroup(usergroup_id="S1"), PARTS.Team(team_id="T1"), PARTS.Emoji(name="wave", skin_tone=2),
    PARTS.Link(url="https://example.com", text="there"), PARTS.Broadcast(range="here"), PARTS.Color(value="#ff0000"),
    PARTS.Date(timestamp=1720710212, format="{date_num}", fallback="then", url="https://example.com"),
]  # fmt: skip
SECTION = slack.RichTextSectionElement(elements=INLINE)
RICH = slack.RichTextBlock(elements=[
    SECTION, slack.RichTextListElement(elements=[SECTION], style="bullet", indent=1, offset=2, border=1),
    slack.RichTextQuoteElement(elements=INLINE), slack.RichTextPreformattedElement(elements=INLINE, border=1),
])  # fmt: skip
COMMON = {"placeholder": "Choose", "confirm": CONFIRM, "focus_on_load": True}
MANY = {**COMMON, "max_selected_items": 3}
TYPED = {"placeholder": "Type", "focus_on_load": True, "dispatch_action_config": DISPATCH}
BUTTON = slack.ButtonElement(
    text="Go", action_id="go", url="https://example.com", value="v", style="primary", confirm=CONFIRM,
    accessibility_label="Go", agent_prompt="Explain", agent_prompt_display="Why?", visible_to_user_ids=["U1"],
)  # fmt: skip
INPUTS = [
    slack.CheckboxesElement(action_id="a", options=[OPTION], initial_options=[OPTION], confirm=CONFIRM),
    slack.RadioButtonsElement(action_id="a", options=[OPTION], initial_option=OPTION, confirm=CONFIRM),
    slack.DatePickerElement(action_id="a", initial_date="2026-08-01", **COMMON),
    slack.TimePickerElement(action_id="a", initial_time="09:30", timezone="Europe/Berlin", **COMMON),
    slack.DateTimePickerElement(action_id="a", initial_date_time=1628633820, confirm=CONFIRM),
    slack.StaticSelectElement(action_id="a", options=[OPTION], initial_option=OPTION, **COMMON),
    slack.StaticSelectElement(action_id="a", option_groups=[GROUP], **COMMON),
    slack.StaticMultiSelectElement(action_id="a", options=[OPTION], initial_options=[OPTION], **MANY),
    slack.StaticMultiSelectElement(action_id="a", option_groups=[GROUP], **MANY),
    slack.ExternalDataSelectElement(action_id="a", initial_option=OPTION, min_query_length=2, **COMMON),
    slack.ExternalDataMultiSelectElement(action_id="a", initial_options=[OPTION], min_query_length=2, **MANY),
    slack.UserSelectElement(action_id="a", initial_user="U1", **COMMON),
    slack.UserMultiSelectElement(action_id="a", initial_users=["U1"], **MANY),
    slack.ConversationSelectElement(
        action_id="a", initial_conversation="C1", response_url_enabled=True, default_to_current_conversation=True,
        filter=FILTER, **COMMON,
    ),
    slack.ConversationMultiSelectElement(
        action_id="a", initial_conversations=["C1"], default_to_current_conversation=True, filter=FILTER, **MANY
    ),
    slack.ChannelSelectElement(action_id="a", initial_channel="C1", response_url_enabled=True, **COMMON),
    slack.ChannelMultiSelectElement(action_id="a", initial_channels=["C1"], **MANY),
    slack.PlainTextInputElement(
        action_id="a", initial_value="x", multiline=True, min_length=1, max_length=3000, **TYPED
    ),
    slack.RichTextInputElement(action_id="a", initial_value=RICH.to_dict(), min_lines=1, max_lines=5, **TYPED),
    slack.EmailInputElement(action_id="a", initial_value="a@example.com", **TYPED),
    slack.UrlInputElement(action_id="a", initial_value="https://example.com", **TYPED),
    slack.NumberInputElement(
        action_id="a", is_decimal_allowed=True, initial_value=1.5, min_value=0, max_value=10, **TYPED
    ),
    block_elements.FileInputElement(action_id="a", filetypes=["pdf"], max_files=3),
]  # fmt: skip
OTHERS = [
    BUTTON, slack.LinkButtonElement(text="Read", url="https://example.com", action_id="read", style="danger"),
    slack.OverflowMenuElement(action_id="more", options=[OPTION], confirm=CONFIRM),
    block_elements.WorkflowButtonElement(
        text="Run", action_id="run", style="primary", accessibility_label="Run it",
        workflow={"trigger": {
            "url": "https://slack.com/shortcuts/1", "customizable_input_parameters": [{"name": "a", "value": "b"}],
        }},
    ),
]  # fmt: skip
CARD = slack.CardBlock(hero_image=IMAGE, icon=IMAGE, title="Card", subtitle="Sub", body="Body", actions=[BUTTON])
TASK = slack.TaskCardBlock(
    task_id="t1", title="Look", status="in_progress", details=RICH, output=RICH,
    sources=[slack.UrlSourceElement(url="https://example.com", text="A source")],
)  # fmt: skip
CELLS = [slack.RawTextObject(text="a"), slack.RawNumberObject(value=1.5, text="1.5"), RICH]
FEEDBACK = slack.FeedbackButtonObject(text="Good", value="up", accessibility_label="Good answer")
BUILT: list[slack.Block] = [
    slack.DividerBlock(block_id="d"),
    slack.HeaderBlock(text="Plans"),
    slack.MarkdownBlock(text="# Title"),
    slack.SectionBlock(text="*Hi*", fields=["a", slack.PlainTextObject(text="b", emoji=True)], expand=True),
    slack.SectionBlock(text=slack.MarkdownTextObject(text="x", verbatim=True), accessory=IMAGE),
    *(slack.SectionBlock(text="x", accessory=element) for element in [*OTHERS, *INPUTS[:17]]),
    *(slack.ActionsBlock(elements=[element]) for element in [*OTHERS, *INPUTS]),
    *(slack.InputBlock(label="L", element=each, hint="H", dispatch_action=True, optional=True) for each in INPUTS),
    slack.ContextBlock(elements=[IMAGE, slack.MarkdownTextObject(text="by Ana"), slack.PlainTextObject(text="now")]),
    slack.ContextActionsBlock(elements=[
        slack.FeedbackButtonsElement(action_id="f", positive_button=FEEDBACK, negative_button=FEEDBACK),
        slack.IconButtonElement(
            action_id="i", icon="trash", text="Delete", accessibility_label="Delete", value="v", confirm=CONFIRM,
            visible_to_user_ids=["U1"],
        ),
    ]),
    slack.ImageBlock(image_url="https://example.com/a.png", alt_text="A cat", title="Cat"),
    slack.ImageBlock(slack_file=basic_components.SlackFile(id="F1"), alt_text="A cat"),
    slack.ImageBlock(slack_file=basic_components.SlackFile(url="https://files.slack.com/a.png"), alt_text="A cat"),
    slack.FileBlock(external_id="ABCD1"),
    slack.CallBlock(call_id="R1", api_decoration_available=False, call={"v1": {"id": "R1"}}),
    slack.VideoBlock(
        alt_text="Film", video_url="https://example.com/v", thumbnail_url="https://example.com/t.png", title="Film",
        title_url="https://example.com", description="A film", provider_icon_url="https://example.com/i.png",
        provider_name="Example", author_name="Bo",
    ),
    RICH,
    slack.TableBlock(
        rows=[CELLS, CELLS],
        column_settings=[slack.TableBlockColumnSettings(align="right", is_wrapped=True).to_dict(), None],
    ),
    TASK,
    slack.PlanBlock(title="Plan", tasks=[TASK]),
    slack.AlertBlock(text="Careful", level="warning"),
    CARD,
    slack.CarouselBlock(elements=[CARD, slack.CardBlock(title="Two")]),
    slack.ContainerBlock(
        title="Box", subtitle="Sub", child_blocks=[slack.DividerBlock(), CARD], width="wide", icon=IMAGE,
        is_collapsible=True, default_collapsed=True, has_header_divider=False,
    ),
    slack.ContainerBlock(rich_text_title=RICH, child_blocks=[slack.DividerBlock()]),
    slack.AuthProviderBlock(
        value="github", name="GitHub", is_connected=True, description="Code", icon_url="https://example.com/i.png",
        auth_url="https://example.com/a", disconnect_url="https://example.com/d", connected_identity="ana",
        connected_context="acme", accessory=OTHERS[2], fallback=[slack.DividerBlock()],
    ),
]  # fmt: skip


def plain(value: Any) -> Any:
    """As it goes over the wire."""
    return json.loads(json.dumps(value, default=lambda inner: inner.to_dict()))


@pytest.mark.parametrize("block", BUILT, ids=lambda block: block.type)
def test_what_the_sdk_builds_is_valid_and_unchanged(block: slack.Block) -> None:
    built = plain(block.to_dict())
    before = json.dumps(built)
    assert faults([built]) == ()
    assert json.dumps(built) == before


def test_every_block_of_the_sdk_is_built_here() -> None:
    known = {
        kind.type
        for _, kind in inspect.getmembers(slack, inspect.isclass)
        if issubclass(kind, slack.Block) and "type" in vars(kind)
    }
    assert known <= {block.type for block in BUILT}
