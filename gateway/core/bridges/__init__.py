"""Providers that stand on another library's adapters: loaded only where a setting asks for them."""
