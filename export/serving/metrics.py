"""What Prometheus is told of the service, in a registry of its own."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters and gauges, all named latentgen_…"""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(namespace="latentgen_front", registry=self.registry)
        self.requests = self._counter(
            "requests", "Requests answered, by model, what was asked for, and status",
            "model", "endpoint", "code",
        )  # fmt: skip
        self.seconds = Histogram(
            "latentgen_request_seconds", "From a request's first byte to its answer",
            ["endpoint"], buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.batch_rows = Histogram(
            "latentgen_batch_rows", "Rows that were answered together",
            ["model", "signature"], buckets=_ROWS, registry=self.registry,
        )  # fmt: skip
        self.batch_seconds = Histogram(
            "latentgen_batch_seconds", "From sending a batch to a replica to its answer",
            ["model", "signature"], buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.waiting = self._gauge("waiting_rows", "Rows that wait for a replica")
        self.in_flight = self._gauge("requests_in_flight", "Requests being answered")
        self.version = self._gauge("model_version", "The version that is served", "model")
        self.replica_memory = self._gauge(
            "replica_memory_bytes", "Resident memory of the replica that reported last"
        )
        self.retries = self._counter("batch_retries", "Batches sent again, as a replica was lost")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"latentgen_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"latentgen_{name}", text, labels, registry=self.registry)

    def written(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)
