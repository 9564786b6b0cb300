"""Comments on artifacts: the record, what a comment is anchored to, and where that is after the artifact changed."""
