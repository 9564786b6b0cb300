"""The send buffer of one connection: what its socket has not taken yet, bounded in bytes. Pure."""

from actors import limits


class SendBuffer:
    """Chunks for one socket, bounded in bytes. Shared chunks are counted in full: each reader has to take them all."""

    __slots__ = ("chunks", "size")

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.size = 0

    def put(self, chunk: bytes) -> bool:
        """Whether there was room."""
        self.chunks.append(chunk)
        self.size += len(chunk)
        return self.size <= limits.SEND_BUFFER_BYTES

    def take(self) -> list[bytes]:
        chunks, self.chunks, self.size = self.chunks, [], 0
        return chunks
