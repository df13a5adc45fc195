"""The state of one simulated installation, with its clock."""

from __future__ import annotations

import heapq
import itertools
import random
import string
import uuid
from collections.abc import Callable
from typing import Literal

from anabranch.testing.simulation import Behaviour
from anabranch_paci.simulator.addresses import Pool
from anabranch_paci.simulator.records import (
    Application,
    Image,
    Schedule,
    Subscription,
    Template,
    Ve,
)

__all__ = ["ErrorShape", "State", "TemplateShape"]

TemplateShape = Literal["template", "template-list"]
ErrorShape = Literal["xml", "text"]

_FIRST_ID = 101
_LETTERS = string.ascii_letters + string.digits


class State:
    """One customer's part of one cloud.

    Args:
        name: The cloud's name.
        behaviour: How it behaves.
        clock: Says what time it is, seconds since the epoch.
        template_shape: What shows one template: the element itself, or a list of one.
        error_shape: What a refusal's body is. The platform's own shape is unknown.

    Attributes:
        customer_id: Who owns it all.
        subscriptions: By id; the first is taken when it is the only one.
        ves: Servers by name, in the order of their making.
        balancers: Load balancers by name.
        images: Images by name.
        templates: OS templates by name.
        applications: Application templates.
        schedules: Backup schedules by name.
        pool: Addresses that are free.
    """

    def __init__(
        self,
        name: str,
        behaviour: Behaviour,
        clock: Callable[[], float],
        *,
        template_shape: TemplateShape = "template",
        error_shape: ErrorShape = "xml",
    ) -> None:
        self.name = name
        self.behaviour = behaviour
        self.clock = clock
        self.template_shape: TemplateShape = template_shape
        self.error_shape: ErrorShape = error_shape
        self.customer_id = 1000045
        self.subscriptions: dict[int, Subscription] = {}
        self.ves: dict[str, Ve] = {}
        self.balancers: dict[str, Ve] = {}
        self.images: dict[str, Image] = {}
        self.templates: dict[str, Template] = {}
        self.applications: list[Application] = []
        self.schedules: dict[str, Schedule] = {}
        self.pool = Pool()
        self._random = random.Random(name)
        self._ids = itertools.count(_FIRST_ID)
        self._order = itertools.count()
        self._pending: list[tuple[float, int, Callable[[float], object]]] = []

    def new_id(self) -> int:
        """An id that nothing else has."""
        return next(self._ids)

    def new_uuid(self) -> str:
        """A UUID, the same in every cloud of this name."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def new_password(self, length: int = 8) -> str:
        """A password of letters and digits, the same in every cloud of this name."""
        return "".join(self._random.choices(_LETTERS, k=length))

    def later(self, at: float, then: Callable[[float], object]) -> None:
        """Let something happen by itself at a time; it is told the time."""
        heapq.heappush(self._pending, (at, next(self._order), then))

    def advance(self, now: float) -> None:
        """Let everything happen that is due."""
        while self._pending and self._pending[0][0] <= now:
            at, _, then = heapq.heappop(self._pending)
            then(at)
