"""One decorator for the loops that NumPy cannot express well."""

from typing import cast

from numba import njit


def compiled[F](function: F) -> F:
    """Compile a function with numba, once per machine: the result is cached on disk.

    Division by zero gives infinity or NaN, as in NumPy. The cache notices changes in the
    function's own file only, not in constants or functions that it takes from others.
    """
    return cast(F, njit(cache=True, error_model="numpy")(function))
