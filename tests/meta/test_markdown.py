"""Markdown files wrap at 100 columns, so that they can be read and compared in a terminal."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COLUMNS = 100
FOLDERS = ("benchmarks", "docs", "examples", "pixforge", "plugins", "tests", "training")
GENERATED = {"node_modules", "work", "corpus"}  # packages and data that a developer may have here
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *(
        page
        for folder in FOLDERS
        for page in sorted((ROOT / folder).rglob("*.md"))
        if not GENERATED & set(page.relative_to(ROOT).parts)
    ),
]
UNBREAKABLE = re.compile(r"(\S+|!?\[[^]]*\]\([^)]*\)|`[^`]*`)[.,;:]?")
"""A word, a link, an image or code: a line of nothing else cannot be made shorter."""
MARKER = re.compile(r"([-*+]|\d+[.)]|>)\s+")


def lines_of_prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines outside of front matter, code blocks, tables and headings, with their numbers from 1."""
    lines = text.splitlines()
    start = lines.index("---", 1) + 1 if lines[:1] == ["---"] else 0
    fence = ""
    for number, line in enumerate(lines[start:], start + 1):
        bare = line.strip()
        if bare.startswith(("```", "~~~")):
            fence = "" if fence and bare.startswith(fence) else fence or bare[:3]
        elif not fence and not bare.startswith(("|", "#", "<")):
            yield number, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_prose_wraps(page):
    long = [
        number
        for number, line in lines_of_prose(page.read_text())
        if len(line) > COLUMNS and not UNBREAKABLE.fullmatch(MARKER.sub("", line.strip(), count=1))
    ]
    assert not long, f"longer than {COLUMNS} columns: lines {long}"


def test_long_lines_are_found():
    long = "word " * 30
    text = f"---\ntitle: {long}\n---\n# {long}\n\n{long}\n\n```\n{long}\n```\n\n| {long} |\n\n- {long}\n"
    assert [number for number, line in lines_of_prose(text) if len(line) > COLUMNS] == [6, 14]


def test_the_pages_are_there():
    names = {str(page.relative_to(ROOT)) for page in PAGES}
    assert {"README.md", "docs/recipe.md", "pixforge/models/embedded/JUDGE.md"} <= names
