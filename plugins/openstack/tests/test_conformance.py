from anabranch.testing.conformance import DriverConformance
from anabranch_openstack.simulator import simulator


class TestConformance(DriverConformance):
    kind = "openstack"
    simulator = simulator
    budget = {"list_networks": 2}
