"""What people do in the tests of this folder."""

from tests.simulators.slack import Message, Slack

HANDBOOK = b"""# Handbook

## Audit

The audit of the warehouse takes place on the third of March.

## Leave

Leave is asked for with the form L-7.
"""
QUESTION = "<@U0TWIN> when does the audit of the warehouse take place?"
ANSWER, UNKNOWN = "third of March", "don't know"


def finals(slack: Slack, channel: str, ts: str) -> list[Message]:
    """Return what the twin has said in a thread and is not still writing."""
    said = [one for one in slack.thread(channel, ts) if one.user == slack.team.bot_user]
    return [one for one in said if not one.streaming and not one.deleted and slack.shown(one) not in {"…", "👀"}]


async def answered(slack: Slack, channel: str, ts: str, word: str, seconds: float = 60) -> Message:
    """Wait for the answer that has a word in it; it must be the only one."""
    try:
        await slack.until(lambda: any(word in slack.shown(one) for one in finals(slack, channel, ts)), seconds)
    except TimeoutError as error:
        said = [slack.shown(one) for one in slack.thread(channel, ts)]
        raise AssertionError(f"{word!r} is not in {said}") from error
    [answer] = finals(slack, channel, ts)
    return answer


async def taught(
    slack: Slack, channel: str, user: str, name: str = "handbook.md", data: bytes = HANDBOOK, text: str = "<@U0TWIN>"
) -> str:
    """Drop a file and wait for its receipt; return the ts of the message."""
    ts = await slack.say(channel, user, text, files=[slack.file(name, data, user=user)])
    await answered(slack, channel, ts, "✅")
    return ts


async def asked(slack: Slack, channel: str, user: str, word: str = ANSWER, question: str = QUESTION) -> Message:
    """Ask, and return the answer that has a word in it, once it is whole."""
    ts = await slack.say(channel, user, question)
    await slack.until(lambda: any("context_actions" in str(one.blocks) for one in finals(slack, channel, ts)), 60)
    return await answered(slack, channel, ts, word)
