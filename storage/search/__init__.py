"""Full-text search: what the index holds, how it is kept up, how it is queried."""
