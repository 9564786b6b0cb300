"""Messages that are answered: each says with what, so that the type checker knows it where an actor is asked."""

from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Asks(Generic[T_co]):
    """A message that its actor answers with a `T_co`: `class ListPresent(Asks[list[Author]])`."""

    __slots__ = ()
