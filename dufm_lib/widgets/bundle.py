"""ES modules of dufm_lib/widgets/js, put together into the one string that an anywidget takes as its `_esm`.

A module is written as any other: `import { a, b } from "./theory.js"`, `export function a`, `export const b`,
`export class C`, and one `export default` at most. In the bundle each module is a function that is called once and
returns its exports, so names never clash and nothing is loaded: the same string works in a page opened from a
disk, in JupyterLab and without a network.

A Web Worker needs its code as text: `import source from "./worker.js?bundled"` gives the bundle of that module as a
string, for `new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })), { type: "module" })`.
Comments that fill a line are left out.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

JS = Path(__file__).with_name("js")

_LINE_COMMENT = re.compile(r"^[ \t]*//.*\n", re.MULTILINE)
_BLOCK_COMMENT = re.compile(r"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r'^import\s+([^;"]+?)\s+from\s+"\./([\w-]+\.js)(\?bundled)?";[ \t]*\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*? |const |class )(\w+))", re.MULTILINE)
_DEFAULT = re.compile(r"^export default ", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


@functools.cache
def bundle(entry: str) -> str:
    """The module `entry` with all that it imports, as one ES module with the default export of `entry`.

    Args:
        entry: file name in dufm_lib/widgets/js.

    Raises:
        ValueError: a module is missing or imports itself in a circle, or an import or export is not of the forms above.
    """
    done: dict[str, str] = {}
    _add(entry, done, ())
    default = f"export default {_name(entry)}.default;\n" if _DEFAULT.search(_source(entry)) else ""
    return "".join(done.values()) + default


def _name(module: str) -> str:
    """The identifier that holds the exports of a module."""
    return "$" + re.sub(r"\W", "_", module.removesuffix(".js"))


def _source(module: str) -> str:
    path = JS / module
    if not path.is_file():
        raise ValueError(f"{module} must be a file of {JS.name}/; it is not there")
    return _BLOCK_COMMENT.sub("", _LINE_COMMENT.sub("", path.read_text(encoding="utf-8")))


def _add(module: str, done: dict[str, str], importers: tuple[str, ...]) -> None:
    """Put `module` into `done`, after what it imports."""
    if module in importers:
        raise ValueError(f"imports must not form a circle: {' -> '.join([*importers, module])}")
    if module in done:
        return
    source = _source(module)
    for _, imported, as_text in _IMPORT.findall(source):
        if not as_text:
            _add(imported, done, (*importers, module))

    def take(match: re.Match) -> str:
        names, imported, as_text = match.groups()
        if as_text:
            return f"const {names} = {json.dumps(bundle(imported))};\n"
        if not names.startswith("{"):
            return f"const {names} = {_name(imported)}.default;\n"
        return f"const {names.replace(' as ', ': ')} = {_name(imported)};\n"

    exports = _EXPORT.findall(source)
    body = _DEFAULT.sub("const $default = ", _EXPORT.sub("", _IMPORT.sub(take, source)))
    if left := _LEFT.search(body):
        raise ValueError(f"{module}: cannot bundle {left[0]!r}; see the forms in bundle.py")
    given = [*exports, *(["default: $default"] if "const $default" in body else [])]
    done[module] = f"const {_name(module)} = (() => {{\n{body}return {{ {', '.join(given)} }};\n}})();\n"
