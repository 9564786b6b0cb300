"""E-mail: confirmed addresses, and what a digest says."""
