"""Composition: a settings module for each process. `base` is common; `owner` is migrations, tests, command line."""
