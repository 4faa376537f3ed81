"""L3, the domains: each plugin is a value that the composition root finds by its folder."""
