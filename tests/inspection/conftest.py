"""What the tests of `vg.inspect` share."""

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(autouse=True)
def _in_full() -> Iterator[None]:
    """A model multiplies with the digits that it asks for, and is inspected with these: all of
    them where float64 is the judge, on tensor cores too."""
    with jax.default_matmul_precision("highest"):
        yield
