"""L2, the machine: market, routing, pipeline, guards, upstream, settings, clock."""
