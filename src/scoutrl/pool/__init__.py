"""Gymnasium environments in worker processes: stepped, reset by hand, rebuilt when they fail. Knows no JAX."""
