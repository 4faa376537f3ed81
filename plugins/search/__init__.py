"""Search of the web."""
