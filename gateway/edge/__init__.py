"""The edge: HTTP in front of one executor, with every limit in one place."""
