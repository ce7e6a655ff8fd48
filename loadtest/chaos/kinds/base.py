"""What a fault is: something that is done to a running pipeline, shown to have hit, and undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from ..pipeline import Pipeline
from ..scene import Scene


class Fault(Protocol):
    """One injection; made anew for each, so it may remember what it did."""

    def inject(self, scene: Scene) -> None:
        """Break something. Returns as soon as it is broken."""
        ...

    def hit(self, scene: Scene) -> bool:
        """Whether it has shown its effect; asked again until it has, or patience ends."""
        ...

    def heal(self, scene: Scene) -> None:
        """Mend what does not mend itself."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of fault, as the catalogue lists it.

    `patience_s`: how long its effect is waited for. `late`: its effect shows at the trial's end.
    `loses`: state is lost, so that the counts behind shares may be off by a few batches.
    `cold`: memory is lost, so that customers may be told less (never more) than replay says.
    `recovers`: by what recovery is told: offsets that are done, or customers who have been told.
    `obstacle`: why it cannot be done on this pipeline, None where it can.
    """

    name: str
    tells: str
    make: Callable[[], Fault]
    patience_s: float = 60.0
    late: bool = False
    proxied: bool = False
    small_disk: bool = False
    cold: bool = False
    loses: bool = False
    recovers: Literal["offsets", "notify"] = "offsets"
    obstacle: Callable[[Pipeline], str | None] = lambda _: None
