"""Settings of the whole suite: TensorFlow quiet, no GPU memory grabbed, pictures off screen,
a thread each, the same random numbers every time."""

import gc
import os
import random
from pathlib import Path

# Before anything heavy is imported: these are read once, at import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
os.environ.setdefault("MPLBACKEND", "Agg")
# What a test compiles runs a few times: a third of the suite's time went into optimising it.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
# The same small models are compiled again and again; a second run takes a third of the time.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / "build" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
# Two processes share two cores (see the Makefile): threads of their own would only wait.
for pool in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(pool, "1")


def pytest_runtest_setup() -> None:
    """Seeds what Keras draws its seeds from: models without a seed of their own are the same ones
    every time, whichever tests ran before."""
    random.seed(0)


def pytest_collection_finish() -> None:
    _keep()


def pytest_runtest_teardown(item, nextitem) -> None:
    if nextitem is None or nextitem.path != item.path:
        _keep()


def _keep() -> None:
    """Spares the garbage collector all that is there for good, after the imports and after each
    file: it took up to a quarter of the time to go through that again and again."""
    gc.collect()
    gc.freeze()
