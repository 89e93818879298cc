"""Why a piece of music is not taken."""

from latentgen.errors import InputError


class Unsuitable(InputError):
    """Notes that a converter cannot represent.

    Attributes:
        reason: a few words that reports count by, such as 'polyphonic' or 'too short'.
    """

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
