"""Evaluation of alerts: pure rules, the feeds that they are fed from, and the one writer of what came of it."""
