"""A sink that is scraped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspan import _llmspan
from llmspan.sinks._base import Sink

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping


class Prometheus(Sink):
    """Counts calls, for Prometheus and others that scrape.

    It has no server of its own. Serve :meth:`scrape` where the application serves, or mount it there::

        metrics = llmspan.sinks.Prometheus()
        llmspan.configure(sinks=[metrics])

        app.mount("/metrics", metrics.asgi)  # Starlette, FastAPI
        app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/metrics": metrics.wsgi})  # Flask

    Each process counts for itself, also after a fork. Past the cap of label sets calls are counted in one overflow
    series.
    """

    def __init__(
        self,
        profile: str = "otel-1.41",
        *,
        label_sets: int | None = None,
        exemplars: bool = True,
        response_model: bool = False,
    ) -> None:
        """Begin to count.

        :param profile: names of the metrics, one of :data:`llmspan.METRIC_PROFILES`.
        :param label_sets: how many label sets have series of their own; 512 when it is not said.
        :param exemplars: whether buckets remember a trace each, for scrapers that ask for OpenMetrics.
        :param response_model: whether the model that answered is a label beside the one that was asked for.
        :raises llmspan.errors.UnknownProfileError: for a profile that does not exist.
        """
        self._options: dict[str, Any] = {
            "profile": profile,
            "label_sets": label_sets,
            "exemplars": exemplars,
            "response_model": response_model,
        }
        self._metrics = _llmspan.Metrics(**self._options)

    def record(self, record: _llmspan.Record) -> None:
        """Count the call."""
        self._metrics.observe(record)

    def after_fork(self) -> None:
        """Count from zero."""
        self._metrics = _llmspan.Metrics(**self._options)

    def scrape(self, accept: str | None = None) -> tuple[str, str]:
        """Give the answer to a scrape: its content type and its text. May be called from any thread.

        :param accept: the ``Accept`` header of the request; OpenMetrics is given to those that ask for it.
        """
        return self._metrics.scrape(accept)

    def wsgi(self, environ: Mapping[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        """Answer a scrape, as a WSGI application. It answers every path and method alike."""
        content_type, text = self.scrape(environ.get("HTTP_ACCEPT"))
        body = text.encode()
        start_response("200 OK", [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]

    async def asgi(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Any]],  # noqa: ARG002 - of the protocol
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """Answer a scrape, as an ASGI application. It answers every path and method alike."""
        if scope["type"] != "http":
            return
        accept = ", ".join(value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"accept")
        content_type, text = self.scrape(accept or None)
        body = text.encode()
        headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
