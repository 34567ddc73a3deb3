"""A real Chromium for the tests: `page` goes with pytest-django's `live_server`."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tools.browser import FLAGS, NoBrowser, bring


@pytest.fixture(scope="session")
def browser_path() -> Path:
    """The browser's path; a machine without one that cannot bring one fails these tests."""
    try:
        found = bring()
    except NoBrowser as error:
        pytest.fail(str(error), pytrace=False)
    os.environ["CERTCTL_CHROMIUM"] = str(found)  # for programs that the tests start
    return found


@pytest.fixture(scope="session")
def browser(browser_path: Path) -> Iterator[Browser]:
    """One browser for the session."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=browser_path, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page without cookies from any other test; what it waits for must come in 10 s."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id="UTC"
    )
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()
