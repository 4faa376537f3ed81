"""Economic series, releases, yield curves."""
