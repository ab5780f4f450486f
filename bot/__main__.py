"""`python -m bot …`, installed as `twin …`."""

import os

from bot.cli.commands import app


def main() -> None:
    """Run the command line."""
    # The matrices of a search are small: on several threads they take longer, and disturb the embedding.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    app(prog_name="twin")


if __name__ == "__main__":
    main()
