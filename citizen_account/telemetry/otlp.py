"""Send traces by OTLP over HTTP, with the packages of OpenTelemetry (the extra `otel`)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Self

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator


class OtlpSpan:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def name(self, text: str) -> None:
        self._span.update_name(text)

    def note(self, facts: Mapping[str, str | int]) -> None:
        self._span.set_attributes(dict(facts))


class OtlpTracer:
    def __init__(self, processor: SpanProcessor) -> None:
        self._provider = TracerProvider(resource=Resource({"service.name": "citizen-account"}))
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("citizen_account")

    @classmethod
    def sending_to(cls, url: str) -> Self:
        """Send in the background; what the collector does not take is dropped."""
        return cls(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))

    @contextmanager
    def span(self, name: str, parent: str = "") -> Iterator[OtlpSpan]:
        context = TraceContextTextMapPropagator().extract({"traceparent": parent})
        # The text of an exception may hold what nobody should read: its class is enough.
        with self._tracer.start_as_current_span(
            name, context, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield OtlpSpan(span)
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                raise

    def close(self) -> None:
        self._provider.shutdown()
