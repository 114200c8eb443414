"""The officers' face of the staff web process."""
