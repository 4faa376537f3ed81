"""Brokers: one port, a dialect of the wire for each, and what keeps our books and theirs the same."""
