"""What operators do with a database: look into it, check it, copy it, put another in its place."""
