"""Full-text search: what the index knows of a message or a title, how it is kept, how it is asked."""
