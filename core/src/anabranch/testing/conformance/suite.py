"""The suite: all checks in one class."""

from __future__ import annotations

from anabranch.testing.conformance.accounts import AccountChecks
from anabranch.testing.conformance.changes import ChangeChecks
from anabranch.testing.conformance.endings import EndingChecks
from anabranch.testing.conformance.failures import FailureChecks
from anabranch.testing.conformance.listing import ListingChecks
from anabranch.testing.conformance.offers import OfferChecks
from anabranch.testing.conformance.secrecy import SecrecyChecks

__all__ = ["DriverConformance"]


class DriverConformance(
    ListingChecks,
    FailureChecks,
    EndingChecks,
    OfferChecks,
    ChangeChecks,
    AccountChecks,
    SecrecyChecks,
):
    """What a driver must keep.

    Derive a class whose name begins with `Test`, and name `kind` and `simulator`; see
    `ConformanceBase` for what else can be said.
    """
