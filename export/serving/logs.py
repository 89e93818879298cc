"""Log lines that programs read: one JSON object each."""

import datetime
import json
import logging
from typing import Any

LOGGER = logging.getLogger("latentgen.export.serving")


def log(event: str, level: int = logging.INFO, **facts: Any) -> None:
    """Logs that something happened, and what is to be known of it."""
    LOGGER.log(level, event, extra={"facts": facts})


class JsonFormatter(logging.Formatter):
    """{"time": …, "level": …, "event": …} and the record's facts; a traceback as one string."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line = {
            "time": time.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
