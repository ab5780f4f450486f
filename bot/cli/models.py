"""`twin models …`: who writes the answers."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import frame, shapes
from bot.cli.options import InOnePlace, Json

if TYPE_CHECKING:
    from bot.llm.models import Changes
    from bot.settings import Settings

app = typer.Typer()
models = typer.Typer(help="Who writes the answers: list language models, use one, go back.", no_args_is_help=True)
app.add_typer(models, name="models")


@models.command("list", epilog="Example: `twin models list --json | jq -r '.providers[].models[]'`")
def list_(place: InOnePlace = frame.LOCAL, json: Json = False) -> None:
    """Show who writes the answers and who stands in for them, and ask each provider that is set up which models it offers."""

    async def command(settings: "Settings") -> int:
        from adapters.terminal import reports
        from bot.app import endpoints, open_twin
        from bot.chat import Place
        from bot.llm.offers import configured, offers
        from bot.llm.shelf import names_of

        async with open_twin(settings) as twin:
            chosen = await twin.models(place=Place(place))
        own = names_of(settings.llm)
        chain = tuple(dict.fromkeys((*named, *own))) if (named := names_of(chosen.model)) else ()
        offered = await offers(configured((*chain, *own), endpoints(settings)), endpoints(settings))
        if json:
            frame.show_json(shapes.models(chosen, chain, offered))
            return frame.DONE
        frame.show(reports.model(chosen))
        if chain[1:]:
            frame.show(f"In this order: {', then '.join(chain)}; when all are away, I quote.")
        for offer in offered:
            frame.show(f"\n{offer.provider}: {offer.error or ('' if offer.models else 'its server offers none.')}".rstrip())
            for name in offer.models:
                frame.show(f"  {name}")
        return frame.DONE

    frame.run(command)


@models.command(epilog="Examples: `twin models use ollama:llama3.2`, `twin models use openai:gpt-4o-mini --in slack:T1:C9`")
def use(
    name: Annotated[
        str, typer.Argument(callback=frame.not_empty, help="provider:model, several separated by commas, or extractive.")
    ],
    temperature: Annotated[float | None, typer.Option(help="0 for the most likely words, up to 2 for surprising ones.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="The most tokens of an answer.")] = None,
    system_prompt: Annotated[str | None, typer.Option(help="What the model is told beside the twin's own rules.")] = None,
    persona: Annotated[str | None, typer.Option(help="How the twin is to speak, e.g. 'brief and friendly'.")] = None,
    place: InOnePlace = frame.LOCAL,
    json: Json = False,
) -> None:
    """Have another language model write the answers, everywhere or in one place. What is not named stays as it is."""
    given: Changes = {"model": name}
    if temperature is not None:
        given["temperature"] = temperature
    if max_tokens is not None:
        given["max_tokens"] = max_tokens
    if system_prompt is not None:
        given["system_prompt"] = system_prompt
    if persona is not None:
        given["persona"] = persona

    async def command(settings: "Settings") -> int:
        from adapters.terminal import reports
        from bot.app import open_twin

        async with open_twin(settings) as twin:
            chosen = await twin.use_model(given, **frame.here(frame.LOCAL, place))
        frame.show_json(shapes.chosen(chosen)) if json else frame.show(reports.model(chosen))
        return frame.DONE

    frame.run(command)


@models.command(epilog="Example: `twin models reset --in slack:T1:C9`")
def reset(place: InOnePlace = frame.LOCAL, json: Json = False) -> None:
    """Undo what `twin models use` changed: a place writes as everywhere again, and everywhere as TWIN_LLM says.

    It shows who writes the answers from then on.
    """

    async def command(settings: "Settings") -> int:
        from adapters.terminal import reports
        from bot.app import open_twin

        here = frame.here(frame.LOCAL, place)
        async with open_twin(settings) as twin:
            await twin.reset_model(**here)
            chosen = await twin.models(place=here["place"])
        frame.show_json(shapes.chosen(chosen)) if json else frame.show(reports.model(chosen))
        return frame.DONE

    frame.run(command)
