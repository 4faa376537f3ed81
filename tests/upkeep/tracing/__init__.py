"""What measures coverage: on the path of processes, never imported by name."""
