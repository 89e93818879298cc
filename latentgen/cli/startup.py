"""Importing Keras, its backend and note_seq without what they say on their way."""

import os
import sys
import tempfile
import warnings


def import_keras() -> None:
    """Imports keras. What the libraries under it say is shown only if that fails.

    TensorFlow writes to the file behind stderr before any of its settings can keep it from doing
    so; a person who asked for a drawing takes that for an error.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            import keras  # noqa: F401
        except BaseException:
            said.seek(0)
            os.write(stderr, said.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def import_note_seq() -> None:
    """Imports note_seq; what it imports in turn warns of programs that nothing here needs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import note_seq  # noqa: F401
