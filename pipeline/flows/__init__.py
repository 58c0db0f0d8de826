"""The flows, one file each, found by being there; each module's FLOW (or FLOWS) is a value (flows.md)."""

import importlib
import pkgutil
from functools import cache

from pipeline.flow import Flow


@cache
def all_flows() -> tuple[Flow, ...]:
    """Every flow of this folder, in the order of the file names."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return tuple(flow for module in modules for flow in getattr(module, "FLOWS", ()))
