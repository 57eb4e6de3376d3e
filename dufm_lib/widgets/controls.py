"""The controls that chapters share: one label, one range and one look for each setting."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets

_EXPONENT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LABEL = {"description_width": "initial"}


def slider(label: str, value: float, smallest: float, largest: float, step: float = 1) -> ipywidgets.Widget:
    """A slider for whole numbers, or for decimal ones if the value is a float."""
    kind = ipywidgets.FloatSlider if isinstance(value, float) else ipywidgets.IntSlider
    options = {"readout_format": ".2g"} if isinstance(value, float) else {}
    return kind(
        value,
        min=smallest,
        max=largest,
        step=step,
        description=label,
        style=_LABEL,
        **options,
    )


def choice(label: str, options: Mapping[str, object], value: object) -> ipywidgets.SelectionSlider:
    """A slider over named values, {name: value}; the name is read out."""
    if value not in options.values():
        raise ValueError(f"value must be one of {list(options.values())}, got {value!r}")
    return ipywidgets.SelectionSlider(options=list(options.items()), value=value, description=label, style=_LABEL)


def classes(value: int = 6, smallest: int = 2, largest: int = 10) -> ipywidgets.Widget:
    """Number of classes K."""
    return slider("classes K", value, smallest, largest)


def samples(value: int = 5, smallest: int = 1, largest: int = 20) -> ipywidgets.Widget:
    """Samples per class n."""
    return slider("samples per class n", value, smallest, largest)


def depth(value: int = 2, smallest: int = 1, largest: int = 6) -> ipywidgets.Widget:
    """Depth L, the number of weight matrices."""
    return slider("depth L", value, smallest, largest)


def width(value: int = 20, smallest: int = 2, largest: int = 120) -> ipywidgets.Widget:
    """Width d."""
    return slider("width d", value, smallest, largest)


def weight_decay(exponent: int = -10, smallest: int = -14, largest: int = -3) -> ipywidgets.SelectionSlider:
    """Weight decay as a power of two; the value is the number 2**exponent."""
    powers = {f"2{str(power).translate(_EXPONENT)}": 2.0**power for power in range(smallest, largest + 1)}
    return choice("weight decay λ", powers, 2.0**exponent)


def init_scale(value: float = 1.0) -> ipywidgets.Widget:
    """Factor on the standard deviation 1/sqrt(d) of the initial entries."""
    return slider("initial scale", value, 0.1, 2.0, 0.1)


def steps(value: int = 4000, smallest: int = 500, largest: int = 20000) -> ipywidgets.Widget:
    """Steps of gradient descent."""
    return slider("steps", value, smallest, largest, 500)


def runs(value: int = 10, smallest: int = 1, largest: int = 50) -> ipywidgets.Widget:
    """Number of runs, each from its own seed."""
    return slider("runs", value, smallest, largest)


def seed(value: int = 0) -> ipywidgets.BoundedIntText:
    """Seed of the random start."""
    return ipywidgets.BoundedIntText(value, min=0, max=999_999, description="seed", style=_LABEL)
