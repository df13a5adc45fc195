from types import MappingProxyType

from anabranch.testing.conformance import DriverConformance
from anabranch_cloudstack.simulator import simulator


class TestConformance(DriverConformance):
    kind = "cloudstack"
    simulator = simulator
    budget = MappingProxyType({"list_firewalls": 2, "list_images": 3, "list_quotas": 2})
