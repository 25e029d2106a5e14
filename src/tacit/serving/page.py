"""The page at /docs: the routes, what they take and what they answer, read off the OpenAPI document. It runs no script."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
STYLE = """
:root { color-scheme: light dark; --soft: #5c5f67; --line: #dfe0e3; --wash: #f1f2f4; }
@media (prefers-color-scheme: dark) { :root { --soft: #a5a8b0; --line: #34363c; --wash: #24262b; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h2 { font-size: 1.05rem; margin: 2.2rem 0 .3rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h2 b { font-size: .8rem; letter-spacing: .04em; margin-right: .6em; color: var(--soft); }
h3 { font-size: .9rem; margin: 1rem 0 .2rem; }
code, pre { font: .87em ui-monospace, monospace; background: var(--wash); border-radius: 4px; padding: .1em .3em; }
pre { padding: .7em; overflow-x: auto; }
pre code { padding: 0; background: none; font-size: 1em; }
table { border-collapse: collapse; width: 100%; }
td { border-bottom: 1px solid var(--line); padding: .25em 1em .25em 0; vertical-align: top; overflow-wrap: anywhere; }
td:nth-child(2), td:nth-child(3) { color: var(--soft); }
"""


def page(document: Mapping[str, Any]) -> str:
    """HTML of an OpenAPI document."""
    known = document["components"]["schemas"]
    routes = [(how, path, told) for path, ways in document["paths"].items() for how, told in ways.items()]
    about = document["info"]
    key = "Send the key as <code>Authorization: Bearer KEY</code>. " if "security" in document else ""
    parts = [
        f"<h1>{escape(about['title'])}</h1><p>{escape(about['description'])}</p>",
        f"<p>{key}Errors are JSON, one sentence in <code>error.message</code>. For programs: "
        '<a href="openapi.json">openapi.json</a>.</p>',
        *(_route(how, path, told, known, bool(key)) for how, path, told in routes),
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    title = f"<title>{escape(about['title'])}: the routes</title>"
    return (
        f'<!doctype html><html lang="en"><head>{head}{title}<style>{STYLE}</style></head><body>{"".join(parts)}</body></html>'
    )


def _route(how: str, path: str, told: Mapping[str, Any], known: Mapping[str, Any], key: bool) -> str:
    taken, answers = told.get("requestBody", {}).get("content", {}), told["responses"]["200"].get("content", {})
    found = f"<h2><b>{how.upper()}</b><code>{escape(path)}</code></h2><p>{escape(told.get('description', ''))}</p>"
    for title, content in (("Takes", taken), ("Answers", answers)):
        for kind, body in content.items():
            found += f"<h3>{title} {escape(kind)}</h3>{_fields(body.get('schema', {}), known)}"
    others = ", ".join(
        f"{status} ({escape(one['description'])})" for status, one in told["responses"].items() if status != "200"
    )
    shown = escape(_asked(path, taken, known, key))
    return f"{found}<h3>By curl</h3><pre><code>{shown}</code></pre><p><small>Otherwise: {others}.</small></p>"


def _fields(schema: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(_type(one))}</td><td>{escape(said)}</td></tr>"
        for name, one, said in _properties(schema, known)
    )
    return f"<table>{rows}</table>" if rows else ""


def _properties(schema: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """The fields of an object: name, schema, and what else is said of it."""
    whole = _resolved(schema, known)
    for name, one in whole.get("properties", {}).items():
        must = "must be given" if name in whole.get("required", ()) else ""
        default = f"{one['default']!r} if not given" if one.get("default") not in (None, "") else ""
        yield name, one, "; ".join(part for part in (one.get("description", ""), must, default) if part)


def _resolved(schema: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    return known[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _type(schema: Mapping[str, Any]) -> str:
    """In words."""
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "enum" in schema or "const" in schema:
        return " or ".join(map(repr, schema.get("enum", [schema.get("const")])))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if "contentMediaType" in schema or schema.get("format") == "binary":
        return "file"
    return {"object": "object", "integer": "whole number", "null": "null"}.get(
        schema.get("type", ""), schema.get("type", "any")
    )


def _asked(path: str, taken: Mapping[str, Any], known: Mapping[str, Any], key: bool) -> str:
    """A call by curl."""
    command = 'curl -H "Authorization: Bearer $(cat key)" ' if key else "curl "
    if "application/json" in taken:
        example = {"/search": '{"id": "ID", "top": 5}'}.get(path, '{"input": ["a red bicycle", "a quiet harbour"]}')
        return f"{command}--json '{example}' http://HOST:PORT{path}"
    if "multipart/form-data" in taken:
        (field, *_) = _resolved(taken["multipart/form-data"]["schema"], known)["properties"]
        return f"{command}-F {field}=@FILE http://HOST:PORT{path}"
    return f"{command}http://HOST:PORT{path}"
