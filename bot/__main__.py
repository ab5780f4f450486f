"""`python -m bot …`, installed as `twin …`."""

from bot.cli.commands import app


def main() -> None:
    """Run the command line."""
    app(prog_name="twin")


if __name__ == "__main__":
    main()
