"""Keys that tenants have of their own with providers."""
