"""What must be settled before JAX first computes."""

import os


def settle() -> None:
    """Have one thread do each product of matrices, so that numbers do not depend on how many cores there are.

    XLA splits the sums of a product among the threads it has, and floating-point sums depend on how they are split: a
    seed would end elsewhere on another machine, or beside other seeds. It looks at this variable when JAX first
    computes; later calls change nothing. A value the user has set stands.
    """
    os.environ.setdefault("PJRT_NPROC", "1")
