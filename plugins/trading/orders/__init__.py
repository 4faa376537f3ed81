"""Orders: placed, changed, cancelled, filled."""
