"""Sets of constraints that an organisation keeps for its optimisations."""
