from tests.server.quiet import nothing_breaks

__all__ = ["nothing_breaks"]
