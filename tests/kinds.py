"""Kinds of arguments: one good value of each, others that mean the same, and all that must be refused."""

import decimal
import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from hypothesis import strategies as st
from matplotlib.figure import Figure

NOTHING_MEANT = [b"3", 1 + 2j, {}, {3}, object(), decimal.Decimal(3), NotImplemented, slice(3)]
NONSENSE = st.sampled_from([*NOTHING_MEANT, None, "3", "", len, True, np.bool_(True), False])
ARRAYS = st.sampled_from(
    [np.array([1, 2]), np.array([[2.0]]), np.array(["a"]), torch.ones(2), torch.ones(1, 1), [3], (1, 2), torch.empty(0)]
)
NOT_FINITE = st.sampled_from([math.nan, math.inf, -math.inf, np.float64("nan"), torch.tensor(math.inf), 10**400])
COMPLEX = st.sampled_from([np.complex64(1), np.complex128(2), torch.tensor(1j)])
TOO_LARGE = st.sampled_from([1e31, 1e300, -1e300, 1.7e308, np.float64(-1.7e308), 10**31, torch.tensor(1e300).double()])
NO_NUMBER = NONSENSE | ARRAYS | NOT_FINITE | COMPLEX | TOO_LARGE


@dataclass(frozen=True)
class Kind:
    """An argument: a good value, what must be refused, what means the same, and words a refusal may use for it.

    What is `extreme` may be refused or answered, but not with NaN and not with another error.
    """

    good: object
    bad: st.SearchStrategy | None
    same: tuple = ()
    words: str = ""
    extreme: tuple = ()
    made_anew: bool = False

    def value(self):
        """The good value: what `good` is, or makes."""
        return self.good() if self.made_anew else self.good

    def called(self, words):
        """The same kind under other words, a regular expression: a shape that does not fit may be the other one's."""
        return replace(self, words=words)

    def but(self, *allowed):
        """The same kind, with some more values allowed (those that are `allowed` in type and value)."""

        def refused(value):
            return not any(type(value) is type(each) and repr(value) == repr(each) for each in allowed)

        return replace(self, bad=self.bad.filter(refused))

    def also_bad(self, *values):
        return replace(self, bad=self.bad | st.sampled_from(values))


def whole(good, least=1, most=10**9):
    wrong = st.integers(max_value=least - 1) | st.integers(min_value=most + 1) | st.sampled_from([10**5000, least - 1])
    same = (np.int64(good), np.int32(good), torch.tensor(good), np.array(good))
    return Kind(good, NO_NUMBER | wrong | st.floats() | st.sampled_from([np.float64(3), torch.tensor(3.0)]), same)


def seed(good=0):
    return whole(good, 0, 2**63 - 1)


def real(good):
    same = (np.float64(good), torch.tensor(good, dtype=torch.float64), np.array(good))
    return Kind(good, NO_NUMBER, same, extreme=(5e-324, -1e-300, 1e30, -1e30))


def weight(good, zero=True, below=math.inf):
    """A number that must not be negative (not zero either), and less than some other."""
    wrong = st.floats(max_value=-1e-300) | st.integers(max_value=-1) | st.just(below)
    return replace(real(good), bad=NO_NUMBER | wrong | (st.nothing() if zero else st.sampled_from([0, 0.0])))


def switch(good=False):
    return Kind(
        good, (NO_NUMBER | st.integers() | st.just("no")).filter(lambda value: not _is_flag(value)), (np.bool_(good),)
    )


def _is_flag(value):
    return isinstance(value, (bool, np.bool_))


def choice(good):
    wrong = NONSENSE | ARRAYS | NOT_FINITE | st.text() | st.just(good.upper()) | st.just(good + " ")
    return Kind(good, wrong.filter(lambda value: not (isinstance(value, str) and value == good)))


def text(good="a"):
    return Kind(good, (NONSENSE | ARRAYS | NOT_FINITE).filter(lambda value: not isinstance(value, str)))


def optional(kind):
    """None is allowed: the argument may be left out."""
    return replace(kind, bad=kind.bad.filter(lambda value: value is not None))


def left_out(kind):
    """As it is best left out: the other arguments say it."""
    return replace(optional(kind), good=None, same=())


def thing(good, same=()):
    """An object of a class of its own: a problem, data, axes, a function."""
    return Kind(good, NONSENSE | ARRAYS | NOT_FINITE, same)


def function(good=None):
    return Kind(good, (NONSENSE | ARRAYS).filter(lambda value: value is not None and not callable(value)))


