"""What all tests share: one real Chromium, as Playwright runs once in a process; half precision,
and products in full."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

import browsers

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    executable = browsers.needed_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def float16():
    """JAX's float16, where XLA can convert to it: it cannot without the instructions F16C."""
    import jax

    try:
        jax.numpy.ones(2).astype("float16").block_until_ready()
    except jax.errors.JaxRuntimeError as error:
        if "Failed to materialize symbols" not in str(error):
            raise
        pytest.skip("XLA has no float16 for this processor")
    return jax.numpy.float16


TESTS = Path(__file__).parent
#: Folders where a test multiplies with `@` and compares to more digits than tensor cores keep.
#: Elsewhere the library itself must ask for all of them.
MULTIPLIES = {"inspection", "live", "pages", "studies"}


@pytest.fixture(autouse=True)
def _products_in_full(request) -> Iterator[None]:
    """What is inspected or compiled multiplies with the digits that it asks for: here, all."""
    import jax

    full = request.path.relative_to(TESTS).parts[0] in MULTIPLIES
    with jax.default_matmul_precision("highest") if full else nullcontext():
        yield
