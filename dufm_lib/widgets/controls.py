"""The controls that chapters share: one label, one range and one look for each setting."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets

from dufm_lib._arguments import LARGEST, plain, positive_float, positive_int, real_float, shown, word

_EXPONENT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LABEL = {"description_width": "initial"}


def slider(label: str, value: float, smallest: float, largest: float, step: float = 1) -> ipywidgets.Widget:
    """A slider for whole numbers, or for decimal ones if the value is a float."""
    value = plain(value)
    for name, each in (("value", value), ("smallest", smallest), ("largest", largest), ("step", step)):
        if isinstance(value, float):
            real_float(name, each)
        else:
            positive_int(name, each, smallest=-LARGEST)
    if not smallest <= value <= largest or step <= 0:
        raise ValueError(
            f"value must be from smallest = {smallest} to largest = {largest}, and step positive; got {value}"
        )
    kind = ipywidgets.FloatSlider if isinstance(value, float) else ipywidgets.IntSlider
    options = {"readout_format": ".2g"} if isinstance(value, float) else {}
    return kind(
        value,
        min=smallest,
        max=largest,
        step=step,
        description=word("label", label),
        style=_LABEL,
        **options,
    )


def choice(label: str, options: Mapping[str, object], value: object) -> ipywidgets.SelectionSlider:
    """A slider over named values, {name: value}; the name is read out."""
    if not isinstance(options, Mapping) or not options:
        raise ValueError(f"options must be a dictionary of one option at least, got {shown(options)}")
    if not any(value is each or (type(value) is type(each) and value == each) for each in options.values()):
        raise ValueError(f"value must be one of {list(options.values())}, got {shown(value)}")
    return ipywidgets.SelectionSlider(
        options=list(options.items()), value=value, description=word("label", label), style=_LABEL
    )


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
    low, high = (positive_int(name, each, -1000, 1000) for name, each in (("smallest", smallest), ("largest", largest)))
    exponent = positive_int("exponent", exponent, -1000, 1000)
    if not low <= exponent <= high:
        raise ValueError(f"exponent must be from smallest = {low} to largest = {high}, got {exponent}")
    powers = {f"2{str(power).translate(_EXPONENT)}": 2.0**power for power in range(low, high + 1)}
    return choice("weight decay λ", powers, 2.0**exponent)


def init_scale(value: float = 1.0) -> ipywidgets.Widget:
    """Factor on the standard deviation 1/sqrt(d) of the initial entries."""
    return slider("initial scale", positive_float("value", value), 0.1, 2.0, 0.1)


def steps(value: int = 4000, smallest: int = 500, largest: int = 20000) -> ipywidgets.Widget:
    """Steps of gradient descent."""
    return slider("steps", value, smallest, largest, 500)


def runs(value: int = 10, smallest: int = 1, largest: int = 50) -> ipywidgets.Widget:
    """Number of runs, each from its own seed."""
    return slider("runs", value, smallest, largest)


def seed(value: int = 0) -> ipywidgets.BoundedIntText:
    """Seed of the random start."""
    return ipywidgets.BoundedIntText(
        positive_int("value", value, 0, 999_999), min=0, max=999_999, description="seed", style=_LABEL
    )
