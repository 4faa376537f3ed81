"""The suites: contract, gateway, schema, plugins, e2e and bench."""
