"""Sphinx extension: the launch and source buttons follow the repository that the book is built from.

The address is git's own `origin` at build time, so the pages of a fork open the fork. Without an origin, or
with one that is no GitHub or GitLab address, no button is drawn.
"""

import re
import subprocess
from pathlib import Path, PurePosixPath

from sphinx.application import Sphinx
from sphinx.config import Config

BINDER = "https://mybinder.org"
COLAB = "https://colab.research.google.com"

# scheme://user:secret@host:port/path, or user@host:path as ssh writes it
URL = re.compile(r"^(?:https?|ssh|git)://(?:[^@/]*@)?(?P<host>[^/:]+)(?::\d+)?/(?P<path>.+)$")
SCP = re.compile(r"^(?:[^@/]+@)?(?P<host>[^/:]+):(?P<path>[^/].*)$")


def repository(remote: str) -> str | None:
    """Web address of a git remote without credentials, port and `.git`; None unless it is a GitHub or GitLab.

    >>> repository("git@github.com:someone/a-fork.git")
    'https://github.com/someone/a-fork'
    """
    match = URL.match(remote.strip()) or SCP.match(remote.strip())
    if not match:
        return None
    host, path = match["host"].lower(), match["path"].strip("/").removesuffix(".git")
    if not re.search(r"(^|\.)(github|gitlab)\.", host) or "/" not in path:
        return None
    return f"https://{host}/{path}"


def theme_options(url: str, branch: str) -> dict[str, object]:
    """Options of sphinx-book-theme for a repository: Binder and Colab where these services can reach it."""
    provider = "github" if "github." in url.split("/")[2] else "gitlab"
    # https://host/owner/name: the services know the two public hosts, and no GitLab subgroups
    public = url.startswith(("https://github.com/", "https://gitlab.com/")) and url.count("/") == 4
    launch = {"notebook_interface": "jupyterlab"}
    if public:
        launch["binderhub_url"] = BINDER
    if public and provider == "github":
        launch["colab_url"] = COLAB
    return {
        "repository_url": url,
        "repository_branch": branch,
        "repository_provider": provider,
        "use_repository_button": True,
        "use_source_button": True,
        "launch_buttons": launch,
    }


def git(folder: Path, *arguments: str) -> str:
    """Standard output of a git command in a folder; empty where git or the answer is missing."""
    try:
        run = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True)
    except OSError:
        return ""
    return run.stdout.strip()


def reference(folder: Path) -> str:
    """The branch or the tag that is checked out; HEAD, the remote's default branch, if only a commit is known.

    The checkout of a tag or of a pull request is on no branch, and a pull request's own may be one of a fork, which
    the origin does not have.
    """
    branch = git(folder, "rev-parse", "--abbrev-ref", "HEAD")
    return git(folder, "describe", "--tags", "--exact-match") or branch if branch == "HEAD" else branch


def origin(folder: Path) -> tuple[str, str] | None:
    """(web address, branch or tag) of the repository whose top folder is `folder`; None if it has none to show."""
    top = git(folder, "rev-parse", "--show-toplevel")
    # an unpacked archive inside somebody's other repository must not take that one's address
    if not top or Path(top).resolve() != folder.resolve():
        return None
    url = repository(git(folder, "remote", "get-url", "origin"))
    return (url, reference(folder)) if url else None


def colab_cell(url: str, branch: str, page: str) -> str:
    """The cell that readies a fresh Colab session for a page: the repository, the library, the page's folder."""
    chosen = "" if branch == "HEAD" else f" --branch {branch}"  # git clone takes the names of branches and tags only
    return f"""!git clone --quiet --depth 1{chosen} {url} book
%pip install --quiet ./book
%cd book/{PurePosixPath(page).parent}"""


def configure(app: Sphinx, config: Config) -> None:
    """Set the theme's options from the repository of the source folder."""
    config.html_theme_options["launch_buttons"] = {}
    if found := origin(Path(app.srcdir)):
        config.html_theme_options.update(theme_options(*found))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("config-inited", configure)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
