"""What must be settled before JAX first computes."""

import os


def pin_threads() -> None:
    """Have one thread do each operation, so that numbers do not depend on how many cores there are.

    XLA splits long sums and products of matrices among the threads it has, and floating-point sums depend on how they
    are split: a seed would not end alone where it ends beside others, each on one core. XLA looks at this variable when
    JAX first computes; later calls change nothing. A value the user has set stands.
    """
    os.environ.setdefault("PJRT_NPROC", "1")
