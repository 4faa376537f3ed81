"""Optimal portfolios under constraints: clarabel for the convex problems, own code for the others."""
