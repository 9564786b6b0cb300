"""What one look has found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    good: bool
    found: str
    advice: str = ""
    hint: bool = False
    """Nothing that keeps a server from running, but something to think about."""

    @property
    def mark(self) -> str:
        return "!" if self.hint else "✓" if self.good else "✗"

    @property
    def shown_advice(self) -> str:
        """The advice, where there is need of it."""
        return self.advice if self.hint or not self.good else ""
