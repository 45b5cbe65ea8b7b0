"""`bench/RESULTS.md`: one section for each kind of run, each replaced by the next run of its kind."""

import re

from .setup import BENCH

RESULTS = BENCH / "RESULTS.md"


def replace_section(text: str) -> None:
    """Puts the text, whose first line is a heading of the first level, in place of the section with that heading."""
    written = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    sections = [section for section in re.split(r"(?m)^(?=# )", written) if section.strip()]
    heading = text.splitlines()[0]
    headings = [section.splitlines()[0] for section in sections]
    if heading in headings:
        sections[headings.index(heading)] = text
    else:
        sections.append(text)
    RESULTS.write_text("\n".join(section.strip() + "\n" for section in sections), encoding="utf-8")
