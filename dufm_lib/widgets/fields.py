"""What a reader can set in a live figure: plain descriptions that Python checks and js/controls.js draws.

The name of a field is the name of the setting everywhere: in `values`, in `compute`, in the address of the page.
"""

from __future__ import annotations

from dufm_lib import _arguments
from dufm_lib._arguments import plain, positive_float, real_float, shown, word

Field = dict[str, object]


def number(
    name: str, label: str, value: float, smallest: float, largest: float, step: float = 1, kernel: bool = False
) -> Field:
    """A number with a slider. A whole `step` means whole numbers.

    Args:
        name, label: of the setting, for code and for readers.
        value, smallest, largest, step: where it starts, its range, and the step of the slider.
        kernel: only the run in Python uses it; it is shown where a kernel answers.
    """
    return _number(name, label, value, smallest, largest, step, kernel, log=False)


def power(
    name: str, label: str, value: float, smallest: float, largest: float, step: float = 0.25, kernel: bool = False
) -> Field:
    """A positive number whose slider moves by powers of two: `step` is a step of log2."""
    positive_float("smallest", smallest)
    return _number(name, label, value, smallest, largest, step, kernel, log=True)


def _number(
    name: str, label: str, value: float, smallest: float, largest: float, step: float, kernel: bool, log: bool
) -> Field:
    smallest, largest = plain(smallest), plain(largest)
    if real_float("smallest", smallest) >= real_float("largest", largest):
        raise ValueError(f"smallest must be below largest, got {smallest} and {largest}")
    positive_float("step", step)
    return _field("number", name, label, value, kernel, min=smallest, max=largest, step=step, log=log)


def choice(name: str, label: str, value: object, options: dict[str, object], kernel: bool = False) -> Field:
    """One of several values (numbers or words), {what the reader sees: value}."""
    if not isinstance(options, dict) or not options:
        raise ValueError(f"options must be a dictionary of one option at least, got {shown(options)}")
    return _field("choice", name, label, value, kernel, options=[[each, text] for text, each in options.items()])


def flag(name: str, label: str, value: bool, kernel: bool = False) -> Field:
    """Yes or no."""
    return _field("flag", name, label, value, kernel)


def view() -> list[Field]:
    """How a picture in space is seen, in degrees and times: set by turning it (js/turntable.js), with no slider."""
    angles = [_number(name, name, 0, -180, 180, 0.1, kernel=False, log=False) for name in ("turn", "tilt")]
    zoom = _number("zoom", "zoom", 1, 0.6, 2.5, 0.01, kernel=False, log=False)
    return [field | {"hidden": True} for field in (*angles, zoom)]


def _field(kind: str, name: str, label: str, value: object, kernel: bool, **rest: object) -> Field:
    names = {"name": word("name", name), "label": word("label", label)}
    field = {"kind": kind, **names, "value": value, "kernel": _arguments.flag("kernel", kernel), **rest}
    check(field, value)
    return field


def check(field: Field, value: object) -> object:
    """The value, if the field accepts it.

    Raises:
        ValueError: it does not, or the field is none of those made here.
    """
    if not isinstance(field, dict) or not {"name", "kind"} <= field.keys():
        raise ValueError(f"field must be one that number, power, choice or flag makes, got {shown(field)}")
    name, kind = field["name"], field["kind"]
    if kind == "flag":
        return _arguments.flag(name, value)
    value = plain(value)
    if kind == "choice":
        options = [each for each, _ in field["options"]]
        if not isinstance(value, (str, int, float)) or isinstance(value, bool) or value not in options:
            raise ValueError(f"{name} must be one of {options}, got {shown(value)}")
    else:
        whole = not field["log"] and float(field["step"]).is_integer()
        real_float(name, value)
        if not field["min"] <= value <= field["max"]:
            raise ValueError(f"{name} must be from {field['min']} to {field['max']}, got {value}")
        if whole and value != int(value):
            raise ValueError(f"{name} must be a whole number, got {value}")
        if whole:
            return int(value)
    return value
