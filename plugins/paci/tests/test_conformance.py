from types import MappingProxyType

from anabranch.testing.conformance import DriverConformance
from anabranch_paci.simulator import simulator


class TestConformance(DriverConformance):
    kind = "paci"
    simulator = simulator
    budget = MappingProxyType(
        {
            "list_firewalls": "n",
            "list_hardware_profiles": 0,
            "list_instances": "n",
            "list_storage_snapshots": "n",
        }
    )