def path(good=None):
    wrong = st.sampled_from([b"3", 3, 1.5, {}, ["a"], object(), torch.ones(2), "a\0b", "/no/such/folder/file", ""])
    return Kind(good, wrong)


def folder(good=None):
    return Kind(good, st.sampled_from([b"3", 3, 1.5, {}, ["a"], object(), torch.ones(2), "a\0b", __file__]))


def device(good="cpu"):
    wrong = NONSENSE | ARRAYS | st.sampled_from(["abacus", "cuda:99", "meta", "cpu:", -1])
    return Kind(good, wrong.filter(lambda value: value is not None), (torch.device(good),) if good else ())


def dtype():
    wrong = NO_NUMBER | st.sampled_from([torch.int64, torch.complex64, torch.float16, np.float32, float])
    return Kind(torch.float64, wrong)


def tensor(good, free=False, rows_free=False, finite=True, floating=False):
    """A tensor of the shape of `good`; `free`: every axis may have another size, or the rows alone.

    NaN and infinity are refused where it must be `finite`, integers where it must be `floating`.
    """
    wrong = [good * (1 + 1j), good.numpy(), good.tolist(), 3, torch.tensor(1.0), good.to_sparse(), good.to("meta")]
    wrong += [good[:0], good[..., :0]] + ([good[0]] if good.ndim == 2 else [])
    if not free:
        wrong += [torch.cat([good, good[..., :1]], -1), good[..., 1:]]
        wrong += [] if rows_free else [torch.cat([good, good[:1]])]
    wrong += [good > 0] + ([good.long()] if floating else [])
    if finite:
        wrong += [
            torch.where(torch.arange(good.numel()).reshape(good.shape) == 1, x, good) for x in (math.nan, math.inf)
        ]
    return Kind(good, NONSENSE | st.sampled_from(wrong), laid_out(good), extreme=extremes(good) if finite else ())


def extremes(good):
    """Entries whose squares, or whose own digits, leave the range of float64; and integers."""
    return (1e300 * good, -1e300 * good, 1e30 * good, 1e-300 * good, good + 1e300, good.sign() * 5e-324, good.long())


def laid_out(good):
    """The same numbers otherwise laid out in memory, or with a gradient asked for."""
    spread = torch.stack([good, good + 1], -1)[..., 0]
    flipped = good.flip(0).clone().flip(0).T.contiguous().T if good.ndim == 2 else good.clone()
    return (spread, flipped, good.clone().requires_grad_()) if good.is_floating_point() else (spread, flipped)


def labels(good):
    wrong = [
        good.tolist(),
        good.numpy(),
        good.double(),
        good.bool(),
        good - 1,
        good * 10**12,
        0 * good,
        good[:-1],
        good[None],
    ]
    return Kind(good, NONSENSE | st.sampled_from([*wrong, good[:0]]), (good.int(), laid_out(good)[0]))


def tensors(kinds):
    """A list of tensors, each of its kind."""
    good = [kind.good for kind in kinds]

    @st.composite
    def spoiled(draw):
        position = draw(st.integers(0, len(good) - 1))
        return [*good[:position], draw(kinds[position].bad), *good[position + 1 :]]

    wrong = st.sampled_from([[], (), good[:-1], [*good, good[-1]], "abc"[: len(good)], {}, 3, None, object()])
    return Kind(good, wrong | spoiled(), (tuple(good), *([*kind.same[:1]] for kind in kinds if len(good) == 1)))


def numbers(good, finite=False):
    """What a figure takes: a tensor, an array or nested lists of real numbers, of the shape of `good`."""
    array = np.asarray(good, dtype=float)
    wrong = [
        "abc",
        None,
        object(),
        {},
        1 + 2j,
        [[1.0], [2.0, 3.0]],
        array.astype(str),
        array * 1j,
        array[..., None, None],
    ]
    wrong += [array[:0], array > 0] + ([np.full_like(array, np.nan)] if finite else [])
    return Kind(good, st.sampled_from(wrong), (array, torch.tensor(array), array.astype(np.float32)))


def listed(good, *wrong):
    """Names and labels, one after the other."""
    return Kind(good, st.sampled_from(["abc", 3, None, object(), [*good, "more"], good[:-1], *wrong]), (tuple(good),))


def chosen(good, *wrong):
    """Integers, one after the other."""
    return thing(good).but([3], (1, 2), np.array([1, 2]), torch.empty(0)).also_bad(("a", "b"), (2.5, 1), "12", *wrong)


def table(good, *wrong):
    """A dictionary."""
    return Kind(good, st.sampled_from([3, "abc", None, object(), list(good), *wrong]))


def axes():
    return replace(thing(lambda: Figure().subplots()), made_anew=True)
