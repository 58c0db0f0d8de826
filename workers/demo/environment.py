"""The sandbox's published credentials as the environment that casebridge reads; worth nothing anywhere else."""

from collections.abc import Mapping
from pathlib import Path

SECRETS = {
    "CASEBRIDGE_SECRET_KEY": "sandbox-secret-key-of-no-value-elsewhere",
    "TRADING_GRID_TENANT": "tnt_sandbox",
    "TRADING_GRID_CLIENT_ID": "casebridge",
    "TRADING_GRID_CLIENT_SECRET": "sandbox-trading-grid-secret",
    "TRADING_GRID_WEBHOOK_SECRET": "whsec_c2FuZGJveC10cmFkaW5nLWdyaWQtd2ViaG9vay1zZWNyZXQ=",
    "GEMINI_USERNAME": "casebridge",
    "GEMINI_API_KEY": "sandbox-gemini-key",
    "GEMINI_WEBHOOK_TOKEN": "sandbox-wake-up-token",
    "ZENDESK_CLIENT_ID": "casebridge",
    "ZENDESK_CLIENT_SECRET": "sandbox-zendesk-secret",
    "ZENDESK_WEBHOOK_SECRET": "sandbox-zendesk-webhook-secret",
}


def sandbox_config() -> Path:
    """The sandbox's configuration: beside this module in an installed package, in the root of a checkout."""
    name, here = "casebridge.sandbox.yaml", Path(__file__).resolve().parent
    return next((path for path in (here / name, here.parents[1] / name) if path.exists()), Path(name))


def sandbox_environment(urls: Mapping[str, str]) -> dict[str, str]:
    """The variables for a sandbox at these addresses ({"trading_grid": ..., "gemini": ..., "zendesk": ...})."""
    return {
        **SECRETS,
        "TRADING_GRID_URL": urls["trading_grid"],
        "GEMINI_URL": urls["gemini"],
        "ZENDESK_URL": urls["zendesk"],
    }
