"""A Jupyter server over a copy of the book, and its notebooks in a browser: JupyterLab, or Notebook."""

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
from conftest import ROOT
from playwright.sync_api import Browser, Error, Locator, Page, expect

LONG = 90_000  # milliseconds, on a busy machine
expect.set_options(timeout=LONG)
PATHS = {"jupyterlab": "lab/tree", "notebook": "notebooks"}  # of a notebook, in either
EXTENSIONS = {"@jupyter-widgets/jupyterlab-manager", "anywidget", "jupyterlab-myst", "jupyterlab_pygments"}
ALL_RAN = """() => {
  const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt:not(.jp-Placeholder-prompt)')];
  return prompts.length && prompts.every(e => /\\[\\d+\\]/.test(e.textContent))
    && document.querySelector('.jp-Notebook-ExecutionIndicator').dataset.status === 'idle';
}"""
# JupyterLab would ask the outside for news
NOTIFICATION = "@jupyterlab/apputils-extension/notification.jupyterlab-settings"
QUIET = {"checkForUpdates": False, "fetchNews": "false"}


class Server:
    """A Jupyter server, and its notebooks opened in a browser."""

    def __init__(self, address: str, path: str, token: str, folder: Path, browser: Browser):
        self.address, self.path, self.token, self.folder, self.browser = address, path, token, folder, browser

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/api/status?token={self.token}", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def open(self, notebook: str) -> "Notebook":
        context = self.browser.new_context(viewport={"width": 1280, "height": 900})
        return Notebook(context.new_page(), f"{self.address}/{self.path}/{notebook}?token={self.token}&reset")


class Notebook:
    """A notebook in a browser, and all that its page complained of."""

    def __init__(self, page: Page, address: str):
        self.page, self.wrong = page, []
        self.cells = page.locator(".jp-Notebook .jp-Cell")
        page.on("console", lambda message: self.note(message.type == "error", f"console: {message.text}"))
        page.on("pageerror", self.note_error)
        own = re.compile(r"(http|ws)://127\.0\.0\.1:|data:|blob:")
        page.on("request", lambda request: self.note(not own.match(request.url), f"outside: {request.url}"))
        page.on("websocket", lambda socket: self.note(not own.match(socket.url), f"outside: {socket.url}"))
        page.goto(address)

    def note(self, holds: bool, text: str):
        """Keep a complaint, unless it is of an extension that is not in our requirements."""
        if holds and set(re.findall(r"/lab/extensions/(@[^/]+/[^/]+|[^/]+)/", text)) <= EXTENSIONS:
            self.wrong.append(text)

    def note_error(self, error: Error):
        """Keep an error, unless JupyterLab's own code stands alone on its stack: that of figures comes from a blob."""
        places = set(re.findall(r"/static/lab/|/lab/extensions/|blob:", error.stack or ""))
        self.note(places != {"/static/lab/"}, f"page error: {error} {error.stack}")

    def run_all(self):
        """Run > Run All Cells, and wait until every cell has its number."""
        # before there is a kernel the indicator says idle too
        expect(self.page.locator(".jp-Toolbar-kernelName")).to_contain_text("Python 3")
        self.page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=LONG)
        self.page.locator(".lm-MenuBar-item", has_text=re.compile("^Run$")).click()
        self.page.locator(".lm-Menu-item[data-command='runmenu:run-all']").click()
        self.page.wait_for_function(ALL_RAN, timeout=LONG)

    def save(self):
        """Save with the key for it, the focus being in a cell."""
        self.cells.first.click()
        self.page.keyboard.press("Control+s")
        expect(self.page.locator(".lm-TabBar-tab.jp-mod-dirty")).to_have_count(0)

    def figure(self, title: str) -> Locator:
        """The live figure of that title, in view and drawn."""
        figure = self.page.get_by_role("group", name=title)
        figure.wait_for(timeout=LONG)
        figure.scroll_into_view_if_needed()
        figure.locator("svg").first.wait_for(timeout=LONG)
        return figure


@contextlib.contextmanager
def serve_book(app: str, home: Path, browser: Browser, cells: list[str]) -> Iterator[Server]:
    """Start `python -m app` over a copy of the book and of a notebook of these cells, figures.ipynb.

    Settings, workspaces and run files are its own, in `home`.
    """
    folder = home / "book"
    shutil.copytree(ROOT / "book", folder, ignore=shutil.ignore_patterns("assets", ".ipynb_checkpoints"))
    code = [nbformat.v4.new_code_cell(source) for source in cells]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=code, metadata=kernel), folder / "figures.ipynb")
    places = ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"]
    places += ["JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"]
    own = {place: str(home / place.lower()) for place in places}
    settings = home / "jupyterlab_settings_dir" / NOTIFICATION
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(QUIET))

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = Server(f"http://127.0.0.1:{port}", PATHS[app], secrets.token_hex(16), folder, browser)
    command = [sys.executable, "-m", app, "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}"]
    command += [f"--IdentityProvider.token={served.token}"]
    log = (home / "log").open("w+")
    server = subprocess.Popen(
        command, env=os.environ | own, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )
    try:
        end = time.monotonic() + 120
        while not served.answers():
            assert server.poll() is None and time.monotonic() < end, (home / "log").read_text()
            time.sleep(0.2)
        yield served
    finally:
        server.terminate()  # it stops its kernels and ends
        try:
            server.wait(20)
        finally:
            server.kill()
            log.close()
