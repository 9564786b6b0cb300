"""Programs that show how the server is used, with clients that were not written for it."""
