"""Orders that are placed again and again, at regular times."""
