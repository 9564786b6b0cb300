"""Blobs in S3. What imports obstore is imported only where S3 is chosen."""
