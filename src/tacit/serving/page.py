"""The page at /docs: the routes, what they take and what they answer, read off the OpenAPI document. It runs no script."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

Row = tuple[str, str, str]  # a name, a type, what else is said
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
td { border-bottom: 1px solid var(--line); padding: .25em 1em .25em 0; vertical-align: top; }
td:nth-child(2), td:nth-child(3) { color: var(--soft); }
@media (max-width: 40rem) { td { display: block; border: 0; padding: 0; } td:first-child { padding-top: .5em; } }
"""


def page(document: Mapping[str, Any], base: str) -> str:
    """HTML of an OpenAPI document, for a server at the address `base`, which ends in /."""
    known = document["components"]["schemas"]
    routes = [(how, path, told) for path, ways in document["paths"].items() for how, told in ways.items()]
    about, key = document["info"], "security" in document
    answers = {status: one["description"] for *_, told in routes for status, one in told["responses"].items()}
    parts = [
        f"<h1>{escape(about['title'])}</h1><p>{escape(about['description'])}</p>",
        "<p>Send the key as <code>Authorization: Bearer KEY</code>.</p>" if key else "",
        '<p>For programs: <a href="openapi.json">openapi.json</a>.</p>',
        *(_route(how, path, told, known, f"{base.rstrip('/')}{path}", key) for how, path, told in routes),
        "<h2>Refusals</h2><p>JSON in OpenAI's form, one sentence in <code>error.message</code>.</p>",
        _table((status, "", answers[status]) for status in sorted(answers) if status != "200"),
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    title = f"<title>{escape(about['title'])}: the routes</title>"
    body = "".join(parts)
    return f'<!doctype html><html lang="en"><head>{head}{title}<style>{STYLE}</style></head><body>{body}</body></html>'


def _route(how: str, path: str, told: Mapping[str, Any], known: Mapping[str, Any], address: str, key: bool) -> str:
    taken, answers = told.get("requestBody", {}).get("content", {}), told["responses"]["200"].get("content", {})
    found = f"<h2><b>{how.upper()}</b><code>{escape(path)}</code></h2><p>{escape(told.get('description', ''))}</p>"
    for kind, body in taken.items():
        found += f"<h3>Takes {escape(kind)}</h3>{_table(_fields(body.get('schema', {}), known, asked=True))}"
    for kind, body in answers.items():
        found += f"<h3>Answers {escape(kind)}</h3>{_table(_fields(body.get('schema', {}), known, asked=False))}"
    return f"{found}<h3>By curl</h3><pre><code>{escape(_call(path, taken, known, address, key))}</code></pre>"


def _table(rows: Iterable[Row]) -> str:
    lines = (f"<tr><td><code>{escape(name)}</code><td>{escape(kind)}<td>{escape(said)}</tr>" for name, kind, said in rows)
    return f"<table>{''.join(lines)}</table>"


def _fields(schema: Mapping[str, Any], known: Mapping[str, Any], asked: bool, before: str = "") -> Iterator[Row]:
    """The fields of an object, those of objects within it behind their own."""
    whole = _resolved(schema, known)
    for name, one in whole.get("properties", {}).items():
        must = "must be given" if asked and name in whole.get("required", ()) else ""
        default = f"{one['default']!r} if not given" if asked and one.get("default") not in (None, "") else ""
        yield before + name, _type(one), "; ".join(part for part in (one.get("description", ""), must, default) if part)
        within, many = (one.get("items", {}), "[]") if one.get("type") == "array" else (one, "")
        for part in within.get("anyOf", [within]):
            yield from _fields(part, known, asked, f"{before}{name}{many}.") if "$ref" in part else ()


def _resolved(schema: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    return known[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _type(schema: Mapping[str, Any]) -> str:
    """In words."""
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " or ".join(map(repr, schema.get("enum", [schema.get("const")])))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if "contentMediaType" in schema or schema.get("format") == "binary":
        return "file"
    kind = "object" if "$ref" in schema else schema.get("type", "any")
    return "whole number" if kind == "integer" else kind


def _call(path: str, taken: Mapping[str, Any], known: Mapping[str, Any], address: str, key: bool) -> str:
    """A call by curl."""
    command = 'curl -H "Authorization: Bearer $(cat key)" ' if key else "curl "
    if "application/json" in taken:
        example = {"/search": '{"id": "ID", "top": 5}'}.get(path, '{"input": ["a red bicycle", "a quiet harbour"]}')
        return f"{command}--json '{example}' {address}"
    if "multipart/form-data" in taken:
        (field, *_) = _resolved(taken["multipart/form-data"]["schema"], known)["properties"]
        return f"{command}-F {field}=@FILE {address}"
    return f"{command}{address}"
