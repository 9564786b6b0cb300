"""Hours of load: what the server takes meanwhile, and whether it grows."""
