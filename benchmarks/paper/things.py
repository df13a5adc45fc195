"""What the operations are done with."""

from __future__ import annotations

import dataclasses

__all__ = ["Things"]


@dataclasses.dataclass(frozen=True)
class Things:
    """Ids, as the platform has them, and the name of what is made."""

    instance: str = ""
    image: str = ""
    profile: str = ""
    balancer: str = ""
    name: str = ""

    def with_(self, **changes: str) -> Things:
        """The same with other things."""
        return dataclasses.replace(self, **changes)
