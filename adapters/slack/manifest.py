"""The manifest that the app is created from, and why it asks for what it asks for (pure)."""

from collections.abc import Mapping
from typing import Any

EVENTS_PATH, INSTALL_PATH, REDIRECT_PATH = "/slack/events", "/slack/install", "/slack/oauth_redirect"
AGENT = "assistant:write"

SCOPES: Mapping[str, str] = {
    "app_mentions:read": "hearing when it is mentioned",
    AGENT: "Slack's own surface for agents: suggested prompts, status, stop button",
    "channels:history": "reading messages in public channels it is in: follow-ups, what is taught, edits and deletions",
    "channels:read": "knowing which public channels there are and who is in them",
    "chat:write": "answering",
    "commands": "/twin and the shortcuts",
    "files:read": "learning files",
    "groups:history": "reading messages in private channels it is in",
    "groups:read": "knowing which private channels it is in and who else is",
    "im:history": "private chats with it",
    "im:read": "knowing whose private chat one is",
    "im:write": "beginning a private chat",
    "mpim:history": "reading messages in group chats it is in",
    "mpim:read": "knowing which group chats it is in and who else is",
    "reactions:write": "showing with an emoji how far it has come with what it is taught",
    "users:read": "knowing who is a member, a guest or from another company, and their names",
}
"""Every scope the app asks for, and what does not work without it."""

EVENTS: Mapping[str, str] = {
    "agent_session_stopped": AGENT,
    "agent_session_title_changed": AGENT,
    "app_context_changed": AGENT,
    "app_home_opened": "",
    "app_mention": "app_mentions:read",
    "app_uninstalled": "",
    "channel_archive": "channels:read",
    "channel_created": "channels:read",
    "channel_deleted": "channels:read",
    "channel_id_changed": "channels:read",
    "channel_left": "channels:read",
    "channel_rename": "channels:read",
    "channel_shared": "channels:read",
    "channel_unarchive": "channels:read",
    "channel_unshared": "channels:read",
    "file_change": "files:read",
    "file_deleted": "files:read",
    "file_unshared": "files:read",
    "group_archive": "groups:read",
    "group_deleted": "groups:read",
    "group_left": "groups:read",
    "group_rename": "groups:read",
    "group_unarchive": "groups:read",
    "im_created": "im:read",
    "member_joined_channel": "channels:read",
    "member_left_channel": "channels:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "team_access_revoked": "",
    "team_join": "users:read",
    "tokens_revoked": "",
    "user_change": "users:read",
}
"""Every event the app is subscribed to, and the scope without which Slack does not deliver it."""

_NAME = "Twin"
_PROMPTS = (
    ("What can you do?", "What can you do?"),
    ("How do I teach you?", "How do I teach you something in Slack?"),
    ("What can you read?", "Which file types can you read?"),
)
_LONG = (
    "Twin learns from the files and messages that people give it and answers questions with numbered sources: title, page, "
    "link and the exact quote. An answer uses only what everyone who can read it may see. What no source carries is marked, "
    "and when nothing supports an answer Twin says that it does not know. What is deleted or edited in Slack is forgotten. "
    "Answers may be written by a language model and can be wrong: open the sources before you act on them."
)


def scopes(*, guests: bool = False) -> list[str]:
    """Return the scopes that the app asks for; `guests` leaves out Slack's agent surface, which guests cannot use."""
    return sorted(scope for scope in SCOPES if not (guests and scope == AGENT))


def manifest(*, guests: bool = False, http: str | None = None) -> dict[str, Any]:
    """Return the manifest; with `http`, the address where Slack reaches the twin, events come there instead of by socket."""
    events = http and f"{http}{EVENTS_PATH}"
    oauth: dict[str, Any] = {"scopes": {"bot": scopes(guests=guests)}}
    if http:
        oauth["redirect_urls"] = [f"{http}{REDIRECT_PATH}"]
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": _NAME,
            "description": "Answers from what your team has taught it, with sources.",
            "long_description": _LONG,
            "background_color": "#1d3557",
        },
        "features": _features(guests=guests, url={"url": events} if events else {}),
        "oauth_config": oauth,
        "settings": _settings(guests=guests, url={"request_url": events} if events else {}),
    }


def _features(*, guests: bool, url: Mapping[str, str]) -> dict[str, Any]:
    agent = {
        "agent_description": "Answers from what your team has taught it, with sources you can open.",
        "suggested_prompts": [{"title": title, "message": message} for title, message in _PROMPTS],
    }
    return {
        **({} if guests else {"agent_view": agent}),
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
        "bot_user": {"display_name": _NAME.lower(), "always_online": True},
        "shortcuts": [
            {
                "name": "Teach this to Twin",
                "type": "message",
                "callback_id": "teach_message",
                "description": "Have Twin learn this message and its files",
            },
            {
                "name": "Ask Twin",
                "type": "global",
                "callback_id": "ask_global",
                "description": "Ask a question that only you see",
            },
        ],
        "slash_commands": [
            {
                "command": "/twin",
                "description": "Ask, search, see and forget what Twin knows; only you see the reply",
                "usage_hint": "ask QUESTION | search WORDS | docs | forget ID | help",
                "should_escape": True,
                **url,
            }
        ],
    }


def _settings(*, guests: bool, url: Mapping[str, str]) -> dict[str, Any]:
    return {
        "event_subscriptions": {
            "bot_events": [event for event in sorted(EVENTS) if not (guests and EVENTS[event] == AGENT)],
            **url,
        },
        "interactivity": {"is_enabled": True, **url},
        "org_deploy_enabled": False,
        "socket_mode_enabled": not url,
        "token_rotation_enabled": False,
    }
