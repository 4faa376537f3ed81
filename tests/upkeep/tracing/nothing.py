"""Nothing: to be run where what nobody has run is to be listed."""
