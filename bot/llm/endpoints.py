"""Where the servers of language models are, and the keys to them."""

from dataclasses import dataclass

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses and keys of every provider; without an address it is the provider's own server.

    `window` is how many tokens the models can hold, where that is not what their provider takes for granted.
    """

    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str | None = None
    ollama_host: str | None = None
    window: int | None = None
