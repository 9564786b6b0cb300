"""Numbers and strings as Yjs writes them: seven bits a byte, the lowest first; a length before bytes. Pure."""

from actors.errors import Malformed


class BytesReader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        if self.at >= len(self.data):
            raise Malformed("Bytes of the Yjs protocols end too early.")
        self.at += 1
        return self.data[self.at - 1]

    def number(self) -> int:
        """Raises `Malformed` where it has more than 64 bits."""
        value = shift = 0
        while shift < 64:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise Malformed("A number of the Yjs protocols has more than 64 bits.")

    def skip(self, length: int) -> None:
        self.at += length
        if self.at > len(self.data):
            raise Malformed("Bytes of the Yjs protocols are fewer than they say.")

    def string(self) -> bytes:
        length = self.number()
        self.skip(length)
        return self.data[self.at - length : self.at]


def number(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(0x80 | value & 0x7F)
        value >>= 7
    found.append(value)
    return bytes(found)


def string(data: bytes) -> bytes:
    return number(len(data)) + data
