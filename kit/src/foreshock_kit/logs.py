"""Logs: facts with values, as JSON lines or for a reader, and never a token.

A bot's token is part of every Telegram URL, of the bot's repr and of one exception's text;
so it is taken out of each finished line, whatever brought it there.
"""

import logging
import re
import sys
from typing import Any, Final, TextIO

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter

from foreshock_kit.clock import Clock, SystemClock

_TOKEN: Final = re.compile(r"\d{6,}(?::|%3A)[A-Za-z0-9_-]{30,}", re.IGNORECASE)
_FRAME_BYTES: Final = 200
_QUIET: Final = {
    "httpx": logging.WARNING,  # its INFO lines hold URLs
    "httpcore": logging.WARNING,
    "websockets": logging.WARNING,  # two lines for every scrape
    "aiokafka": logging.CRITICAL,  # several lines a second while the broker is away; we say it once
}


def redact(text: str) -> str:
    """Return the text with every Telegram bot token made unreadable."""
    return _TOKEN.sub("***", text)


def configure(service: str, level: str, style: str, stream: TextIO = sys.stderr) -> None:
    """Send all logs, our own and the libraries', to `stream` in one format.

    `style` is `json`, `text`, or `auto`: text on a terminal.
    """
    readable = style == "text" or (style == "auto" and stream.isatty())
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _service_adder(service),
    ]
    renderer: list[Any] = (
        [_text_renderer(stream)]
        if readable
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        _Redacting(
            processors=[ProcessorFormatter.remove_processors_meta, *renderer],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(quiet)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=BoundLogger,
    )


def get_logger(name: str) -> BoundLogger:
    """Return a logger: `log.info("feed_up", feed=name)`."""
    logger: BoundLogger = structlog.stdlib.get_logger(name)
    return logger


class Burst:
    """Logs the first of a burst with what it was about, then only how many more there were.

    Calling it takes a reason and the bytes concerned, of which the first 200 are logged.
    """

    def __init__(
        self,
        logger: BoundLogger,
        event: str,
        *,
        every_s: float = 60.0,
        clock: Clock | None = None,
        **fields: object,
    ) -> None:
        self._logger = logger
        self._event = event
        self._every_s = every_s
        self._clock = clock or SystemClock()
        self._fields = fields
        self._quiet_until = 0.0
        self._more = 0

    def __call__(self, reason: str, data: bytes) -> None:
        """Log, or count, one more of it."""
        now = self._clock.monotonic()
        if now < self._quiet_until:
            self._more += 1
            return
        self._logger.warning(
            self._event,
            reason=reason,
            frame=data[:_FRAME_BYTES].decode(errors="replace"),
            more_since_last=self._more,
            **self._fields,
        )
        self._quiet_until = now + self._every_s
        self._more = 0


def _text_renderer(stream: TextIO) -> structlog.dev.ConsoleRenderer:
    # Others wrap long lines, and so could cut a token in two that nobody recognises
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain)


class _Redacting(ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def _service_adder(service: str) -> Any:
    def add(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        event["service"] = service
        return event

    return add
