"""What a client is told when it does not get what it asked for."""

from latentgen.errors import LatentgenError


class Refusal(LatentgenError):
    """An answer that is an HTTP status and one line; never raised for a fault of the service.

    Args:
        status: 4xx where the client can mend it, 503 where it should come back.
        message: "expected …, received …, do …", in one line.
        retry_after: seconds after which to come back.
    """

    def __init__(self, status: int, message: str, retry_after: int | None = None):
        super().__init__(status, message, retry_after)
        self.status = status
        self.message = " ".join(message.split())
        self.retry_after = retry_after

    def __str__(self) -> str:
        return self.message


class Gone(Refusal):
    """404: a version that was served until now is in memory no more."""


def bad(message: str) -> Refusal:
    """What the client sent cannot be used: 400."""
    return Refusal(400, message)


def shown(value: object, longest: int = 60) -> str:
    """A client's value as an error quotes it: short, whatever it is."""
    text = repr(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"
