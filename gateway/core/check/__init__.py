"""The contract suite as functions: pytest and the command line judge an adapter by its recordings with them."""
