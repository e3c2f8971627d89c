"""What is common to all requests: their contents, and the answers to those that ask wrongly."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NoReturn

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pixforge_studio import recipes

MOST_JSON = 2**20
MOST_UPLOAD = 2**26
SLOW = 30
"""Seconds in which a request's content must be there."""


async def json_of(request: Request) -> dict[str, Any]:
    """The JSON object that a request holds."""
    try:
        found = json.loads(await content_of(request, MOST_JSON) or b"{}")
    except (ValueError, RecursionError):
        raise HTTPException(400, "the content is not JSON") from None
    if not isinstance(found, dict):
        raise HTTPException(400, "the content must be a JSON object")
    return found


async def content_of(request: Request, most: int) -> bytes:
    """The content of a request, which must not be large, and not slow."""
    said = request.headers.get("content-length", "0")
    if said.isdigit() and int(said) > most:
        raise HTTPException(413, f"the content has more than {most} bytes")
    try:
        return await asyncio.wait_for(_chunks(request, most), SLOW)
    except asyncio.TimeoutError:
        raise HTTPException(408, f"the content was not there within {SLOW} s") from None


async def _chunks(request: Request, most: int) -> bytes:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > most:
            raise HTTPException(413, f"the content has more than {most} bytes")
    return bytes(content)


def text_of(body: dict[str, Any]) -> str:
    """The recipe in it."""
    text = body.get("text")
    if not isinstance(text, str):
        raise HTTPException(422, "text must be the recipe, a text")
    if len(text) > recipes.MOST:
        raise HTTPException(413, f"a recipe has at most {recipes.MOST} characters here")
    return text


def number_of(text: str | None, default: int, most: int) -> int:
    """A number in the address."""
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise HTTPException(422, "offset and limit must be whole numbers")
    return min(int(text), most)


def jpeg(content: bytes, **headers: str) -> Response:
    """A picture, or no content where there is none.

    That is no mistake: a page may ask for a picture that has gone since the page was told of it.
    """
    return (
        Response(content, media_type="image/jpeg", headers=headers) if content else Response(status_code=204)
    )


def none() -> NoReturn:
    """Say that there is no such thing."""
    raise HTTPException(404, "there is no such run or file")
