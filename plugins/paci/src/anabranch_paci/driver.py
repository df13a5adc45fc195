"""The driver, assembled from one module per collection."""

from __future__ import annotations

from typing import Final

from anabranch.hooks import DriverSpec
from anabranch.states import StateMachine
from anabranch_paci.settings import PaciSettings

__all__ = ["PaciDriver", "driver"]


class PaciDriver(DriverSpec[PaciSettings]):
    """PACI."""

    title = "PACI"
    settings_type = PaciSettings
    instance_states = StateMachine()


driver: Final = PaciDriver()
