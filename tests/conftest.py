"""What all tests share: one real Chromium, as Playwright runs once in a process; half precision."""

from collections.abc import Iterator

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
