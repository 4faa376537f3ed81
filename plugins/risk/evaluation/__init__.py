"""Evaluation of limits: positions times live quotes, pure rules, one transaction for a breach and its event."""
