"""L0, the words: models (which are the GraphQL types), asks, capabilities, errors, scalars, paging, symbols."""
