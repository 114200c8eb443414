"""Composition: the two web processes (`public`, `staff`) and the routes each serves."""
