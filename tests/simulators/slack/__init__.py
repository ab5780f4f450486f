"""A Slack that the real slack-bolt and slack_sdk talk to over real sockets: see `slack.Slack`."""

from tests.simulators.slack.slack import Slack
from tests.simulators.slack.state import Channel, Delivery, File, Message, Team, User

__all__ = ["Channel", "Delivery", "File", "Message", "Slack", "Team", "User"]
