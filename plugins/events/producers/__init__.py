"""Producers: what happens on the markets becomes events, for what some endpoint asks for, once in a fleet."""
