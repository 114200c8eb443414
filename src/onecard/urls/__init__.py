"""Composition: the web processes (`public`, `staff`, `api`) and the routes each serves."""
