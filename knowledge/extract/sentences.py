"""What a person is told of a file that cannot be read: what happened, and what to do."""

from knowledge.errors import KnowledgeError

LOCKED = "It is protected by a password. Remove the protection and teach it again."
EMPTY = "The file is empty."
SCANNED = "There is no text in it; it looks scanned. Run text recognition (OCR) over it and teach the result."
GLYPHS = (
    "Most of its text is stored as glyphs without letters, so it cannot be read. "
    "Run text recognition (OCR) over it and teach the result."
)
NO_TEXT = "There is no text in it."
CUT = "It is damaged or was cut off, so it cannot be opened. Save or download it again."
DAMAGED = "It is damaged in a way that it cannot be read. Open it in the program that made it, save it again and teach that."
DEEP = "It is damaged: its parts are nested without end."
BOMB = "It unpacks to far more than its size lets expect, so it was not opened (a “zip bomb”)."
ENTITIES = "It declares XML entities, which no office program writes, so it was not read."
TOO_MUCH = "There is more in it than one document may have. Divide it and teach the parts."
MEMORY = "It took too much memory to read. Divide it and teach the parts."
SLOW = "It took too long to read, so it was stopped. Divide it and teach the parts."
CRASHED = "It made the program that reads it crash, so it is probably damaged. Save it again in the program that made it."
NO_READER = "It could not be read: the reading process does not start. `twin doctor` may say why."
OLD_OFFICE = (
    "It is in an old Office format (.doc, .xls, .ppt or .msg), which is not read. "
    "Save it as .docx, .xlsx, .pptx or .eml and teach that."
)
BINARY_WORKBOOK = "It is a binary Excel workbook (.xlsb), which is not read. Save it as .xlsx and teach that."
READABLE = (
    "PDF, Word (.docx), PowerPoint (.pptx), Excel (.xlsx), CSV, OpenDocument (.odt, .ods, .odp), RTF, EPUB, HTML, Markdown, "
    "plain text, source code, e-mail (.eml, .mbox), and ZIP archives of these"
)


def left_out(name: str, error: KnowledgeError) -> str:
    """Say in one sentence, which begins with the name, why a file inside another was left out."""
    reason = str(error).partition(". ")[0].rstrip(".")
    return f"{name} was left out: {reason[:1].lower()}{reason[1:]}."
