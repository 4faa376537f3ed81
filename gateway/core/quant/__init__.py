"""Portfolio and risk mathematics: pure functions on numpy arrays, formulas and sources in their docstrings.

Only processes that compute import the modules of this package that need numpy: the gateway never does.
"""
