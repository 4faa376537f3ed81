"""Whether what is kept of accounts is what their entries and fills say: reckoned anew, and compared."""
