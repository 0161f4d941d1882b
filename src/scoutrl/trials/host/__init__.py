"""Trials of environments on the host: a loop in Python around an agent whose verbs are compiled."""
