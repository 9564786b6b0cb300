"""What the server keeps, one file a resource: its record, its commands, its queries and its pure rules.

Records are frozen, as they were when they were read. Times are integer milliseconds since 1970 UTC. `key` is the
internal integer key, `id` the public CUID. JSON that the server only carries (metadata, blocks) stays JSON text
from the request to the socket.
"""
