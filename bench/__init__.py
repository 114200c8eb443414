"""What is measured, beside its limit: every figure is a ratio to a limit taken in the same run."""
