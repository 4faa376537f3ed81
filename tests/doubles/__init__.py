"""What tests put in the place of the world: a clock that is turned, a venue with a socket."""
