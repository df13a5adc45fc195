"""The states of instances and what leads from one to another, as documents.

Deltacloud knows five actions; what else our drivers can do in a state leads to no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from anabranch import InstanceAction, StateMachine, Transition

__all__ = ["states_gv", "states_plain", "states_xml", "steps"]

_ACTIONS: Final = (
    None,
    InstanceAction.CREATE,
    InstanceAction.REBOOT,
    InstanceAction.START,
    InstanceAction.STOP,
    InstanceAction.DESTROY,
)


def steps(machine: StateMachine) -> Mapping[str, tuple[Transition, ...]]:
    """Return the transitions that Deltacloud has a word for, by the state that they begin in.

    The states are in the order of their first mention; those in which all ends have none.
    """
    told = [step for step in machine.transitions if step.action in _ACTIONS]
    states = dict.fromkeys(state for step in told for state in (step.source, step.target))
    return {state.lower(): tuple(step for step in told if step.source is state) for state in states}


def states_xml(machine: StateMachine) -> bytes:
    """Return the states as XML; as in Deltacloud, without a declaration."""
    inner = "".join(
        f"  <state name='{state}'>\n{''.join(_transition(s) for s in found)}  </state>\n"
        for state, found in steps(machine).items()
    )
    return f"<states>\n{inner}</states>\n".encode()


def _transition(step: Transition) -> str:
    how = f"action='{step.action}'" if step.action else "auto='true'"
    return f"    <transition {how} to='{step.target.lower()}'></transition>\n"


def states_plain(machine: StateMachine) -> list[dict[str, Any]]:
    """Return the states for JSON."""
    return [
        {
            "name": state,
            "transitions": [
                {"to": s.target.lower(), **({"action": s.action} if s.action else {"auto": "true"})}
                for s in found
            ],
        }
        for state, found in steps(machine).items()
    ]


def states_gv(machine: StateMachine) -> bytes:
    """Return the states as a graph in Graphviz's language; what happens by itself is dashed."""
    lines = [
        f'  {s.source.lower()} -> {s.target.lower()} [label="{s.action}"];\n'
        if s.action
        else f"  {s.source.lower()} -> {s.target.lower()} [style=dashed];\n"
        for found in steps(machine).values()
        for s in found
    ]
    return f"digraph states {{\n  node [shape=box];\n{''.join(lines)}}}\n".encode()
