"""Wrap the prose of the generated pages, as tests/meta/test_markdown.py asks for."""

from __future__ import annotations

import re
import textwrap

COLUMNS = 100
STARTS = re.compile(r"(- |\s|\w+:$)")
"""Lines that begin a list item, an indented part of a docstring, or one of its headings, such as `Args:`."""


def wrapped(page: str) -> str:
    """The page with its paragraphs and list items in lines of at most 100 columns."""
    return "\n\n".join(_block(each) for each in page.split("\n\n"))


def _block(text: str) -> str:
    if text.startswith("```"):  # code stays as it is
        return text
    parts: list[str] = []
    joined = False
    for line in text.split("\n"):
        fixed = line.startswith(("#", "|"))
        if joined and not fixed and not STARTS.match(line):
            parts[-1] += f" {line}"
        else:
            parts.append(line)
        joined = not fixed
    return "\n".join(_filled(part) for part in parts)


def _filled(part: str) -> str:
    if len(part) <= COLUMNS or part.startswith(("#", "|")):
        return part
    indent = " " * (len(part) - len(part.lstrip(" ")) + 2 * part.lstrip(" ").startswith("- "))
    return textwrap.fill(
        part, COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
