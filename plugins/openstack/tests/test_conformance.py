from types import MappingProxyType

from anabranch.testing.conformance import DriverConformance
from anabranch_openstack.simulator import simulator


class TestConformance(DriverConformance):
    kind = "openstack"
    simulator = simulator
    budget = MappingProxyType({"list_networks": 2, "list_quotas": 4})
