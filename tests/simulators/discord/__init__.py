"""A simulated Discord: gateway, HTTP API, files and interactions, over real sockets."""

from tests.simulators.discord.discord import Discord
from tests.simulators.discord.state import Channel, Guild, Message, User

__all__ = ["Channel", "Discord", "Guild", "Message", "User"]
