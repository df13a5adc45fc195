"""Projects and registered user data."""

from __future__ import annotations

from typing import ClassVar

from anabranch_cloudstack.simulator.records import Record

__all__ = ["Project", "UserData"]


class Project(Record, kw_only=True):
    """One project."""

    kind: ClassVar[str] = "Project"

    text: str
    number: int


class UserData(Record, kw_only=True):
    """User data that is registered for machines to come."""

    data: str
    parameters: str = ""
