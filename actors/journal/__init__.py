"""The one writer of the database, the follower of the log, and the housekeeper."""
