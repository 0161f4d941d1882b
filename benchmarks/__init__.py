"""Measurements of Scout as its users meet it: real runs of `scout train`, watched from outside."""
