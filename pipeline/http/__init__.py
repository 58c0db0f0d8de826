"""The only door to the network: plans go in, judged answers and masked exchanges come out."""

from pipeline.http.address import AddressClass, classify_address
from pipeline.http.download import Download
from pipeline.http.equal import differences, equal
from pipeline.http.errors import ReadOnlyError
from pipeline.http.exchange import Exchange, Sent
from pipeline.http.executor import Executor
from pipeline.http.wire import Wire, render

__all__ = [
    "AddressClass",
    "Download",
    "Exchange",
    "Executor",
    "ReadOnlyError",
    "Sent",
    "Wire",
    "classify_address",
    "differences",
    "equal",
    "render",
]
