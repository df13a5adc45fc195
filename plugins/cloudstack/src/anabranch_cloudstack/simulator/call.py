"""One call of a command: its parameters, its caller, and what the caller may see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from anabranch_cloudstack.simulator.accounts import Account
from anabranch_cloudstack.simulator.commands import Command, Parameter
from anabranch_cloudstack.simulator.jobs import Job, Work
from anabranch_cloudstack.simulator.records import Record
from anabranch_cloudstack.simulator.wire import INVALID, Document, Refusal, invalid

if TYPE_CHECKING:
    from anabranch_cloudstack.simulator.state import State

__all__ = ["Call"]

R = TypeVar("R", bound=Record)

_INDEXED = re.compile(r"(\w+)\[(\d+)\](?:\.(.+))?")
_DATES = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d:\d\d(?:[+-]\d{4})?)?")


class Call:
    """One call.

    Args:
        state: The cloud.
        command: Which command.
        account: Who calls.
        parameters: All parameters, names as sent.
        by_get: Whether they came in the URL.

    Raises:
        Refusal: 431, a parameter is missing or cannot be read, or names what is not there.
    """

    def __init__(
        self,
        state: State,
        command: Command,
        account: Account,
        parameters: Mapping[str, str],
        *,
        by_get: bool,
    ) -> None:
        self.state = state
        self.command = command
        self.account = account
        self.by_get = by_get
        self._maps: dict[str, dict[int, dict[str, str]]] = {}
        self._values: dict[str, str] = {}
        known = {parameter.name for parameter in command.parameters}
        for name, value in parameters.items():
            indexed = _INDEXED.fullmatch(name)
            word = (indexed[1] if indexed else name).lower()
            if word not in known:
                continue
            if indexed is None:
                self._values.setdefault(word, value)
            else:
                entries = self._maps.setdefault(word, {})
                entries.setdefault(int(indexed[2]), {})[indexed[3] or ""] = value
        for parameter in command.parameters:
            self._check(parameter)

    def has(self, name: str) -> bool:
        """Whether a parameter was sent; an empty value counts."""
        return name in self._values

    def text(self, name: str, default: str = "") -> str:
        """The value of a parameter."""
        return self._values.get(name, default)

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean: what is not `true` is false, and never an error."""
        return self._values[name].lower() == "true" if name in self._values else default

    def number(self, name: str) -> int | None:
        """An integer, or `None` when it was not sent."""
        return int(self._values[name]) if self._values.get(name) else None

    def items(self, name: str) -> list[str]:
        """A comma-separated list."""
        return [item for item in self._values.get(name, "").split(",") if item]

    def maps(self, name: str) -> list[dict[str, str]]:
        """The entries of a map (`tags[0].key=…`), in the order of their indices."""
        return [entry for _, entry in sorted(self._maps.get(name, {}).items())]

    def pairs(self, name: str) -> dict[str, str]:
        """A map of keys to values, as `tags[0].key=a&tags[0].value=b` writes it."""
        return {e["key"]: e.get("value", "") for e in self.maps(name) if "key" in e}

    def details(self) -> dict[str, str]:
        """The entries of `details[0].cpuNumber=2&…`, together."""
        return {key: value for entry in self.maps("details") for key, value in entry.items()}

    @property
    def project(self) -> str:
        """The id of the project in which it acts; empty for the caller's own account."""
        return "" if self.text("projectid") == "-1" else self.text("projectid")

    def owns(self, record: Record) -> bool:
        """Whether the caller may use a record: it is its own, or it is everyone's."""
        return self.account.is_admin or record.account in ("", self.account.name)

    def visible(self, records: Iterable[R]) -> Iterator[R]:
        """Those of some records that a list shows, by the parameters that every list has."""
        everyone = self.account.is_admin and self.flag("listall")
        account = self.text("account", self.account.name)
        if not self.account.is_admin and account != self.account.name:
            return
        project, any_project = self.project, self.text("projectid") == "-1"
        tags = self.pairs("tags")
        for record in records:
            if record.account and not everyone and record.account != account:
                continue
            wrong = not record.project if any_project else record.project != project
            if record.account and wrong and record.kind != "Project":
                continue
            if tags and any(record.tags.get(key) != value for key, value in tags.items()):
                continue
            yield record

    def take(self, store: Mapping[str, R], name: str) -> R:
        """The record that a parameter names.

        Raises:
            Refusal: 431, it is not there; 531, it is another's.
        """
        return self.take_id(store, self.text(name), name)

    def take_id(self, store: Mapping[str, R], record_id: str, name: str) -> R:
        """The record of an id that came in a parameter; see `take`."""
        record = store.get(record_id)
        if record is None:
            raise self.no_entity(name, record_id)
        if not self.owns(record):
            raise self._not_permitted(record)
        return record

    def take_own(self, store: Mapping[str, R], name: str) -> R:
        """The record that a parameter names, to change it: not one that is everyone's.

        Raises:
            Refusal: 431, it is not there; 531, it is another's or everyone's.
        """
        record = self.take(store, name)
        if not record.account and not self.account.is_admin:
            raise self._not_permitted(record)
        return record

    def take_shared(self, store: Mapping[str, R], name: str) -> R:
        """The record that a parameter names, another's too if it is public; see `take`."""
        record = store.get(self.text(name))
        if record is not None and getattr(record, "public", False):
            return record
        return self.take(store, name)

    def no_entity(self, name: str, value: str) -> Refusal:
        """The refusal of an id that nothing has; there is no code of its own for it."""
        return Refusal(
            INVALID,
            f"Unable to execute API command {self.command.name.lower()} due to invalid value."
            f" Invalid parameter {name} value={value} due to incorrect long value format, or"
            " entity does not exist or due to incorrect parameter annotation for the field in"
            " api cmd class.",
        )

    def start(
        self, work: Work, subject: str = "", *, created: bool = False, lock: str = ""
    ) -> Document:
        """Start the command's job and answer with its id.

        Args:
            work: What the job does.
            subject: The id of the object that it works on.
            created: Whether the object is new, so that the reply holds its id.
            lock: The id of the object whose jobs wait for each other; the subject by default.
        """
        job = Job(
            self.state.new_id(),
            self.account,
            self.command.job,
            self.command.instance_type,
            subject,
            lock or subject,
            work,
            self.state.now,
            makes=created and self.state.find(subject) is not None,
        )
        self.state.jobs.submit(job)
        return {"id": subject, "jobid": job.id} if created else {"jobid": job.id}

    def _check(self, parameter: Parameter) -> None:
        name = parameter.name
        value = self._values.get(name)
        if value is None and name not in self._maps:
            if parameter.is_required(self.state.version):
                raise Refusal(
                    INVALID,
                    f"Unable to execute API command {self.command.name.lower()} due to missing"
                    f" parameter {name}",
                )
            return
        if value is None:
            return
        if parameter.type in ("integer", "long"):
            if value and not re.fullmatch(r"[+-]?\d{1,18}", value):
                raise self._wrong(name, value)
        elif parameter.type == "date":
            if not _DATES.fullmatch(value):
                raise self._wrong(name, value)
        elif name == "projectid":
            if value != "-1" and value not in self.state.projects:
                raise self.no_entity(name, value)
        elif parameter.type == "uuid":
            lately = name == "id" and (self.command.reads or "expunge" in self.command.name)
            if not self.state.exists(value, removed=lately):
                raise self.no_entity(name, value)

    def _not_permitted(self, record: Record) -> Refusal:
        return Refusal(
            531,
            f"Acct[{self.account.id}-{self.account.name}] -- Account does not have permission to"
            f" operate with resource [{record.id}]",
            4365,
        )

    def _wrong(self, name: str, value: str) -> Refusal:
        return Refusal(
            INVALID,
            f"Unable to execute API command {self.command.name.lower()} due to invalid value."
            f" Invalid value provided for API arg: {name} - {value}",
        )

    def only_one_of(self, *names: str) -> None:
        """Refuse a call that sends more than one of these.

        Raises:
            Refusal: 431.
        """
        if sum(self.has(name) for name in names) > 1:
            raise invalid(f"Only one of {', '.join(names)} can be specified")
