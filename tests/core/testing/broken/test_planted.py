"""Each planted fault is caught by the check that is there for it, and by no other."""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

import pytest

from anabranch.testing.conformance import CHECKS, Level, Outcome, level_of

from . import accounts, changes, claims, leaks, listings, replies, timing
from .acme import AcmeDriver

pytest_plugins = ["pytester"]


class Planted(NamedTuple):
    """A driver with one fault.

    Attributes:
        driver: The driver.
        check: The check that must fail.
        says: What the message must say.
        clean: Checks with which the fault has nothing to do.
    """

    driver: type[AcmeDriver]
    check: str
    says: str
    clean: tuple[str, ...] = ("not_found_is_typed",)


PAGING, LISTED = "paging_is_complete", ("unavailable_is_typed",)
SECRETS = ("secrets_stay_secret",)
QUICK = ("what_is_not_offered_is_refused",)
ACCOUNT = "an_account_is_a_login_and_no_more"
WORKS, LOST = "what_is_offered_works", "a_lost_create_is_not_repeated"

FAULTS = [
    Planted(listings.DropsTheLastPage, PAGING, "list_instances lost", LISTED),
    Planted(listings.StopsAtTheFirstPage, PAGING, "list_instances lost", LISTED),
    Planted(listings.SkipsItems, PAGING, "list_instances lost", LISTED),
    Planted(listings.BeginsAgain, PAGING, "twice", LISTED),
    Planted(listings.RepeatsItems, PAGING, "same ids on several pages", LISTED),
    Planted(listings.NumbersWhatItLists, "ids_are_stable", "other ids", SECRETS),
    Planted(listings.ListsOtherIdsThanItGets, "ids_are_stable", "get_instance", SECRETS),
    Planted(listings.TakesFailureForNothing, "unavailable_is_typed", "CloudUnavailable"),
    Planted(listings.TakesGarbageForNothing, "garbage_is_typed", "ProtocolError"),
    Planted(listings.LetsTheDecoderSpeak, "garbage_is_typed", "DecodeError"),
    Planted(listings.KnowsEveryField, "unknown_fields_are_tolerated", "list_instances"),
    Planted(listings.KnowsEveryPage, "unknown_fields_are_tolerated", "list_"),
    Planted(listings.KnowsEveryState, "odd_data_is_listed", "KeyError"),
    Planted(listings.HidesStrangeStates, "odd_data_is_listed", "state that nobody knows"),
    Planted(listings.AsksForEach, "requests_are_few", "list_instances"),
    Planted(listings.LogsInEachTime, "requests_are_few", "list_instances cost 2"),
    Planted(listings.FetchesAllForEachPage, "requests_are_few", "1 more with 5 more"),
    Planted(listings.LooksForOneAmongAll, "requests_are_few", "get_instance"),
    Planted(replies.RefusedIsDown, "unauthorized_is_typed", "AuthenticationError"),
    Planted(replies.LoginFailsAsItLikes, "unauthorized_is_typed", "AuthenticationError"),
    Planted(replies.ForbiddenIsRefused, "forbidden_is_typed", "PermissionDenied"),
    Planted(replies.GoneIsInvalid, "not_found_is_typed", "NotFound", (PAGING,)),
    Planted(replies.ConflictIsInvalid, "conflict_is_typed", "Conflict"),
    Planted(replies.TooManyIsInvalid, "rate_limit_is_typed", "RateLimited"),
    Planted(replies.ForgetsWhenToComeBack, "rate_limit_is_typed", "retry_after|Retry-After"),
    Planted(replies.DownIsOdd, "unavailable_is_typed", "CloudUnavailable"),
    Planted(replies.DownIsRuntimeError, "unavailable_is_typed", "RuntimeError"),
    Planted(replies.LateIsDown, "timeout_is_typed", "DeadlineExceeded"),
    Planted(replies.ResetIsBuiltin, "reset_is_typed", "ConnectionResetError"),
    Planted(timing.Sleeps, "nothing_blocks_the_loop", "stood still", QUICK),
    Planted(timing.Computes, "nothing_blocks_the_loop", "stood still", QUICK),
    Planted(timing.AsksByItself, "nothing_blocks_the_loop", "stood still", QUICK),
    Planted(timing.ShieldsItself, "cancellation_leaves_nothing", "cancel", QUICK),
    Planted(timing.ShieldsItself, "a_hang_is_cut", "deadline", QUICK),
    Planted(timing.ShieldsItsChanges, "cancellation_leaves_nothing", "create_instance", QUICK),
    Planted(timing.TidiesUpInAThread, "a_hang_is_cut", "deadline", QUICK),
    Planted(timing.TriesOnAfterTheDeadline, "a_hang_is_cut", "deadline", QUICK),
    Planted(timing.LeavesATask, "cancellation_leaves_nothing", "task", QUICK),
    Planted(timing.LeavesASocket, "cancellation_leaves_nothing", "socket", QUICK),
    Planted(leaks.InAnError, "secrets_stay_secret", "error"),
    Planted(leaks.InACause, "secrets_stay_secret", "error"),
    Planted(leaks.InARemedy, "secrets_stay_secret", "error"),
    Planted(leaks.InALogEvent, "secrets_stay_secret", "log"),
    Planted(leaks.InALogLine, "secrets_stay_secret", "log"),
    Planted(leaks.TokenInALogEvent, "secrets_stay_secret", "log"),
    Planted(leaks.InAUrl, "secrets_stay_secret", "URL"),
    Planted(leaks.InARepr, "secrets_stay_secret", "repr|SecretStr"),
    Planted(leaks.InAnIdentity, "secrets_stay_secret", "check"),
    Planted(leaks.InAProblem, "secrets_stay_secret", "problem"),
    Planted(leaks.OfTheMachine, "secrets_stay_secret", "create_instance"),
    Planted(claims.NotYetImplemented, WORKS, "stop_instance"),
    Planted(claims.NotSupportedAfterAll, WORKS, "stop_instance"),
    Planted(claims.DoesNothing, WORKS, "stop_instance"),
    Planted(claims.PretendsToStop, WORKS, "stop_instance"),
    Planted(claims.PretendsToDestroy, WORKS, "destroy_instance"),
    Planted(claims.DestroysWhenToldToStop, WORKS, "stop_instance"),
    Planted(claims.RenamesNothing, WORKS, "rename_instance"),
    Planted(claims.ForgetsTheName, WORKS, "create_instance was to make 'walk'"),
    Planted(claims.ForgetsTheKey, WORKS, "'key_id'"),
    Planted(claims.ForgetsTheTags, WORKS, "'tags'"),
    Planted(claims.NamesKeysItself, WORKS, "create_key was to make 'walk'"),
    Planted(claims.HidesAnOperation, WORKS, "reboot_instance.* is not marked", ()),
    Planted(claims.ForgetsTheToken, LOST, "client_token"),
    Planted(changes.ListsWithoutToken, LOST, "client_token"),
    Planted(changes.SaysThatCreateIsIdempotent, LOST, "2|twice"),
    Planted(changes.RepeatsALostCreate, LOST, "2|twice"),
    Planted(changes.SaysThatALostCreateFailed, LOST, "OutcomeUnknown"),
    Planted(changes.GoneIsWrongToDestroy, "destroy_is_idempotent", "destroy_instance"),
    Planted(changes.StumblesOverGoneKeys, "destroy_is_idempotent", "destroy_key"),
    Planted(accounts.TakesAnybody, ACCOUNT, "takes the user ''"),
    Planted(accounts.ReadsAFile, ACCOUNT, "opens a file"),
    Planted(accounts.ShowsThePassword, ACCOUNT, "shows the password"),
    Planted(accounts.TellsThePassword, ACCOUNT, "shows the password"),
    Planted(accounts.Stumbles, ACCOUNT, "nothing but ConfigurationError: ValueError"),
    Planted(accounts.LeavesItToConfigure, ACCOUNT, "configure, .* there is no such setting"),
    Planted(accounts.RefusesEverybody, ACCOUNT, "let make_account say"),
    Planted(accounts.MixesThemUp, ACCOUNT, "is let in, and AuthenticationError"),
]
NEXT_BELOW = {Level.BRONZE: Level.NONE, Level.SILVER: Level.BRONZE, Level.GOLD: Level.SILVER}


