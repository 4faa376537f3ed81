"""What is held, what it is worth, what was closed, and what an account amounts to."""
