"""Signing up, signing in with a password, the second factor, lost passwords."""
