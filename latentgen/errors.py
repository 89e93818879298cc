"""The errors latentgen raises on purpose; the command line makes each one line and exit code 2.

Every message says what was expected, what was received and what to do.
"""


class LatentgenError(Exception):
    """Base class: whoever catches this catches everything latentgen raises on purpose."""


class InputError(LatentgenError, ValueError):
    """An argument, an array or a label has a value, shape or type that cannot be used."""


class FileError(LatentgenError, ValueError):
    """A file or folder is missing, damaged, empty, hostile or not of the format it claims."""


class CheckpointError(LatentgenError, ValueError):
    """Saved weights do not belong to the model that should receive them."""
