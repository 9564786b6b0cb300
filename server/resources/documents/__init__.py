"""Documents that several people edit: how they are."""
