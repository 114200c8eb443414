"""What the logs of the web processes leave out."""

import logging


class Brief(logging.Filter):
    """One line and no trace, for what is nobody's fault in here."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True
