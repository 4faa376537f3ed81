"""Signing in with Google or GitHub: off until the operator has configured a client there."""
