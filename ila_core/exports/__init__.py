"""A selection as files, and the commands that repeat things."""