@pytest.mark.timeout(180)  # all checks, on both back ends
def test_the_driver_without_a_fault_is_gold(judged):
    report = judged(AcmeDriver)
    assert {c: r.outcome for c, r in report.checks.items()} == dict.fromkeys(CHECKS, "passed")
    assert (report.level, report.missing) == (Level.GOLD, {})


@pytest.mark.timeout(180)  # all checks, on both back ends
def test_of_all_checks_no_other_fails(judged):
    report = judged(replies.ConflictIsInvalid)
    failed = {check for check, result in report.checks.items() if result.outcome != "passed"}
    assert failed == {"conflict_is_typed"}
    assert (report.level, report.missing) == (Level.BRONZE, {"silver": ("conflict_is_typed",)})


@pytest.mark.parametrize(
    ("planted", "backend"),
    [
        pytest.param(fault, backend, id=f"{fault.driver.__name__}-{fault.check}-{backend}")
        for fault, backend in zip(FAULTS, itertools.cycle(("asyncio", "trio")), strict=False)
    ],
)
def test_a_fault_is_caught_by_its_check_and_costs_the_level(judged, hasty, planted, backend):
    check = f"{planted.check}[{backend}]"  # to fail on one is enough, to pass is not
    report = judged(planted.driver, check, *planted.clean, suite=hasty)
    caught = report.checks[planted.check]
    assert caught.outcome is Outcome.FAILED
    assert re.search(planted.says, caught.reason), caught.reason
    for check in planted.clean:
        assert report.checks[check].outcome is Outcome.PASSED, report.checks[check].reason
    outcomes = dict.fromkeys(CHECKS, "passed") | {c: r.outcome for c, r in report.checks.items()}
    assert level_of(outcomes) is NEXT_BELOW[CHECKS[planted.check]]


def test_a_protocol_that_wants_a_secret_in_its_urls_is_declared(judged):
    suite = "sent_in_urls = ('password',)"
    report = judged(leaks.InAUrl, "secrets_stay_secret", suite=suite)
    assert report.checks["secrets_stay_secret"].outcome is Outcome.PASSED


def test_every_check_has_a_fault_that_it_catches():
    assert {planted.check for planted in FAULTS} >= set(CHECKS) - {"what_is_not_offered_is_refused"}
