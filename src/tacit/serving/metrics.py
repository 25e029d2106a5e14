"""What a server counts, in Prometheus' form."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60)


class Metrics:
    """The numbers of one server, and of its process (memory, files, seconds of a core)."""

    def __init__(self) -> None:
        self.registry = to = CollectorRegistry()
        self.requests = Counter("tacit_requests", "Requests that were answered", ("route", "status"), registry=to)
        self.seconds = _histogram("tacit_request_seconds", "From a request's head to its answer", SECONDS, to, ("route",))
        self.samples = Counter("tacit_samples", "Samples that were embedded and answered with", ("kind",), registry=to)
        self.given_up = Counter("tacit_given_up", "Requests whose client went away before the answer", registry=to)
        self.waiting = Gauge("tacit_waiting_samples", "Samples that wait or are worked on", registry=to)
        self.batch_samples = _histogram("tacit_batch_samples", "Samples of a batch", SIZES, to)
        self.batch_requests = _histogram("tacit_batch_requests", "Requests whose samples are in a batch", SIZES, to)
        self.batch_seconds = _histogram("tacit_batch_seconds", "Seconds of the encoder for a batch", SECONDS, to)
        self.rows = Gauge("tacit_table_rows", "Rows of the table that is searched", registry=to)
        self.version = Gauge("tacit_table_version", "Version of the table that is searched", registry=to)
        ProcessCollector(registry=to)

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self.registry)


def _histogram(
    name: str, about: str, edges: Sequence[float], registry: CollectorRegistry, labels: Sequence[str] = ()
) -> Histogram:
    return Histogram(name, about, labels, buckets=edges, registry=registry)
