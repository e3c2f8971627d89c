"""The description of the API, version 1, by OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

_TEXT = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string", "maxLength": 2**18}},
}
_PROBLEMS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"line": {"type": ["integer", "null"]}, "message": {"type": "string"}},
    },
}
_FORM = {
    "type": ["object", "null"],
    "description": "prompts (each {text, weight, where}, or {kept} for what only the text can say), extends, size, steps, seed, "
    "generator, init, keep; `picture`: the file that init names; null where the text is no mapping.",
}
_OFFSET = {"type": "integer", "description": "In UTF-16 units, as browsers count."}
_WORDS = {
    "type": "array",
    "description": "Words of prompts that the embedded model was not trained with, where the recipe uses it.",
    "items": {
        "type": "object",
        "properties": {
            "word": {"type": "string"},
            "near": {"type": "array", "items": {"type": "string"}},
            "from": _OFFSET,
            "to": _OFFSET,
        },
    },
}
_SEEN = {"type": "object", "properties": {"problems": _PROBLEMS, "words": _WORDS, "form": _FORM}}
_PICTURE = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "path": {"type": "string", "description": "As a recipe names it."},
        "width": {"type": "integer"},
        "height": {"type": "integer"},
    },
}
_PLACE = {
    "type": "object",
    "required": ["text", "offset"],
    "properties": {"text": {"type": "string"}, "offset": _OFFSET},
}
_OPTION = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("label", "kind", "detail", "info", "apply")},
}
_OPTIONS = {
    "type": "object",
    "properties": {"from": _OFFSET, "options": {"type": "array", "items": _OPTION}},
}
_ABOUT = {
    "type": "object",
    "properties": {"from": _OFFSET, "to": _OFFSET, "title": {"type": "string"}, "text": {"type": "string"}},
}
_EDIT = {
    "type": "object",
    "required": ["text", "changes"],
    "properties": {
        "text": {"type": "string"},
        "changes": {"type": "object", "description": "Values of the form's fields; null takes one away."},
    },
}
_JOB = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": "string"},
        "run": {"type": "string", "description": "The name of its folder."},
        "state": {"enum": ["waiting", "running", "failed", "stopped", "finished"]},
        "paused": {"type": "boolean"},
        "error": {"type": "string"},
        "step": {"type": "integer"},
        "steps": {"type": "integer"},
        "rate": {"type": "number", "description": "Steps in a second."},
        "left": {"type": ["number", "null"], "description": "Seconds."},
        "score": {"type": ["number", "null"], "description": "By the model that judges."},
        "previews": {"type": "integer", "description": "Grows with each new preview; 0 for none."},
        "notes": {"type": "array", "items": {"type": "string"}},
        "moments": {"type": "array", "items": {"type": "integer"}, "description": "Steps to go back to."},
        "group": {"type": "integer", "description": "Common to the entries of a sweep, else 0."},
        "of": {"type": "integer", "description": "How many entries the sweep had."},
        "title": {"type": "string", "description": "Of the sweep."},
        "looks": {"type": "integer", "description": "Grows with new cutouts; 0 for none."},
        "memory": {"type": "object", "description": "MB: `here`, and on a GPU `there`."},
    },
}
_MARK = {
    "type": "object",
    "properties": {
        "star": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 20},
    },
}
_TRASH = {"type": "object", "properties": {"trash": {"type": "array", "items": {"type": "object"}}}}
_QUERY = {"type": "object", "properties": {"words": {"type": "string"}, "run": {"type": "string"}}}
_DIALS = {"type": "object", "properties": {"dials": {"type": "array", "items": {"type": "object"}}}}
_CHANGES = {
    "type": "object",
    "required": ["changes"],
    "properties": {"changes": {"type": "object", "maxProperties": 50, "examples": [{"losses.0.weight": 2}]}},
}
_SWEEP = {
    "type": "object",
    "required": ["text", "values"],
    "properties": {
        "text": {"type": "string"},
        "values": {
            "type": "object",
            "maxProperties": 10,
            "examples": [{"seed": "1,2,3", "losses.0.weight": "0..1:5"}],
        },
    },
}
_BEFORE = {"type": "object", "properties": {"before": {"type": ["integer", "null"]}}}
_STRIP = {
    "type": "object",
    "properties": {
        name: {"type": "array", "items": {"type": "object"}} for name in ("scenes", "curves", "flat")
    },
}
_PUT = {
    "type": "object",
    "required": ["text", "path", "value"],
    "properties": {
        "text": {"type": "string"},
        "path": {
            "type": "array",
            "items": {"type": ["string", "integer"]},
            "examples": [["losses", 0, "weight"]],
        },
        "value": {},
    },
}
_STEP = {"type": "object", "required": ["step"], "properties": {"step": {"type": "integer"}}}
_RUN = {
    "type": "object",
    "properties": {
        "run": {"type": "string"},
        "prompts": {"type": "array", "items": {"type": "string"}},
        "generator": {"type": "string"},
        "parent": {"type": ["string", "null"], "description": "The run that it was branched from."},
        "star": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "status": {"type": "string"},
        "seed": {"type": ["integer", "string", "null"]},
        "steps": {"type": ["integer", "null"]},
        "steps_done": {"type": ["integer", "null"]},
        "held_out_score": {"type": ["number", "null"]},
        "picture": {"type": ["string", "null"]},
        "video": {"type": ["string", "null"]},
        "files": {"type": "array", "items": {"type": "string"}},
        "made": {"type": "number", "description": "Seconds since 1970."},
    },
}
_JOBS = {"type": "object", "properties": {"jobs": {"type": "array", "items": _JOB}}}
_RUNS = {
    "type": "object",
    "properties": {"total": {"type": "integer"}, "runs": {"type": "array", "items": _RUN}},
}
_EVENTS = """Server-sent events. `queue`: {jobs}, whenever an entry changes. `step`: {id, step, steps, rate, left, memory, fresh,
points}: points of the curve since the last message, each [step, {term: value}]; `fresh`: they replace all before. `preview`:
{id, preview}: there is a new picture. The first messages say how things are; whoever is slow misses values in between."""


_OR_NONE = "204 where there is none yet, or none any more."


def described(address: str) -> dict[str, Any]:
    """The document, for a server at an address."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "pixforge studio",
            "version": "1",
            "description": "Send the token as `Authorization: Bearer TOKEN`. Every error is {error}.",
        },
        "servers": [{"url": address}],
        "security": [{"token": []}],
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "paths": {f"/api/v1{path}": methods for path, methods in _paths().items()},
    }


