"""One folder a resource: what its commands write, and how it is read."""
