"""What only a site with an address can have: a page for missing addresses, a sitemap, cards for links shared elsewhere.

`SITE_URL=https://example.org/book/ make book` builds for that address; the workflow that publishes the book names its
own. Without it these files, which must name the site's address, are left out.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

import marks
from sphinx.application import Sphinx
from sphinx.errors import ConfigError

CARDS = {"line_color": "#0072b2", "description_max_length": 140}


def draw_marks(app: Sphinx) -> None:
    """Draw the logo and the favicon beside the pages and put them on the cards."""
    drawn = marks.write(Path(app.outdir).parent / "marks")
    # from the source folder: an address of its own would make the cards' names differ from machine to machine
    logo, favicon = (os.path.relpath(drawn[name], app.srcdir) for name in ("logo", "favicon"))
    app.config.ogp_social_cards = CARDS | {"image": logo, "image_mini": favicon}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extensions that need an address, if there is one."""
    if address := os.environ.get("SITE_URL"):
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ConfigError(f"SITE_URL must be a full address like https://example.org/book/, got {address!r}")
        address = address.rstrip("/") + "/"
        app.config.html_baseurl = app.config.ogp_site_url = address
        app.config.sitemap_url_scheme = "{link}"
        app.config.sitemap_excludes = ["404.html", "genindex.html", "search.html"]
        app.config.notfound_urls_prefix = parts.path.rstrip("/") + "/"
        for name in ("notfound.extension", "sphinx_sitemap", "sphinxext.opengraph"):
            app.setup_extension(name)
        app.connect("builder-inited", draw_marks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
