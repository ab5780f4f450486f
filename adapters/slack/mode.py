"""How the twin connects to Slack, from what it is given (pure)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

API_URL = "https://slack.com/api/"


@dataclass(frozen=True, slots=True)
class Mode:
    """What is set for Slack; `secret_key` says that secrets can be kept, `public_url` is where people reach the twin.

    `teams` are the ids of the workspaces that may install the app by themselves; `*` stands for any.
    """

    bot_token: str | None = field(default=None, repr=False)
    app_token: str | None = field(default=None, repr=False)
    signing_secret: str | None = field(default=None, repr=False)
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    teams: tuple[str, ...] = ()
    secret_key: bool = False
    public_url: str | None = None
    api_url: str = API_URL

    @property
    def wanted(self) -> bool:
        """Say whether anything is set, so that the twin is meant to connect."""
        return any((self.bot_token, self.app_token, self.signing_secret, self.client_id, self.client_secret))

    @property
    def several(self) -> bool:
        """Say whether several workspaces install the app by themselves."""
        return bool(self.client_id or self.client_secret)

    @property
    def socket(self) -> bool:
        """Say whether Slack delivers over a socket that the twin opens; else it posts signed requests."""
        return bool(self.app_token)

    def complaints(self) -> tuple[str, ...]:
        """Return a sentence for each setting that is missing or contradicts another; none when the twin can connect."""
        return tuple(self._missing()) if self.wanted else ()

    def _missing(self) -> Iterator[str]:
        if self.several:
            yield from self._missing_for_several()
        elif not self.bot_token:
            yield "SLACK_BOT_TOKEN is missing: the Bot User OAuth Token, which begins with xoxb-."
        if not self.app_token and not self.signing_secret:
            yield "SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (events over HTTP) is missing: one of them is needed."

    def _missing_for_several(self) -> Iterator[str]:
        if self.bot_token:
            yield "SLACK_BOT_TOKEN is for one workspace, SLACK_CLIENT_ID for several that install the app: leave one out."
        if not self.client_id:
            yield "SLACK_CLIENT_ID is missing: it stands beside SLACK_CLIENT_SECRET in the app's Basic Information."
        if not self.client_secret:
            yield "SLACK_CLIENT_SECRET is missing: it stands beside SLACK_CLIENT_ID in the app's Basic Information."
        if not self.teams:
            yield "SLACK_TEAMS is missing: the ids of the workspaces that may install the app, such as T024BE7LH; * is any."
        if not self.secret_key:
            yield "TWIN_SECRET_KEY is missing: the tokens of workspaces that install the app are kept encrypted with it."
        if not self.public_url:
            yield "TWIN_PUBLIC_URL is missing: where an installation leads back to, such as https://twin.example.com."
