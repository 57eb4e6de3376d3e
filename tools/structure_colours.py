"""Sphinx extension: the colours of the structures, as dufm_lib.plots defines them, for words in the text.

`<span class="pairing">pairing</span>` puts a dot of the pairing structure's colour before the word. The word
keeps the colour of the text, legible on either ground; the dark theme turns the dot as it turns the figures.
"""

from pathlib import Path

from sphinx.application import Sphinx

STYLESHEET = "structures.css"


def stylesheet(colours: dict[str, str]) -> str:
    """CSS with a class for each structure; an underscore in a name becomes a hyphen."""
    names = {name.replace("_", "-"): colour for name, colour in colours.items()}
    dots = ",\n".join(f"span.{name}::before" for name in names)
    rules = "\n".join(f"span.{name} {{ --structure: {colour}; }}" for name, colour in names.items())
    return f"""{rules}
{dots} {{
  content: "";
  display: inline-block;
  width: 0.62em;
  height: 0.62em;
  margin-right: 0.3em;
  border-radius: 50%;
  background: var(--structure);
  filter: var(--figure-filter);
  print-color-adjust: exact;
}}
"""


def write(app: Sphinx) -> None:
    """Write the style sheet where Sphinx looks for static files."""
    from dufm_lib.plots import COLORS

    folder = Path(app.outdir).parent / "structure_colours"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STYLESHEET).write_text(stylesheet(COLORS))
    app.config.html_static_path.append(str(folder))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("builder-inited", write)
    app.add_css_file(STYLESHEET)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
