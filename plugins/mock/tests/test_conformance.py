from collections.abc import Mapping
from typing import Any

from anabranch.testing.conformance import DriverConformance


class TestConformance(DriverConformance):
    kind = "mock"
    wireless = True

    def make_entry(self, *, instances: int, odd: bool) -> Mapping[str, Any]:
        return {"dataset": "generated", "instances": instances, "odd_data": odd}

    def make_account(self, entry: Mapping[str, Any]) -> tuple[str, str, str]:
        return "", "mockuser", "mockpassword"
