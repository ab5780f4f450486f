"""Turns a terminal's screen into a picture: `tmux capture-pane -e -p | python docs/pictures/render.py OUT.svg`."""

import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

WIDTH = 100
THEME = TerminalTheme(
    (24, 26, 31),
    (222, 226, 230),
    [
        (60, 64, 72),
        (224, 108, 117),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (198, 120, 221),
        (86, 182, 194),
        (222, 226, 230),
    ],
)
# The library's own frame names a font on a web server; a picture in a README must fetch nothing.
FRAME = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect width="100%" height="100%"/></clipPath>{lines}</defs>
<rect fill="#181a1f" width="100%" height="100%" rx="8"/>
<g transform="translate(18, 30)">{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""


def main(out: Path) -> None:
    """Render standard input."""
    screen = Text.from_ansi(sys.stdin.read().rstrip())
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        console.print(screen)
    out.write_text(console.export_svg(theme=THEME, code_format=FRAME, unique_id="twin"), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
