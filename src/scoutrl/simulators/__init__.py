"""Gymnasium environments of Scout's own, as worker processes step them. Knows no JAX, which would cost each of them."""
