"""JupyterLab in a headless Chromium: a server on loopback with a token of its own, and a page to look at and act on.

Selenium, since the tests are Python and Debian builds `chromium-driver` from the same source as `chromium`, so that the
two always fit; nothing is downloaded to drive the browser.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

PATIENCE = float(os.environ.get("SUTURE_BROWSER_PATIENCE", "60"))
# The document that is open; JupyterLab calls none current before something has the focus.
MAIN = "Array.from(window.jupyterapp.shell.widgets('main'))[0]"
FAILED = Path(__file__).resolve().parents[2] / "out" / "browser" / "failed.png"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1400",
    "--force-device-scale-factor=1",
)
# Menus and news that an unattended start should not show.
OVERRIDES: dict[str, dict[str, object]] = {
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}


class NoBrowserError(Exception):
    """What is missing to run these tests, in a sentence."""


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: its address, token, folder of notebooks and the log it writes."""

    port: int
    token: str
    folder: Path
    log: Path

    def address(self, path: str) -> str:
        """The address of a page of the server."""
        return f"http://127.0.0.1:{self.port}/{path}?token={self.token}"


def missing() -> str | None:
    """What these tests need and is not here, in a sentence; None where nothing is missing."""
    if shutil.which("chromium") is None or shutil.which("chromedriver") is None:
        return "no browser: install Debian's chromium and chromium-driver (`make browser` does)"
    return None


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def served(folder: Path) -> Generator[Server]:
    """A JupyterLab over `folder`, with settings, workspaces and IPython profile of its own."""
    home = folder.parent / "home"
    settings = home / "settings"
    settings.mkdir(parents=True)
    for name, values in OVERRIDES.items():
        extension, plugin = name.split(":")
        (settings / extension).mkdir(parents=True, exist_ok=True)
        (settings / extension / f"{plugin}.jupyterlab-settings").write_text(json.dumps(values))
    server = Server(free_port(), secrets.token_hex(16), folder, folder.parent / "jupyterlab.log")
    command = [sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser", "--ip=127.0.0.1"]
    command += [f"--port={server.port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}"]
    command += [f"--IdentityProvider.token={server.token}", f"--LabApp.user_settings_dir={settings}"]
    command += [
        f"--LabApp.workspaces_dir={home / 'workspaces'}",
        "--LabApp.news_url=None",
        "--LabApp.expose_app_in_browser=True",
    ]
    places = {"HOME": home, "JUPYTER_CONFIG_DIR": home / "config", "JUPYTER_RUNTIME_DIR": home / "runtime"}
    places |= {"JUPYTER_DATA_DIR": home / "data", "IPYTHONDIR": home / "ipython"}
    environment = os.environ | {name: str(place) for name, place in places.items()}
    with server.log.open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_for(server, process)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(server.address("api/status"), timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise NoBrowserError(f"JupyterLab did not start: {server.log.read_text(errors='replace')[-2000:]}")


@contextmanager
def browser() -> Generator[webdriver.Chrome]:
    """A headless Chromium with a profile of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    profile = tempfile.mkdtemp(prefix="suture-chromium-")
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver") or ""))
    try:
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)


class Page:
    """A notebook or a file open in JupyterLab."""

    def __init__(self, driver: webdriver.Chrome, server: Server) -> None:
        self.driver = driver
        self.server = server

    # -- looking

    def until(self, what: str, found: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """What `found` gives once that is true; fails, with what the console says, where it never is."""
        deadline = time.monotonic() + patience
        last: Exception | None = None
        while time.monotonic() < deadline:
            try:
                result = found()
            except Exception as error:  # an element that was just replaced, for one
                last, result = error, None
            if result:
                return result
            time.sleep(0.1)
        self.shot(FAILED)
        raise AssertionError(f"waited in vain for {what} ({last}); console: {self.console()[-5:]}")

    def all(self, selector: str, inside: WebElement | None = None) -> list[WebElement]:
        """The elements that a CSS selector finds."""
        return (inside or self.driver).find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str, inside: WebElement | None = None) -> WebElement:
        """The first element that a CSS selector finds, once it is there."""
        return self.until(selector, lambda: self.all(selector, inside))[0]

    def script(self, text: str, *arguments: Any) -> Any:
        """The value of a function body run in the page."""
        return self.driver.execute_script(text, *arguments)

    def console(self) -> list[str]:
        """What the page wrote to the console since the last call."""
        return [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]

    def shot(self, path: Path) -> Path:
        """A screenshot of the page."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))
        return path

    def shot_of(self, element: WebElement, path: Path) -> Path:
        """A screenshot of one element."""
        path.parent.mkdir(parents=True, exist_ok=True)
        element.screenshot(str(path))
        return path

    # -- acting

    def open(self, name: str) -> None:
        """Open a file of the folder alone, without side bars that matter here."""
        self.driver.get(self.server.address(f"doc/tree/{name}") + "&reset")
        self.until(
            "JupyterLab", lambda: self.script("return !!window.jupyterapp || !!document.querySelector('.jp-LabShell')")
        )

    def theme(self, name: str) -> None:
        """Switch to the theme `light` or `dark` and wait until it is there."""
        self.script(
            "return window.jupyterapp.commands.execute('apputils:change-theme', {theme: arguments[0]})", THEMES[name]
        )
        light = "true" if name == "light" else "false"
        self.until(f"the {name} theme", lambda: self.all(f"body[data-jp-theme-light='{light}']"))

    def keys(self, *keys: str) -> None:
        """Type keys into whatever has the focus; a key that comes after a modifier is pressed with it."""
        chain, held = ActionChains(self.driver), []
        for key in keys:
            if key in (Keys.SHIFT, Keys.CONTROL):
                chain.key_down(key)
                held.append(key)
            else:
                chain.send_keys(key)
        for key in held:
            chain.key_up(key)
        chain.perform()

    def command(self, name: str, arguments: Mapping[str, Any] | None = None) -> None:
        """Run a command of JupyterLab."""
        self.script("window.jupyterapp.commands.execute(arguments[0], arguments[1])", name, dict(arguments or {}))


class Notebook(Page):
    """A notebook open in JupyterLab, its kernel running."""

    def start(self, name: str) -> None:
        """Open the notebook and wait until its kernel is idle."""
        self.open(name)
        counted = f"const c = {MAIN}.context; return c.isReady ? c.model.cells.length : -1"
        self.until("all cells", lambda: self.script(counted) == len(self.cells()))
        self.until("an idle kernel", lambda: self.all(".jp-Notebook-ExecutionIndicator[data-status='idle']"))
        # The indicator is idle before the connection stands, and what is run until then is lost.
        connected = (
            f"const s = {MAIN}.context.sessionContext, k = s.session && s.session.kernel;"
            " return Boolean(s.isReady && k && k.connectionStatus === 'connected' && k.status === 'idle')"
        )
        self.until("a connected kernel", lambda: self.script(connected))

    def cells(self) -> list[WebElement]:
        """The cells, in order."""
        return self.all(".jp-Notebook .jp-Cell")

    def select(self, number: int) -> WebElement:
        """Put the cursor at the end of a cell's text."""
        cell = self.cells()[number]
        self.script("arguments[0].scrollIntoView({block: 'center'})", cell)
        self.one(".cm-content", cell).click()
        self.keys(Keys.CONTROL, Keys.END)
        return cell

    def activate(self, number: int) -> None:
        """Make the notebook the current document and a cell the active one, so that commands act on it."""
        chosen = (
            f"const app = window.jupyterapp, main = {MAIN}; app.shell.activateById(main.id);"
            "main.content.activeCellIndex = arguments[0]; return app.shell.currentWidget === main"
            " && app.commands.isEnabled('notebook:run-cell')"
        )

        # JupyterLab calls a document current once something in it has the focus: a click, as a reader would.
        def mark() -> None:
            self.one(".jp-InputPrompt", self.cells()[number]).click()

        self.until(f"cell {number} to be chosen", lambda: (mark(), self.script(chosen, number))[1])

    def run(self, number: int) -> WebElement:
        """Run a cell, wait until it is done and give the cell."""
        self.activate(number)
        before = self.until("a prompt", lambda: self.prompt(self.cells()[number]))
        self.command("notebook:run-cell")
        done = (before, "[*]:", "[ ]:")
        self.until(f"cell {number} to end", lambda: self.prompt(self.cells()[number]) not in done)
        return self.cells()[number]

    def prompt(self, cell: WebElement) -> str:
        """What stands before a cell: `[3]:` once it has run."""
        return self.one(".jp-InputPrompt", cell).text.strip()

    def tokens(self, cell: WebElement) -> list[tuple[str, str]]:
        """The coloured pieces of a cell's text, each with its colour as the browser computes it."""
        found = self.script(
            "return Array.from(arguments[0].querySelectorAll('.cm-line span')).filter(s => !s.children.length)"
            ".map(s => [s.textContent, getComputedStyle(s).color])",
            cell,
        )
        return [(text, colour) for text, colour in found]

    def save(self) -> Any:
        """Save the notebook and give its content."""
        self.driver.execute_async_script(f"const done = arguments[0]; {MAIN}.context.save().then(done, done)")
        name = self.script(f"return {MAIN}.context.path")
        return json.loads((self.server.folder / name).read_text(encoding="utf-8"))
