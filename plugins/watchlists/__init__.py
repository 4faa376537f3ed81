"""Lists of instruments that a person watches."""
