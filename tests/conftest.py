"""One real Chromium for all tests: Playwright runs once in a process."""

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
