"""Connectors are found by being here: one folder for each connected system, with CONNECTOR in it."""

import pkgutil
from functools import lru_cache
from importlib import import_module

from pipeline.connector import Connector


@lru_cache(maxsize=1)
def discover() -> dict[str, Connector]:
    """The connectors by name, in alphabetical order.

    Raises AttributeError when a folder holds no CONNECTOR, ValueError when it calls itself otherwise than its folder.
    """
    found: dict[str, Connector] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda entry: entry.name):
        if not module.ispkg:
            continue
        connector: Connector = import_module(f"{__name__}.{module.name}").CONNECTOR
        if connector.name != module.name:
            raise ValueError(f"connectors/{module.name}: found the name {connector.name!r}, expected {module.name!r}")
        found[connector.name] = connector
    return found
