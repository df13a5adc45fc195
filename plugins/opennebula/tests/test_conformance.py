from types import MappingProxyType

from anabranch.testing.conformance import DriverConformance
from anabranch_opennebula.simulator import simulator


class TestConformance(DriverConformance):
    kind = "opennebula"
    simulator = simulator
    budget = MappingProxyType({"list_realms": 2})
