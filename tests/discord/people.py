"""What people do in the tests of this folder."""

from tests.simulators.discord import Discord, Message

HANDBOOK = b"""# Handbook

## Audit

The audit of the warehouse takes place on the third of March.

## Leave

Leave is asked for with the form L-7.
"""
ME = "<@900>"
QUESTION = f"{ME} when does the audit of the warehouse take place?"
ANSWER, UNKNOWN = "third of March", "don't know"


async def answered(discord: Discord, to: Message, word: str, seconds: float = 30) -> Message:
    """Wait for the whole answer that has a word in it; it must be the only one."""

    def there() -> list[Message]:
        return [one for one in discord.answers(to) if one.is_whole and word in one.content]

    try:
        await discord.until(there, seconds)
    except TimeoutError as error:
        said = [(one.content, list(one.buttons)) for one in discord.said(to.channel.id)]
        raise AssertionError(f"{word!r} is not in {said}; {discord.errors}") from error
    [answer] = discord.answers(to)
    return answer


async def taught(discord: Discord, channel: int, user: int, name: str = "handbook.md", data: bytes = HANDBOOK) -> Message:
    """Drop a file and wait for its receipt; return the message that brought it."""
    text = "" if discord.channels[channel].guild is None else ME
    message = await discord.say(channel, user, text, files=[(name, data)])
    await answered(discord, message, "✅")
    return message


async def asked(discord: Discord, channel: int, user: int, word: str = ANSWER, question: str = QUESTION) -> Message:
    """Ask, and return the answer that has a word in it, once it is whole."""
    return await answered(discord, await discord.say(channel, user, question), word)
