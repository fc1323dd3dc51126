"""The browsers of this machine, found under any of their usual names.

Run as a program before the tests, it installs a Chromium where there is none and says in one
sentence what to do where it cannot.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
            "msedge", "microsoft-edge")  # fmt: skip
CHROMIUM_APPS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
FIREFOX = ("firefox-esr", "firefox")
FIREFOX_APPS = ("/Applications/Firefox.app/Contents/MacOS/firefox",)
#: What WebKitGTK's driver starts; Debian keeps it off the PATH.
MINI_BROWSERS = ("/usr/lib/*/webkit2gtk-4.*/MiniBrowser", "/usr/libexec/webkit2gtk-4.*/MiniBrowser")

REMEDY = (
    "expected a Chromium for the browser tests; got none on the PATH under the names "
    f"{', '.join(CHROMIUM)}. Install one, or name it: CHROMIUM=/path/to/it make test."
)


def found(variable: str, names: tuple[str, ...], apps: tuple[str, ...] = ()) -> str | None:
    """The program that an environment variable names, else the first that is there."""
    chosen = os.environ.get(variable)
    if chosen:
        program = shutil.which(chosen)
        if program is None:
            raise FileNotFoundError(
                f"{variable}: expected a program; got {chosen!r}, which is none. "
                f"Give its full path, or unset {variable}."
            )
        return program
    return next(filter(None, map(shutil.which, (*names, *apps))), None)


def downloaded() -> str | None:
    """The Chromium that Playwright has downloaded, if it has."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def chromium() -> str | None:
    """A Chromium: `CHROMIUM=`, one of the usual names, or Playwright's own download."""
    return found("CHROMIUM", CHROMIUM, CHROMIUM_APPS) or downloaded()


def needed_chromium() -> str:
    """A Chromium; without one the gate fails, and a laptop says what it has not tested."""
    executable = chromium()
    if executable is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(REMEDY)
    return executable


def firefox() -> str | None:
    """A Firefox: `FIREFOX=` or one of the usual names."""
    return found("FIREFOX", FIREFOX, FIREFOX_APPS)


def webkit() -> tuple[str, str] | None:
    """WebKitGTK's driver and the small browser that it drives, if both are there."""
    driver = shutil.which("WebKitWebDriver")
    browsers = (path for pattern in MINI_BROWSERS for path in Path("/").glob(pattern[1:]))
    browser = next(browsers, None)
    return (driver, str(browser)) if driver and browser else None


def install_chromium() -> None:
    """Install one: by apt as root on Debian, by Playwright's own download elsewhere."""
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        install = ["apt-get", "install", "-qq", "--yes", "--no-install-recommends", "chromium"]
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update", "-qq"], install):
            subprocess.run(command, check=False, env=quiet)
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def main() -> None:
    """Have a Chromium if one can be had, and name the engines that the tests will run in."""
    if chromium() is None:
        print("Installing a Chromium for the browser tests")
        install_chromium()
    engines = {"Chromium": chromium(), "Firefox": firefox(), "WebKit": webkit()}
    there = [name for name, program in engines.items() if program]
    absent = [name for name, program in engines.items() if not program]
    print(f"Browser engines: {', '.join(there) or 'none'}"
          + (f"; not here, so not tested: {', '.join(absent)}" if absent else ""))  # fmt: skip
    if not engines["Chromium"]:
        print(REMEDY)


if __name__ == "__main__":
    main()
