"""The residents' face of the public web process."""
