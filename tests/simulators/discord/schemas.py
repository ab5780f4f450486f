"""What is held against Discord's published types.

Dispatches: schemas/gateway.json, from npm discord-api-types 0.38.57 (MIT), where sets of flags are numbers. Requests: the
OpenAPI document of Discord's HTTP API, where it is at hand; it is not part of this project.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, Draft202012Validator

HERE = Path(__file__).parent / "schemas"
OPENAPI = Path(__file__).parents[4] / "shared" / "contracts" / "discord-api-spec" / "specs" / "openapi.json"

_DISPATCHES = {
    "READY": "GatewayReadyDispatchData",
    "GUILD_CREATE": "GatewayGuildCreateDispatchData",
    "MESSAGE_CREATE": "GatewayMessageCreateDispatchData",
    "MESSAGE_UPDATE": "GatewayMessageUpdateDispatchData",
    "INTERACTION_CREATE": "GatewayInteractionCreateDispatchData",
}
# What discord.py itself writes differently: ids as numbers, and a field that only other endpoints know.
_OWN_WAYS = ("message_reference", "attachments", "tts", "nsfw", "recipient_id")


@cache
def _gateway() -> dict[str, Any]:
    told: dict[str, Any] = json.loads((HERE / "gateway.json").read_text("utf-8"))
    return told


@cache
def _dispatch(name: str) -> Draft7Validator:
    return Draft7Validator({"$ref": f"#/definitions/{_DISPATCHES[name]}", **_gateway()})


def check_dispatch(name: str, data: object) -> None:
    """Raise when a dispatch is not as Discord's types say; of the ones without a type nothing is known."""
    if name in _DISPATCHES:
        _dispatch(name).validate(data)


@cache
def _openapi() -> dict[str, Any] | None:
    return json.loads(OPENAPI.read_text("utf-8")) if OPENAPI.exists() else None


@cache
def _request(method: str, path: str) -> tuple[Draft202012Validator, frozenset[str]] | None:
    if (document := _openapi()) is None:
        return None
    for template, operations in document["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method.lower() in operations:
            content = operations[method.lower()].get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema")
            if schema is None:
                return None
            known = {*_named(document, schema)}
            return Draft202012Validator({**schema, "components": document["components"]}), frozenset(known)
    raise AssertionError(f"Discord has no {method} {path}")


def _named(document: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    """Return the properties that a schema knows."""
    if ref := schema.get("$ref"):
        return _named(document, document["components"]["schemas"][ref.rpartition("/")[2]])
    names = set(schema.get("properties", {}))
    for how in ("allOf", "anyOf", "oneOf"):
        for one in schema.get(how, ()):
            names |= _named(document, one)
    return names


def check_request(method: str, path: str, body: object) -> None:
    """Raise when a request is not as Discord's OpenAPI document says, or has properties that it does not know."""
    found = _request(method, path)
    if found is None or not isinstance(body, dict):
        return
    validator, known = found
    told = {name: value for name, value in body.items() if name not in _OWN_WAYS}
    if known and (unknown := set(told) - known):
        raise AssertionError(f"{method} {path} does not know {sorted(unknown)}")
    validator.validate(told)
