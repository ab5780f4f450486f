"""How the twin connects to Discord, from what it is given (pure)."""

from dataclasses import dataclass, field

API_URL = "https://discord.com/api/v10"
CDN = frozenset({"cdn.discordapp.com", "media.discordapp.net"})

PERMISSIONS = 309237763136
"""What the twin asks for in a guild: see channels and their history, write in them and in threads, open public threads, embed
links, attach files, add reactions."""


@dataclass(frozen=True, slots=True)
class Mode:
    """What is set for Discord."""

    token: str | None = field(default=None, repr=False)
    api_url: str = API_URL

    @property
    def wanted(self) -> bool:
        """Say whether the twin is meant to connect."""
        return bool(self.token)

    @property
    def own_server(self) -> bool:
        """Say whether another server than Discord's speaks its protocol."""
        return self.api_url != API_URL


def invitation(application: str | int) -> str:
    """Return the address at which somebody adds the twin to their guild."""
    scopes = "bot+applications.commands"
    return f"https://discord.com/oauth2/authorize?client_id={application}&permissions={PERMISSIONS}&scope={scopes}"
