"""The driver, assembled from one module per collection."""

from __future__ import annotations

from typing import Final

from anabranch.hooks import DriverSpec
from anabranch.states import StateMachine
from anabranch_opennebula.settings import OpenNebulaSettings

__all__ = ["OpenNebulaDriver", "driver"]


class OpenNebulaDriver(DriverSpec[OpenNebulaSettings]):
    """OpenNebula."""

    title = "OpenNebula"
    settings_type = OpenNebulaSettings
    instance_states = StateMachine()


driver: Final = OpenNebulaDriver()
