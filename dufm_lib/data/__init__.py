"""Real data sets: balanced, ordered by class, standardised, each with a test part.

`digits` needs no download; `mnist` and `cifar10` are fetched once, with checksums.
"""

from dufm_lib.data.bundled import digits
from dufm_lib.data.fetched import cifar10, mnist
from dufm_lib.data.sets import Data, balanced

__all__ = ["Data", "balanced", "cifar10", "digits", "mnist"]
