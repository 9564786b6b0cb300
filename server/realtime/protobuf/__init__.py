"""The Protobuf form of the protocol: its schema, and what encodes and decodes by it."""
