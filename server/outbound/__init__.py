"""What the server asks of others: identity providers, published keys, scanners of files."""
