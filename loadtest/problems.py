"""What may go wrong between the generator and the server, each as a short code that reports count by."""


class LoadProblem(Exception):
    """What ends a run before it begins; its text is a sentence for a person."""


class Failed(Exception):
    """One request or command failed. `code` is the server's error code, or one of ours: `http_502` for an answer that
    is not the server's, `away` where the connection broke, `no_answer` after the deadline, `closed_3008` where the
    server closed the WebSocket."""

    def __init__(self, code: str, detail: str = "", status: int = 0) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.status = status