def _paths() -> dict[str, Any]:
    number = _parameter("id", "path", {"type": "integer"})
    run = _parameter("run", "path", {"type": "string"}, "A name, with / for runs of a sweep.")
    job = {
        "stop": "End it after its step and save it; one that waits is taken out of the queue.",
        "pause": "Keep it waiting after its step, or from its start.",
        "proceed": "End a pause.",
        "retry": "Go on with what was stopped or failed.",
        "first": "Make it next.",
        "look": "Get what the perceptors see as cutouts.jpg; `looks` in the entry grows when it is there.",
        "mark": "Keep this moment of a run, so that it can go back to it.",
    }
    moves = {f"/jobs/{{id}}/{word}": {"post": _do(text, _JOB, number)} for word, text in job.items()}
    return {
        "/openapi.json": {"get": _do("This document.", {"type": "object"})},
        "/schema": {"get": _do("The JSON Schema of recipes, with installed plugins.", {"type": "object"})},
        "/recipes/check": {"post": _do("What is wrong with a recipe, by lines.", _SEEN, body=_TEXT)},
        "/recipes/complete": {
            "post": _do("The words that could stand at a place of a recipe.", _OPTIONS, body=_PLACE)
        },
        "/recipes/about": {"post": _do("What the word at a place of a recipe means.", _ABOUT, body=_PLACE)},
        "/recipes/strip": {
            "post": _do(
                "Scenes and keyframes: `scenes`, `curves`, and `flat`, what could have keyframes.",
                _STRIP,
                body=_TEXT,
            )
        },
        "/recipes/put": {
            "post": _do(
                "Change the value at a place; comments elsewhere stay.",
                {**_SEEN, "title": "with text"},
                body=_PUT,
            )
        },
        "/recipes/edit": {
            "post": _do(
                "Change fields of a recipe; comments stay.", {**_SEEN, "title": "with text"}, body=_EDIT
            )
        },
        "/recipes/of-file": {
            "post": _do("The recipe in a picture or video, at most 64 MiB.", _TEXT, upload=True)
        },
        "/pictures": {
            "post": _do(
                "Keep a PNG, JPEG or WebP, at most 64 MiB, for recipes to name by its path.",
                _PICTURE,
                upload=True,
            )
        },
        "/pictures/{name}": {
            "get": _do(
                "A picture that was kept.",
                None,
                _parameter("name", "path", {"type": "string"}),
                kind="image/*",
            )
        },
        "/jobs": {
            "get": _do("The queue, in order.", _JOBS),
            "post": _do("Queue a recipe. 422 with its problems where it is not valid.", _JOB, body=_TEXT),
        },
        "/jobs/{id}": {
            "get": _do("An entry with its recipe (text) and its curve (points).", _JOB, number),
            "delete": _do(
                "Take it off the list; what was made stays. 409 while it runs.", {"type": "object"}, number
            ),
        },
        **moves,
        "/sweeps": {
            "post": _do(
                "Queue a recipe with several values of some fields: the new `jobs`.", _JOBS, body=_SWEEP
            )
        },
        "/jobs/{id}/place": {
            "post": _do("Make it before another entry, or last.", _JOB, number, body=_BEFORE)
        },
        "/jobs/{id}/redo": {"post": _do("Queue its recipe once more: the new entry.", _JOB, number)},
        "/jobs/{id}/dials": {
            "get": _do("What may be changed while it runs: each with path, label and value.", _DIALS, number)
        },
        "/jobs/{id}/change": {
            "post": _do(
                "Go on with other values by their paths. 409 where it does not run.",
                _JOB,
                number,
                body=_CHANGES,
            )
        },
        "/jobs/{id}/back": {
            "post": _do("Go back to one of its `moments`, and on from there.", _JOB, number, body=_STEP)
        },
        "/jobs/{id}/cutouts.jpg": {
            "get": _do(f"The newest cutouts that were asked for. {_OR_NONE}", None, number, kind="image/jpeg")
        },
        "/jobs/{id}/preview.jpg": {
            "get": _do(f"The newest picture. {_OR_NONE}", None, number, kind="image/jpeg")
        },
        "/events": {"get": _do(_EVENTS, None, kind="text/event-stream")},
        "/runs": {
            "get": _do(
                "Runs that have a picture or a video, newest first; with all `generators` and `tags` of them.",
                _RUNS,
                _parameter("q", "query", {"type": "string"}, "Words in name or prompts."),
                _parameter("generator", "query", {"type": "string"}),
                _parameter("tag", "query", {"type": "string"}),
                _parameter("star", "query", {"enum": ["1"]}),
                _parameter("score", "query", {"type": "number"}, "At least so much."),
                _parameter("since", "query", {"type": "number"}, "Seconds since 1970."),
                _parameter("until", "query", {"type": "number"}, "Seconds since 1970."),
                _parameter("sort", "query", {"enum": ["new", "score"]}),
                _parameter("offset", "query", {"type": "integer"}),
                _parameter("limit", "query", {"type": "integer", "maximum": 500}),
            )
        },
        "/runs/{run}/mark": {"post": _do("Set star and tags of a run.", _MARK, run, body=_MARK)},
        "/runs/{run}/trash": {
            "post": _do("Move a run into the trash. 409 while it is in the queue.", {"type": "object"}, run)
        },
        "/trash": {
            "get": _do("What is in the trash, newest first: id and run.", _TRASH),
            "delete": _do("Delete what is in the trash for good.", {"type": "object"}),
        },
        "/trash/{id}/restore": {
            "post": _do(
                "Put a run back; its name.",
                {"type": "object", "properties": {"run": {"type": "string"}}},
                _parameter("id", "path", {"type": "string"}),
            )
        },
        "/search": {
            "post": _do(
                "Runs that show what words say, or look like a run, the best first.", _RUNS, body=_QUERY
            )
        },
        "/search/picture": {
            "post": _do("Runs that look like a picture, at most 64 MiB.", _RUNS, upload=True)
        },
        "/compare": {
            "get": _do(
                "What is different about 2 to 4 runs: `runs` and `differences`, each where and values.",
                {"type": "object"},
                _parameter("run", "query", {"type": "array", "items": {"type": "string"}, "maxItems": 4}),
            )
        },
        "/runs/{run}": {"get": _do("All about a run, its recipe and lineage too.", _RUN, run)},
        "/runs/{run}/thumb.jpg": {"get": _do(f"A small picture. {_OR_NONE}", None, run, kind="image/jpeg")},
        "/runs/{run}/files/{name}": {
            "get": _do(
                "A picture, video or text of a run.",
                None,
                run,
                _parameter("name", "path", {"type": "string"}),
                kind="*/*",
            )
        },
    }


def _parameter(name: str, place: str, schema: dict[str, Any], text: str = "") -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": schema, "description": text}


def _do(
    text: str,
    schema: dict[str, Any] | None,
    *parameters: dict[str, Any],
    body: dict[str, Any] | None = None,
    kind: str = "application/json",
    upload: bool = False,
) -> dict[str, Any]:
    content = {"application/json" if schema else kind: {"schema": schema} if schema else {}}
    found: dict[str, Any] = {
        "summary": text,
        "responses": {
            "200": {"description": "Done.", "content": content},
            "default": {"description": "{error}"},
        },
    }
    if parameters:
        found["parameters"] = list(parameters)
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    elif upload:
        found["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    return found
