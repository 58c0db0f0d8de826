"""Ports on this machine: the usual one, or the next that is free."""

from collections.abc import Collection

from pipeline.service.errors import RefusedError
from workers.embedded.valkey import port_is_free

WEB, FLOWER, SANDBOX = 8000, 5555, {"trading_grid": 8101, "gemini": 8102, "zendesk": 8103}
TRIED = 200


def wanted_or_free(wanted: int | None, usual: int, *, taken: Collection[int] = ()) -> int:
    """The port that was asked for, else the usual or the next free one. Raises RefusedError when there is none."""
    if wanted:
        if not port_is_free(wanted):
            raise RefusedError(f"Port {wanted} is taken.", "Give another one with --port or PORT, or none.")
        return wanted
    found = next((port for port in range(usual, usual + TRIED) if port not in taken and port_is_free(port)), None)
    if found is None:
        raise RefusedError(f"No port is free from {usual} to {usual + TRIED}.", "End what holds them, or give --port.")
    return found


def of_sandbox() -> dict[str, int]:
    """A port for each stand-in."""
    chosen: dict[str, int] = {}
    for name, usual in SANDBOX.items():
        chosen[name] = wanted_or_free(None, usual, taken=chosen.values())
    return chosen
