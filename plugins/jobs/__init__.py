"""Jobs: long computations that any process works on, with progress and results."""
