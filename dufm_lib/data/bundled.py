"""The handwritten digits that scikit-learn carries with it: no download."""

from __future__ import annotations

from collections.abc import Sequence

from dufm_lib._arguments import flag
from dufm_lib.data.sets import Data, balanced, selection


def digits(per_class: int = 174, classes: Sequence[int] = tuple(range(10)), flat: bool = True) -> Data:
    """Handwritten digits, 8 x 8 pixels, as scikit-learn carries them: no download, the same everywhere.

    The first `per_class` images of each digit are for training, standardised as `balanced` says; the others
    of the chosen digits are for testing. There are 1797 images, 174 to 183 a digit: at the default 57 are left.

    Args:
        per_class: n, from 1 to 174 (to 183 for some digits alone).
        classes: which digits, at least two; class k of the result is the digit classes[k].
        flat: inputs (N, 64), for a perceptron; else (N, 1, 8, 8), for convolutions. The same numbers.

    Returns:
        Data with float32 inputs, of mean 0 and standard deviation 1 over all entries; a row reshaped to (8, 8) is an
        image.

    Raises:
        ValueError: a bad argument, by name.

    Source: Alpaydin & Kaynak (1998), Optical Recognition of Handwritten Digits (UCI), of it the test part.

    >>> digits(per_class=100)
    Data(1000 x 64, 10 classes, 797 for testing)
    >>> digits(per_class=175)
    Traceback (most recent call last):
    ...
    ValueError: per_class must be at most 174, the images of class 8; got 175
    """
    per_class, classes = selection(per_class, classes)
    flat = flag("flat", flat)
    from sklearn.datasets import load_digits  # here: whoever brings other data need not wait for it

    images, targets = load_digits(return_X_y=True)
    if not flat:
        images = images.reshape(-1, 1, 8, 8)
    return balanced(images, targets, per_class, classes)
