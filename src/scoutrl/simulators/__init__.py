"""Gymnasium environments of Scout's own, as worker processes step them.

Nothing here imports JAX, which would slow the start of each worker.
"""
