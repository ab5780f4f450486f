"""What requests and events are held against: Slack's published types (schemas/), for the rest what its documentation says."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

HERE = Path(__file__).parent / "schemas"


def _closed(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    properties = {**required, **(optional or {})}
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": list(required)}


_S: dict[str, Any] = {"type": "string"}
_B: dict[str, Any] = {"type": "boolean"}
_N: dict[str, Any] = {"type": "integer"}

BY_HAND: dict[str, dict[str, Any]] = {
    "apps.connections.open": _closed({}),
    "agents.sessions.setStatus": _closed(
        {"channel_id": _S, "thread_ts": _S, "status": {"enum": ["processing", "active", "suspended", "closed"]}},
        {"title": {"type": "string", "minLength": 1, "maxLength": 200}, "initiator_user_id": _S},
    ),
    "agents.sessions.rename": _closed(
        {"channel_id": _S, "thread_ts": _S, "title": {"type": "string", "minLength": 1, "maxLength": 200}}
    ),
    "bots.info": _closed({"bot": _S}),
    "chat.getPermalink": _closed({"channel": _S, "message_ts": _S}),
    "team.info": _closed({}, {"team": _S}),
    "users.conversations": _closed({}, {"types": _S, "limit": _N, "cursor": _S, "exclude_archived": _B, "user": _S}),
    "oauth.v2.access": _closed(
        {}, {"code": _S, "client_id": _S, "client_secret": _S, "redirect_uri": _S, "grant_type": _S, "refresh_token": _S}
    ),
}
_ADDED_BY_BOLT = ("team_id", "token")


@cache
def _requests() -> dict[str, Any]:
    told: dict[str, Any] = _strict(json.loads((HERE / "requests.json").read_text("utf-8")))
    return told


@cache
def _events() -> dict[str, Any]:
    told: dict[str, Any] = json.loads((HERE / "events.json").read_text("utf-8"))
    return told


def _strict(node: Any) -> Any:
    """Let only the blocks pass that are known: the published types end with one that lets everything pass."""
    if isinstance(node, dict):
        if node.get("anyOf") == [{"$ref": "#/definitions/KnownBlock"}, {"$ref": "#/definitions/Block"}]:
            return {"$ref": "#/definitions/KnownBlock"}
        return {name: _strict(value) for name, value in node.items()}
    return [_strict(each) for each in node] if isinstance(node, list) else node


@cache
def _validator(method: str) -> Draft7Validator | None:
    if method in BY_HAND:
        return Draft7Validator(BY_HAND[method])
    told = _requests()
    if method not in told["methods"]:
        return None
    return Draft7Validator({"definitions": told["definitions"], **told["methods"][method]})


def known(method: str) -> bool:
    """Say whether there is such a method, as far as this Slack goes."""
    return _validator(method) is not None


def wrong(method: str, arguments: dict[str, Any]) -> str:
    """Say what is wrong with a request; nothing when it is right."""
    validator = _validator(method)
    assert validator
    own = {name: value for name, value in arguments.items() if name not in _ADDED_BY_BOLT}
    errors = sorted(validator.iter_errors(own), key=lambda error: len(error.message))
    return f"{method}: {errors[0].message[:300]} at {'/'.join(map(str, errors[0].path))}" if errors else ""


# The published types of answers are open. Here they are closed down to messages, channels, people and files, and silent below.
# Added is what they lack: the user of a private chat, and of a message whatever any method shows of one.
@cache
def _answer_validator(method: str) -> Draft7Validator | None:
    told: dict[str, Any] = json.loads((HERE / "responses.json").read_text("utf-8"))
    return Draft7Validator(told[method]) if method in told else None


def wrong_answer(method: str, answer: dict[str, Any]) -> str:
    """Say what is wrong with an answer of this Slack; nothing when it is right or of a kind that is not published."""
    validator = _answer_validator(method)
    if validator is None or validator.is_valid(answer):
        return ""
    error = next(validator.iter_errors(answer))
    return f"the answer of {method}: {error.message[:300]} at {'/'.join(map(str, error.path))}"


_SUBTYPES = {
    "": "GenericMessageEvent",
    "file_share": "FileShareMessageEvent",
    "message_changed": "MessageChangedEvent",
    "message_deleted": "MessageDeletedEvent",
    "bot_message": "BotMessageEvent",
    "thread_broadcast": "ThreadBroadcastMessageEvent",
}
# Here the published types ask for what Slack does not send, such as the channel of a message within an event about it.
_OPEN = {
    "MessageChangedEvent": ("message", "previous_message"),
    "MessageDeletedEvent": ("previous_message",),
    "UserChangeEvent": ("user",),
    "FileShareMessageEvent": ("files",),
    "AppMentionEvent": ("files",),
    "GenericMessageEvent": ("files",),
}


@cache
def _event_validator(name: str) -> Draft7Validator | None:
    definitions = _events()["definitions"]
    if name not in definitions:
        return None
    root = definitions[name]
    opened: dict[str, Any] = {each: {} for each in _OPEN.get(name, ())}
    return Draft7Validator({"definitions": definitions, **root, "properties": {**root["properties"], **opened}})


def wrong_event(event: dict[str, Any]) -> str:
    """Say what is wrong with an event that is to be sent; nothing when it is right or of a type that is not published."""
    type, subtype = str(event["type"]), str(event.get("subtype") or "")
    words = "".join(part.capitalize() for part in type.split("_")).replace("IdChanged", "IDChanged")
    name = _SUBTYPES.get(subtype, "") if type == "message" else f"{words}Event"
    validator = _event_validator(name)
    if validator is None or validator.is_valid(event):
        return ""
    error = next(validator.iter_errors(event))
    return f"event {type} {subtype}: {error.message[:300]}"
