"""Writes the client's typed models and methods from the schema and the operations."""
