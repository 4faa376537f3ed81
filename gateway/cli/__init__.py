"""The command line: one module per subject, loaded when its command runs; data on stdout, messages on stderr."""
