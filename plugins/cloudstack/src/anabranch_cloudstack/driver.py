"""The driver, assembled from one module per collection."""

from __future__ import annotations

from typing import Final

from anabranch.hooks import DriverSpec
from anabranch.states import StateMachine
from anabranch_cloudstack.settings import CloudStackSettings

__all__ = ["CloudStackDriver", "driver"]


class CloudStackDriver(DriverSpec[CloudStackSettings]):
    """CloudStack."""

    title = "CloudStack"
    settings_type = CloudStackSettings
    instance_states = StateMachine()


driver: Final = CloudStackDriver()
