from tests.cheap_passwords import full_cost
from tests.server.quiet import nothing_breaks

__all__ = ["full_cost", "nothing_breaks"]
