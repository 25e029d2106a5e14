"""Every route against its own OpenAPI document, with what nobody would send: a small budget, the same examples each time."""

from contextlib import suppress

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

import tacit
from tacit.data.text.generated import topics
from tests.serving.conftest import listening

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
budget = settings(max_examples=10, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def keeps_to_its_document(port: int, routes: set[str]) -> set[str]:
    """Ask every route, or some, in ways that its document allows and in others; those that were asked."""
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{port}/openapi.json")
    asked = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        if routes and operation.path not in routes:
            continue

        for mode in GenerationMode:  # what the document allows, and what it does not

            @budget
            @given(case=operation.as_strategy(generation_mode=mode))
            def keeps(case):
                case.call_and_validate(checks=CHECKS)

            with suppress(Unsatisfiable):  # nothing can be wrong in a route that takes nothing
                keeps()
        asked.add(operation.path)
    return asked


def test_a_run_on_texts(texts, tmp_path):
    tacit.embed(texts, topics(40), out=tmp_path / "topics.lance")
    with listening(texts, tmp_path / "topics.lance") as (server, port):
        asked = keeps_to_its_document(port, set())
        answers = server.service.metrics.requests.collect()[0].samples
    assert asked == {
        "/v1/embeddings",
        "/v1/embeddings/upload",
        "/search",
        "/search/upload",
        "/v1/models",
        "/health",
        "/metrics",
    }
    statuses = {sample.labels["status"] for sample in answers}
    assert {"200", "400"} <= statuses and "500" not in statuses


def test_a_run_on_images(trained, cloth, tmp_path):
    tacit.embed(trained, cloth, out=tmp_path / "cloth.lance")
    with listening(trained, tmp_path / "cloth.lance") as (_, port):
        uploads = {"/v1/embeddings/upload", "/search/upload"}
        assert keeps_to_its_document(port, uploads) == uploads
