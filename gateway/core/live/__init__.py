"""The hub: what a line brings, to every subscriber of every process, once and in order."""
