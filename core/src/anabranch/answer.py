"""The answer of a fan-out: items, and what became of every cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from anabranch.errors import AnabranchError, CloudError, ConfigurationError, RequirementNotMet
from anabranch.models import to_builtins
from anabranch.paging import ItemProblem

__all__ = ["Answer", "CloudReport", "CloudStatus", "ErrorReport", "check_requirement"]

T = TypeVar("T")


class CloudStatus(StrEnum):
    """What became of one cloud in a fan-out."""

    OK = "ok"
    """It answered in full, or as far as it was asked: see `Answer.cursors`."""
    PARTIAL = "partial"
    """Some of its pages came; the list was cut short, or an item could not be read in full."""
    FAILED = "failed"
    """Nothing came."""
    SKIPPED = "skipped"
    """It does not offer the operation: it was not asked, or said so."""


class ErrorReport(msgspec.Struct, frozen=True, kw_only=True):
    """An error as data.

    Attributes:
        type: Name of the class in `anabranch.errors`.
        message: One line.
        operation: Operation that failed.
        provider_code: The platform's own code.
        request_id: The platform's id of the request.
        retryable: Whether the same call may go well a little later.
        remedy: What to do about it.
    """

    type: str
    message: str
    operation: str | None = None
    provider_code: str | None = None
    request_id: str | None = None
    retryable: bool = False
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.message}. {self.remedy}" if self.remedy else self.message

    @classmethod
    def of(cls, error: AnabranchError) -> ErrorReport:
        """Describe an exception."""
        if not isinstance(error, CloudError):
            return cls(type=type(error).__name__, message=str(error))
        return cls(
            type=type(error).__name__,
            message=error.message or type(error).__doc__ or "",
            operation=error.operation,
            provider_code=error.provider_code,
            request_id=error.request_id,
            retryable=error.retryable,
            remedy=error.remedy,
        )


class CloudReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one cloud.

    Attributes:
        name: Its name.
        driver: Kind of its driver.
        status: What became of it.
        count: Items that came from it.
        elapsed_ms: Milliseconds that it took.
        error: Why it is failed, partial or skipped.
        problems: Items that could not be read, or not in full.
    """

    name: str
    driver: str
    status: CloudStatus
    count: int = 0
    elapsed_ms: int = 0
    error: ErrorReport | None = None
    problems: Sequence[ItemProblem] = ()


class Answer(Generic[T]):
    """Everything that a fan-out found, and how far it can be relied on.

    Empty and failed are never the same: a cloud that has nothing is `ok` with a count of 0.

    Attributes:
        items: What was found, in the order of the configuration.
        clouds: What became of each cloud, in the same order.
        errors: The exceptions themselves, by cloud.
        cursors: The clouds that have more than was asked for, each with the cursor to go on from;
            empty without a limit. See `BrokerBase.fan_out` before they are given to anybody.
    """

    __slots__ = ("clouds", "cursors", "errors", "items")

    def __init__(
        self,
        items: Sequence[T],
        clouds: Sequence[CloudReport],
        errors: Mapping[str, AnabranchError],
        cursors: Mapping[str, str] | None = None,
    ) -> None:
        self.items, self.clouds, self.errors = items, clouds, errors
        self.cursors: Mapping[str, str] = cursors or {}

    @property
    def complete(self) -> bool:
        """Whether no cloud failed, none is partial, and none has more."""
        return not self.unfinished and not self.cursors

    @property
    def unfinished(self) -> list[CloudReport]:
        """The clouds that failed or are partial."""
        bad = (CloudStatus.FAILED, CloudStatus.PARTIAL)
        return [report for report in self.clouds if report.status in bad]

    def cloud(self, name: str) -> CloudReport:
        """Return the report of one cloud.

        Raises:
            KeyError: it was not part of this fan-out.
        """
        for report in self.clouds:
            if report.name == name:
                return report
        raise KeyError(name)

    def require(self, policy: str | int) -> None:
        """Insist on clouds that answered in full; those that were skipped do not count.

        Args:
            policy: `any` (at least one, if any was asked), `all`, or a number of clouds.

        Raises:
            RequirementNotMet: fewer did.
            ConfigurationError: `policy` is none of these.
        """
        asked = [r for r in self.clouds if r.status is not CloudStatus.SKIPPED]
        good = sum(1 for r in asked if r.status is CloudStatus.OK)
        wanted = check_requirement(policy, len(asked))
        if good < wanted:
            names = ", ".join(r.name for r in self.unfinished)
            raise RequirementNotMet(
                f"{good} of {len(asked)} clouds answered in full, {wanted} are required"
                + (f"; not in full: {names}" if names else "")
            )

    def to_dict(self, *, extra: bool = False) -> dict[str, Any]:
        """Return the JSON form: `complete`, `items`, `clouds`; cursors are not for everybody.

        Args:
            extra: Whether to include the platforms' own fields of the items.
        """
        return {
            "complete": self.complete,
            "items": to_builtins(self.items, extra=extra),
            "clouds": to_builtins(self.clouds),
        }

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        states = ", ".join(
            f"{r.name}: {r.status.value} {r.count}{' and more' if r.name in self.cursors else ''}"
            for r in self.clouds
        )
        return f"<Answer: {len(self.items)} items; {states}>"


def check_requirement(policy: str | int, asked: int) -> int:
    """Return how many of `asked` clouds a policy wants to answer in full.

    Raises:
        ConfigurationError: `policy` is none of `any`, `all`, a number.
    """
    text = str(policy)
    if text == "all":
        return asked
    if text == "any":
        return min(1, asked)
    if text.isdecimal():
        return int(text)
    raise ConfigurationError(f"{policy!r} is none of: any, all, a number", field="require")
